package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"sysnerd/cmd/sysnerd/privilege"
	"sysnerd/cmd/sysnerd/service"
	"sysnerd/config"
	"sysnerd/images"
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
	c.Flags().StringVar(&cfg.Runtime, "runtime", "", "OCI runtime by the engine's name for it")
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

// smallHelper is the local engine's helper by itself. It has nothing of the rest of
// sysnerd in it; `make build` puts it beside this program.
const smallHelper = "sysnerd-engine"

// helperOf is the program that runs the sandboxes and stays root, and its command line
// but for the instance: the small one where it lies beside this program and is enough,
// else this program.
func helperOf(cfg *config.Config, kind string) (program string, args []string, err error) {
	level, _ := cfg.Log.Level.MarshalText() // has no error
	logging := []string{"--log-level=" + string(level), "--log-format=" + cfg.Log.Format}
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	if small := filepath.Join(filepath.Dir(self), smallHelper); kind == service.Local && unix.Access(small, unix.X_OK) == nil {
		tag, err := images.Tag()
		if err != nil {
			return "", nil, err
		}
		return small, append([]string{small, "--image=" + tag, "--runtime=" + cfg.Runtime}, logging...), nil
	}
	return self, append([]string{self, "engine-helper", "--engine=" + kind, "--docker-host=" + cfg.Docker.Host, "--runtime=" + cfg.Runtime}, logging...), nil
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
