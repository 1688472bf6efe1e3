package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"sysnerd/cmd/sysnerd/privilege"
	"sysnerd/cmd/sysnerd/service"
	"sysnerd/config"
	"sysnerd/sandbox/privsep"
)

// newEngineHelper is started by serve and by nobody else: the process that stays root
// and has Docker's socket, while the pages have neither.
func newEngineHelper() *cobra.Command {
	c := &cobra.Command{Use: "engine-helper", Hidden: true, Args: cobra.NoArgs}
	cfg := new(config.Config)
	instance := c.Flags().String("instance", "", "whose sandboxes it runs")
	kind := c.Flags().String("engine", service.Docker, "what runs them: docker or local")
	c.Flags().StringVar(&cfg.Docker.Host, "docker-host", "", "where the Docker Engine listens")
	c.Flags().TextVar(&cfg.Log.Level, "log-level", cfg.Log.Level, "what is logged")
	c.Flags().StringVar(&cfg.Log.Format, "log-format", "text", "how it is logged")
	c.RunE = func(c *cobra.Command, _ []string) error {
		log := newLog(cfg.Log, c.ErrOrStderr())
		return privsep.Run(*instance, log, func(ctx context.Context) (privsep.Opened, error) {
			if err := pointDockerAt(cfg.Docker.Host); err != nil {
				return nil, err
			}
			return service.OpenEngine(ctx, *kind, cfg, *instance, log)
		})
	}
	return c
}

// helperArgs is the command line of a helper.
func helperArgs(cfg *config.Config, kind, instance string) []string {
	level, _ := cfg.Log.Level.MarshalText() // has no error
	return []string{os.Args[0], "engine-helper", "--instance=" + instance, "--engine=" + kind, "--docker-host=" + cfg.Docker.Host,
		"--log-level=" + string(level), "--log-format=" + cfg.Log.Format}
}

// partedEngine is an engine whose helper is waited for when it is closed.
type partedEngine struct {
	*privsep.Engine
	helper *privilege.Helper
}

func openParted(ctx context.Context, p *privilege.Parted) (*partedEngine, error) {
	conn, err := p.Helper.Conn()
	if err != nil {
		return nil, err
	}
	e, err := privsep.Connect(ctx, conn, p.Data.Instance)
	if err != nil {
		_ = p.Helper.Wait() // it has said why
		return nil, err
	}
	return &partedEngine{e, p.Helper}, nil
}

// Close ends the helper and waits until it has.
func (e *partedEngine) Close() error {
	return errors.Join(e.Engine.Close(), e.helper.Wait())
}
