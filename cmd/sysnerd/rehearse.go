package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"sysnerd/cmd/sysnerd/rehearse"
	"sysnerd/cmd/sysnerd/service"
	"sysnerd/config"
)

// settingsOfRehearsal are handed on to the server that a rehearsal starts.
var settingsOfRehearsal = []string{"engine", "labs", "docker.host", "sandbox.capacity", "sandbox.budget"}

func newRehearse() *cobra.Command {
	var (
		play    rehearse.Config
		minutes float64
		remote  bool
	)
	c := &cobra.Command{
		Use:   "rehearse",
		Short: "Play a class, and say what its learners would have felt",
		Long: `Play a class through the public API: learners claim sandboxes, type at a person's pace,
check, lose their connection and come back. The report says what they would have felt,
what was lost, and what it cost the machine. It exits with 1 when a limit is missed.

Without --url a server of its own is started, with a sandbox ready for each learner,
and removed with all its sandboxes. Ctrl-C ends early, with the report.`,
		Example: `  sysnerd rehearse --learners 30 --minutes 5
  sysnerd rehearse --learners 5 --minutes 1 --url http://127.0.0.1:8080`,
		Args: cobra.NoArgs,
	}
	config.AddFlags(c.Flags(), settingsOfRehearsal...)
	asJSON := addJSON(c)
	c.Flags().IntVar(&play.Learners, "learners", 30, "how many come")
	c.Flags().Float64Var(&minutes, "minutes", 5, "how long they stay")
	c.Flags().DurationVar(&play.Arrive, "arrive", time.Second, "in which time they come")
	c.Flags().StringVar(&play.Lab, "lab", "", "what they do, as `module/lab`; empty means the first of the course")
	c.Flags().StringVar(&play.URL, "url", "", "`address` of a running server, instead of one of its own")
	c.Flags().BoolVar(&play.Outages, "outages", false, "let the server of --url and its engine be ended meanwhile: learners wait for them")
	c.Flags().BoolVar(&remote, "remote", false, "let --url be a server that is not on this machine; its learners feel the load")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if play.Learners < 1 || play.Learners > 5000 || minutes <= 0 || minutes > 24*60 || play.Arrive < 0 {
			return &misuseError{"learners are 1 to 5000, minutes more than 0 and at most 1440"}
		}
		if play.URL != "" {
			if err := rehearse.CheckURL(play.URL, remote); errors.Is(err, rehearse.ErrRemote) {
				return &misuseError{fmt.Sprintf("--url %s: %v; add --remote when it is yours", play.URL, err)}
			} else if err != nil {
				return &misuseError{"--url: " + err.Error()}
			}
		}
		play.Time = time.Duration(minutes * float64(time.Minute))
		cfg, err := config.Load(c.Flags())
		if err != nil {
			return err
		}
		if err := pointDockerAt(cfg.Docker.Host); err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop) // a second Ctrl-C has its usual effect
		defer stop()
		show := newProgress(c.ErrOrStderr())
		play.Progress = func(p rehearse.Progress) {
			show.line("%s of %s: %d of %d here, %d wait, %d keys, echo p95 %s, %d faults", p.Elapsed.Round(time.Second), play.Time,
				p.Here, play.Learners, p.Waiting, p.Keys, p.Echo.Round(100*time.Microsecond), p.Faults)
		}
		var report *rehearse.Report
		if play.URL != "" {
			report, err = rehearse.Run(ctx, play)
		} else {
			report, err = rehearseAlone(ctx, cfg, play, show, c.Flags())
		}
		show.end()
		if err != nil {
			return err
		}
		if *asJSON {
			err = printJSON(c.OutOrStdout(), report)
		} else {
			err = report.Print(c.OutOrStdout())
		}
		if err == nil && !report.Met() {
			err = errSaid
		}
		return err
	}
	return c
}

// rehearseAlone plays against a server of its own.
func rehearseAlone(ctx context.Context, cfg *config.Config, play rehearse.Config, show *progress, flags *pflag.FlagSet) (report *rehearse.Report, err error) {
	var settings []string
	flags.Visit(func(f *pflag.Flag) {
		for _, s := range config.Settings() {
			if f.Name == s.Flag() {
				settings = append(settings, "--"+f.Name+"="+f.Value.String())
			}
		}
		if f.Name == "config" {
			settings = append(settings, "--config="+f.Value.String())
		}
	})
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	server, err := rehearse.Serve(ctx, program, play.Learners, settings...)
	if err != nil {
		return nil, err
	}
	defer func() {
		left, closed := server.Close(func(instance string) (int, error) {
			return service.Sweep(context.WithoutCancel(ctx), cfg, instance, slog.New(slog.DiscardHandler))
		})
		err = errors.Join(err, closed)
		if report != nil {
			report.Missed("sandboxes left by the server", left)
		}
	}()
	if err := server.Warm(ctx, play.Learners, func(warm int) { show.line("%d of %d sandboxes are ready", warm, play.Learners) }); err != nil {
		return nil, err
	}
	play.URL = server.URL
	return rehearse.Run(ctx, play)
}

// progress is a line that is written over on a terminal, and now and then a new
// one elsewhere.
type progress struct {
	w    io.Writer
	tty  bool
	last time.Time
}

const progressPause = 10 * time.Second // where lines stay

func newProgress(w io.Writer) *progress {
	p := &progress{w: w}
	if f, ok := w.(*os.File); ok {
		_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
		p.tty = err == nil
	}
	return p
}

func (p *progress) line(format string, args ...any) {
	if p.tty {
		fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
		p.last = time.Now()
	} else if time.Since(p.last) >= progressPause {
		fmt.Fprintf(p.w, format+"\n", args...)
		p.last = time.Now()
	}
}

func (p *progress) end() {
	if p.tty && !p.last.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
