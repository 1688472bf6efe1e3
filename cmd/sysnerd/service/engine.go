package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"sysnerd/config"
	"sysnerd/images"
	"sysnerd/sandbox/docker"
	"sysnerd/sandbox/local"
	"sysnerd/sandbox/privsep"
)

// Engine is an engine that knows its image.
type Engine = privsep.Opened

// OpenEngine opens the engine of that kind, docker or local, in this process.
func OpenEngine(ctx context.Context, kind string, cfg *config.Config, instance string, log *slog.Logger) (Engine, error) {
	if kind == Local {
		places := localPlaces(instance, log)
		places.Runtime = cfg.Runtime
		e, err := local.OpenNext(ctx, places)
		if err != nil {
			return nil, err
		}
		return onLocal{e}, nil
	}
	e, err := docker.Open(ctx, docker.Config{Instance: instance, Host: cfg.Docker.Host, Runtime: cfg.Runtime, Log: log})
	if err != nil {
		return nil, err
	}
	return onDocker{e}, nil
}

// onDocker is a Docker Engine with the image that was built for it.
type onDocker struct{ *docker.Engine }

func (onDocker) Image(ctx context.Context) (string, error) {
	b, err := images.New(ctx)
	if err != nil {
		return "", err
	}
	return findImage(ctx, b, "sysnerd image build")
}

// onLocal is the local engine with the image that was built for it.
type onLocal struct{ *local.Engine }

func (onLocal) Image(ctx context.Context) (string, error) {
	l, err := images.NewLocal(LocalImages())
	if err != nil {
		return "", err
	}
	return findImage(ctx, l, "sysnerd image build --engine local")
}

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

// findImage returns the id of the current sandbox image in an engine's store, which it
// closes. build is the command that makes one.
func findImage(ctx context.Context, store interface {
	Current(ctx context.Context) (id string, ok bool, err error)
	Close() error
}, build string) (id string, err error) {
	defer store.Close()
	tag, err := images.Tag()
	if err != nil {
		return "", err
	}
	id, ok, err := store.Current(ctx)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fmt.Errorf("sandbox image %s is not built; run: %s", tag, build)
	}
	return id, nil
}
