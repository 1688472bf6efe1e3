package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"sysnerd/config"
	"sysnerd/images"
	"sysnerd/sandbox/docker"
	"sysnerd/sandbox/privsep"
)

// Engine is an engine that knows its image.
type Engine = privsep.Opened

// ErrNoLocal says that there is no local engine yet.
var ErrNoLocal = errors.New("engine local is not built yet; use docker or auto")

// OpenEngine opens the engine of that kind, docker or local, in this process.
func OpenEngine(ctx context.Context, kind string, cfg *config.Config, instance string, log *slog.Logger) (Engine, error) {
	if kind == Local {
		return nil, ErrNoLocal
	}
	e, err := docker.Open(ctx, docker.Config{Instance: instance, Host: cfg.Docker.Host, Log: log})
	if err != nil {
		return nil, err
	}
	return onDocker{e}, nil
}

// onDocker is a Docker Engine with the image that was built for it.
type onDocker struct{ *docker.Engine }

func (onDocker) Image(ctx context.Context) (string, error) { return FindImage(ctx) }

// Sweep removes every sandbox of an instance that no server has any more, and says
// how many there were.
func Sweep(ctx context.Context, cfg *config.Config, instance string, log *slog.Logger) (removed int, err error) {
	kind, _, err := ChooseEngine(ctx, cfg)
	if err != nil {
		return 0, err
	}
	engine, err := OpenEngine(ctx, kind, cfg, instance, log)
	if err != nil {
		return 0, err
	}
	defer closing(&err, engine.Close)
	left, err := engine.List(ctx)
	if err != nil {
		return 0, err
	}
	for _, l := range left {
		if gone := engine.Remove(ctx, l.ID); gone != nil {
			err = errors.Join(err, gone)
			continue
		}
		removed++
	}
	return removed, err
}

// FindImage returns the id of the current sandbox image on Docker.
func FindImage(ctx context.Context) (id string, err error) {
	tag, err := images.Tag()
	if err != nil {
		return "", err
	}
	b, err := images.New(ctx)
	if err != nil {
		return "", err
	}
	defer b.Close()
	id, ok, err := b.Current(ctx)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fmt.Errorf("sandbox image %s is not built; run: sysnerd image build", tag)
	}
	return id, nil
}
