package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"sysnerd/cmd/sysnerd/datadir"
	"sysnerd/cmd/sysnerd/labtest"
	"sysnerd/cmd/sysnerd/service"
	"sysnerd/config"
	"sysnerd/labs"
)

func newLabTest() *cobra.Command {
	var (
		run    labtest.Config
		module string

		junit, golden    string
		rewrite, verbose bool
	)
	c := &cobra.Command{
		Use:   "test [LAB[/TASK]…]",
		Short: "Prove tasks in real sandboxes: wrong attempts fail, the solution passes",
		Long: `Prove tasks in real sandboxes, all of them or those that are named.

For each task: untouched it does not pass; each attempt below wrong/ fails with its
message, and the evidence that the learner is shown prints what was observed; solve.sh,
typed into a real terminal, passes; after a reset the task does not pass again.
It exits with 1 when any of that is not so. Ctrl-C ends early and leaves no sandbox.`,
		Example: `  sysnerd lab test
  sysnerd lab test --labs ./labs syscall-boundary/tally --repeat 5`,
	}
	config.AddFlags(c.Flags(), "labs", "data", "engine", "docker.host")
	asJSON := addJSON(c)
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show each step with what the learner reads")
	c.Flags().StringVar(&junit, "junit", "", "write the report to `file` as JUnit's XML, also when it ends early")
	c.Flags().StringVar(&golden, "golden", "", "compare what learners read with `dir`/LAB.golden; every sandbox has one seed then")
	c.Flags().BoolVar(&rewrite, "update", false, "with --golden: rewrite those files")
	c.Flags().StringVar(&module, "module", "", "only labs of this `module`")
	c.Flags().IntVar(&run.Repeat, "repeat", 1, "how often each task is proved, to find what fails now and then")
	c.Flags().IntVar(&run.Parallel, "parallel", 2*runtime.NumCPU(), "sandboxes at a time; most of the time each waits")
	c.ValidArgsFunction = completeLabs(true)
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		if run.Repeat < 1 || run.Repeat > 1000 || run.Parallel < 1 || run.Parallel > 64 {
			return &misuseError{"repeat is 1 to 1000, parallel 1 to 64"}
		}
		if rewrite && golden == "" {
			return &misuseError{"--update rewrites what --golden names"}
		}
		if golden != "" {
			run.Seed = labtest.GoldenSeed
		}
		cfg, err := config.Load(c.Flags())
		if err != nil {
			return err
		}
		library, problems, err := service.LoadLabs(cfg.Labs)
		if err != nil {
			return err
		}
		for _, p := range problems {
			fmt.Fprintln(c.ErrOrStderr(), p)
		}
		if run.Picked, err = labtest.Pick(library, module, args); err != nil {
			if len(problems) > 0 {
				return fmt.Errorf("%w; a lab with a problem is left out", err)
			}
			return &misuseError{err.Error()}
		}
		if err := pointDockerAt(cfg.Docker.Host); err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop) // a second Ctrl-C has its usual effect
		defer stop()
		// Broken checks are told in the log, with what they printed.
		log := newLog(config.Log{Level: slog.LevelWarn, Format: "text"}, c.ErrOrStderr())
		slog.SetDefault(log)
		run.Log = log
		place, err := takeTestData(cfg.Data)
		if err != nil {
			return err
		}
		defer place.Close()
		run.Instance = place.Instance
		kind, _, err := service.ChooseEngine(ctx, cfg)
		if err != nil {
			return err
		}
		engine, err := service.OpenEngine(ctx, kind, cfg, run.Instance, log)
		if err != nil {
			return err
		}
		defer engine.Close()
		run.Engine = engine
		if run.Image, err = engine.Image(ctx); err != nil {
			return err
		}
		show := newProgress(c.ErrOrStderr())
		run.Saw = func(p labtest.Progress) {
			show.line("%d of %d tasks; %s %s", p.Ended, p.Tasks, p.Task.Name(), p.Step.Name)
		}
		run.Ended = func(t *labtest.Task) {
			show.end()
			if !*asJSON {
				printTask(c, t, verbose)
			}
		}
		report, err := labtest.Run(ctx, run)
		show.end()
		if report == nil {
			return err
		}
		told := tellOfTest(c, report, *asJSON, junit, golden, rewrite)
		switch {
		case err != nil:
			return err
		case told == nil && len(problems) > 0:
			return errSaid // they were told at the start
		}
		return told
	}
	return c
}

// tellOfTest prints and writes a report. Its error says what did not hold.
func tellOfTest(c *cobra.Command, report *labtest.Report, asJSON bool, junit, golden string, rewrite bool) error {
	if junit != "" {
		file, err := os.Create(junit)
		if err != nil {
			return err
		}
		if err := errors.Join(report.WriteJUnit(file), file.Close()); err != nil {
			return fmt.Errorf("write the report to %s: %w", junit, err)
		}
	}
	if asJSON {
		if err := printJSON(c.OutOrStdout(), testRecord(report)); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(c.OutOrStdout(), "%d of %d tasks hold, in %s\n",
			len(report.Tasks)-report.Faults(), len(report.Tasks), report.Took.Round(100*time.Millisecond))
	}
	if report.Untried > 0 {
		return fmt.Errorf("stopped before %d tasks were proved", report.Untried)
	}
	if report.Faults() > 0 {
		return errSaid
	}
	if golden == "" {
		return nil
	}
	differ, err := report.Golden(golden, rewrite)
	if err != nil {
		return err
	}
	for _, d := range differ {
		fmt.Fprintln(c.ErrOrStderr(), d)
	}
	if len(differ) > 0 {
		return errSaid
	}
	return nil
}

type testTaskRecord struct {
	Module     string           `json:"module"`
	Lab        string           `json:"lab"`
	Task       string           `json:"task"`
	Repetition int              `json:"repetition"`
	Held       bool             `json:"held"`
	Seconds    float64          `json:"seconds"`
	Steps      []testStepRecord `json:"steps"`
}

type testStepRecord struct {
	Step    string      `json:"step"`
	Result  labs.Result `json:"result"`
	Printed string      `json:"printed,omitempty"` // by the evidence
	Seconds float64     `json:"seconds"`
	Faults  []string    `json:"faults,omitempty"`
}

func testRecord(r *labtest.Report) any {
	tasks := []testTaskRecord{}
	for _, t := range r.Tasks {
		record := testTaskRecord{t.Module, t.Lab, t.Task, t.Repetition, t.Held(), t.Took.Seconds(), nil}
		for _, s := range t.Steps {
			record.Steps = append(record.Steps, testStepRecord{s.Name, s.Result, s.Printed, s.Took.Seconds(), s.Faults})
		}
		tasks = append(tasks, record)
	}
	return map[string]any{"tasks": tasks, "untried": r.Untried, "faults": r.Faults(), "seconds": r.Took.Seconds()}
}

func printTask(c *cobra.Command, t *labtest.Task, verbose bool) {
	w := c.OutOrStdout()
	word := "PASS"
	if !t.Held() {
		word = "FAIL"
	}
	fmt.Fprintf(w, "%s %s, %d steps, %s\n", word, t.Name(), len(t.Steps), t.Took.Round(10*time.Millisecond))
	for _, s := range t.Steps {
		if verbose {
			fmt.Fprintf(w, "     %-20s %-6s %s\n", s.Name, s.Result.Status, s.Result.Message)
			for _, part := range []struct{ name, text string }{
				{"expected", s.Result.Expected}, {"observed", s.Result.Observed}, {"evidence", s.Result.Evidence},
				{"prints", strings.TrimSpace(s.Printed)}, {"hint", s.Result.Hint},
			} {
				if part.text != "" {
					fmt.Fprintf(w, "     %27s %s\n", part.name, strings.ReplaceAll(part.text, "\n", "\n"+strings.Repeat(" ", 33)))
				}
			}
		}
		for _, f := range s.Faults {
			fmt.Fprintf(w, "     %s: %s\n", s.Name, f)
		}
	}
}

// mostTests is how many tests may run on one data folder at a time.
const mostTests = 16

// takeTestData takes the first free folder for tests below data. It has an instance of
// its own, so what a killed test left is found by the next one.
func takeTestData(data string) (*datadir.Dir, error) {
	for n := range mostTests {
		path := filepath.Join(data, "lab-test", strconv.Itoa(n))
		d, err := datadir.Open(path)
		if err == nil {
			return d, nil
		}
		if _, held := datadir.Holder(path); !held {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%d tests run on %s already; wait for one, or choose another folder with --data", mostTests, data)
}
