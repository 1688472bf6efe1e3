package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"sysnerd/cmd/sysnerd/datadir"
	"sysnerd/cmd/sysnerd/privilege"
	"sysnerd/cmd/sysnerd/service"
	"sysnerd/config"
)

func newServe() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the course",
		Long: `Serve the course until told to stop by Ctrl-C or SIGTERM. Sandboxes live on, and
the next serve on the same data folder finds them again.

Started by root, the pages run as an ordinary user (--user), and a helper that stays
root runs the sandboxes. An ordinary user who has no Docker Engine runs them rootless,
which is for himself alone: serve says what is lost.`,
		Example: `  sysnerd serve
  sysnerd serve --listen 0.0.0.0:8080 --url https://labs.example.org
  sysnerd serve --labs ./labs --watch   # pages follow what you write`,
		Args: cobra.NoArgs,
	}
	config.AddFlags(c.Flags())
	watch := c.Flags().Bool("watch", false, "read the folder of labs again when it changes, and have pages show it")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if parted, err := privilege.Resume(); parted != nil || err != nil {
			return goOn(c, parted, err)
		}
		cfg, err := config.Load(c.Flags())
		if err != nil {
			return err
		}
		if *watch && cfg.Labs == "" {
			return &misuseError{"the labs in the program do not change; name a folder with --labs, or leave out --watch"}
		}
		if err := pointDockerAt(cfg.Docker.Host); err != nil {
			return err
		}
		log := newLog(cfg.Log, c.ErrOrStderr())
		slog.SetDefault(log)
		kind, why, err := service.ChooseEngine(c.Context(), cfg)
		if err != nil {
			return err
		}
		log.Info("sandboxes run on "+kind, "why", why)
		if os.Geteuid() == 0 {
			return part(cfg, *watch, kind, log)
		}
		log.Info("pages and engine are one process of one user, since it was not root who started it", "uid", os.Geteuid())
		return together(c, cfg, *watch, kind, log)
	}
	return c
}

// part goes on as an ordinary user, in this process, while a helper stays root. It
// returns only if that cannot be done.
func part(cfg *config.Config, watch bool, kind string, log *slog.Logger) error {
	program, args, err := helperOf(cfg, kind)
	if err != nil {
		return err
	}
	return privilege.Part(privilege.Order{
		Config: cfg, Watch: watch, Engine: kind, Listen: service.Listen, Log: log,
		HelperProgram: program,
		HelperArgs:    func(instance string) []string { return append(args, "--instance="+instance) },
	})
}

// goOn serves as the ordinary user that part made of this process.
func goOn(c *cobra.Command, parted *privilege.Parted, err error) error {
	if err != nil {
		return err
	}
	log := newLog(parted.Config.Log, c.ErrOrStderr())
	slog.SetDefault(log)
	ctx, stop := stopSignals(c)
	defer stop()
	engine, err := openParted(ctx, parted)
	if err != nil {
		return errors.Join(err, parted.Data.Close())
	}
	log.Info("pages run as an ordinary user; a helper that stays root runs the sandboxes", "user", parted.User, "helper", parted.Helper.PID())
	return service.Run(ctx, &service.Start{
		Config: parted.Config, Engine: engine, Ended: engine.Ended(), Data: parted.Data, Place: parted.Place, Listener: parted.Listener,
	}, parted.Watch, c.OutOrStdout(), log)
}

// together serves with the engine in this process.
func together(c *cobra.Command, cfg *config.Config, watch bool, kind string, log *slog.Logger) error {
	ctx, stop := stopSignals(c)
	defer stop()
	data, err := datadir.Open(cfg.Data)
	if err != nil {
		return err
	}
	engine, err := service.OpenEngine(ctx, kind, cfg, data.Instance, log)
	if err != nil {
		return errors.Join(err, data.Close())
	}
	tell(service.Notice(engine), cfg.Log.Format, c.ErrOrStderr(), log)
	return service.Run(ctx, &service.Start{Config: cfg, Engine: engine, Data: data, Place: data.Path}, watch, c.OutOrStdout(), log)
}

// tell prints what must not be overlooked: to people in a frame, to machines in the log.
func tell(notice []string, format string, w io.Writer, log *slog.Logger) {
	if format == "json" {
		for _, line := range notice {
			log.Warn(line)
		}
		return
	}
	for i, line := range notice {
		if i == 0 {
			fmt.Fprintln(w, strings.Repeat("*", 78))
		}
		fmt.Fprintln(w, "*", line)
		if i == len(notice)-1 {
			fmt.Fprintln(w, strings.Repeat("*", 78))
		}
	}
}

func stopSignals(c *cobra.Command) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
	// After the first signal the next one has its usual, immediate effect.
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

func newLog(cfg config.Log, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
