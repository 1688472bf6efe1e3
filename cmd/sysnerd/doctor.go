package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"sysnerd/cmd/sysnerd/doctor"
	"sysnerd/config"
)

func newDoctor() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say whether this machine can do it, and what cures what is in the way",
		Long: `Say whether this machine can do it, and what cures what is in the way. A sandbox is
started for it, and removed. It exits with 1 when serve would not work.`,
		Example: `  sysnerd doctor
  sysnerd doctor --json`,
		Args: cobra.NoArgs,
	}
	config.AddFlags(c.Flags())
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := config.Load(c.Flags())
		if err != nil {
			return err
		}
		if err := pointDockerAt(cfg.Docker.Host); err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		findings := doctor.Examine(ctx, cfg, slog.New(slog.DiscardHandler))
		if *asJSON {
			err = printJSON(c.OutOrStdout(), findings)
		} else {
			err = printFindings(c.OutOrStdout(), findings)
		}
		if err == nil && doctor.Worst(findings) == doctor.Fail {
			err = errSaid
		}
		return err
	}
	return c
}

func printFindings(w io.Writer, findings []doctor.Finding) error {
	verdict := map[doctor.Level]string{
		doctor.OK:   "All is well: sysnerd serve",
		doctor.Warn: "It will work; see the warnings: sysnerd serve",
		doctor.Fail: "It will not work yet; see what failed, and its cure",
	}
	for _, f := range findings {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", verdict[doctor.Worst(findings)])
	return err
}
