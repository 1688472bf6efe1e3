package main

import (
	"context"
	"io"
	"log/slog"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"sysnerd/cmd/sysnerd/service"
	"sysnerd/config"
)

func newServe() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the course",
		Long: `Serve the course until told to stop by Ctrl-C or SIGTERM. Sandboxes live on, and
the next serve on the same data folder finds them again.`,
		Example: `  sysnerd serve
  sysnerd serve --listen 0.0.0.0:8080 --url https://labs.example.org
  sysnerd serve --labs ./labs --watch   # pages follow what you write`,
		Args: cobra.NoArgs,
	}
	config.AddFlags(c.Flags())
	watch := c.Flags().Bool("watch", false, "read the folder of labs again when it changes, and have pages show it")
	c.RunE = func(c *cobra.Command, _ []string) error {
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
		ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
		// After the first signal the next one has its usual, immediate effect.
		context.AfterFunc(ctx, stop)
		defer stop()
		return service.Run(ctx, cfg, *watch, c.OutOrStdout(), log)
	}
	return c
}

func newLog(cfg config.Log, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
