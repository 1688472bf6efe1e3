package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"sysnerd/config"
	"sysnerd/images"
	"sysnerd/sandbox/docker"
)

// OpenEngine opens the engine that the configuration names.
func OpenEngine(ctx context.Context, cfg *config.Config, instance string, log *slog.Logger) (*docker.Engine, error) {
	if cfg.Engine == "local" {
		return nil, errors.New("engine local is not built yet; use docker or auto")
	}
	return docker.Open(ctx, docker.Config{Instance: instance, Host: cfg.Docker.Host, Log: log})
}

// Sweep removes every sandbox of an instance that no server has any more, and says
// how many there were.
func Sweep(ctx context.Context, cfg *config.Config, instance string, log *slog.Logger) (removed int, err error) {
	engine, err := OpenEngine(ctx, cfg, instance, log)
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

// FindImage returns the id of the current sandbox image.
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
