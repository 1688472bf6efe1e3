package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"sysnerd/config"
	"sysnerd/sandbox/docker"
)

// Kinds of engine.
const (
	Docker = "docker"
	Local  = "local"
)

// pingTime is how long Docker may take to answer before auto takes another engine.
const pingTime = 10 * time.Second

var errNoRuntime = errors.New("the local engine has runc only, since no other takes the socket that its guests listen on; use Docker (--engine docker) or leave the setting runtime empty")

// ChooseEngine says which engine runs the sandboxes, and why: the one that is named, or
// for auto Docker where it answers, else the local one, which needs root.
func ChooseEngine(ctx context.Context, cfg *config.Config) (kind, why string, err error) {
	switch cfg.Engine {
	case Docker:
		return Docker, "it is what the setting engine names", nil
	case Local:
		if cfg.Runtime != "" {
			return "", "", errNoRuntime
		}
		if os.Geteuid() != 0 {
			return "", "", errors.New("engine local needs root, whose helper runs the sandboxes while the pages run as an ordinary user; start it by sudo, or use Docker (--engine docker)")
		}
		return Local, "it is what the setting engine names", nil
	}
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	host, err := docker.Ping(ctx, cfg.Docker.Host)
	switch {
	case err == nil:
		return Docker, "a Docker Engine answers at " + host, nil
	case cfg.Docker.Host != "", os.Getenv("DOCKER_HOST") != "":
		return "", "", err // it was named, so another is not meant
	case cfg.Runtime != "":
		return "", "", fmt.Errorf("%w: %w", errNoRuntime, err)
	case os.Geteuid() == 0:
		return Local, "no Docker Engine answers at " + host + ", and it needs none", nil
	}
	return "", "", fmt.Errorf("%w; or start it by sudo, and no Docker is needed", err)
}
