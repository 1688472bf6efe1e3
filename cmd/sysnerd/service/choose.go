package service

import (
	"context"
	"fmt"
	"os"
	"time"

	"sysnerd/config"
	"sysnerd/sandbox/docker"
	"sysnerd/sandbox/local"
)

// Kinds of engine.
const (
	Docker = "docker"
	Local  = "local"
)

// pingTime is how long Docker may take to answer before auto takes another engine.
const pingTime = 10 * time.Second

// ChooseEngine says which engine runs the sandboxes, and why: the one that is named, or
// for auto Docker where it answers, else the local one. Whether an ordinary user can run
// that is tried.
func ChooseEngine(ctx context.Context, cfg *config.Config) (kind, why string, err error) {
	switch cfg.Engine {
	case Docker:
		return Docker, "it is what the setting engine names", nil
	case Local:
		if err := checkRootless(ctx); err != nil {
			return "", "", err
		}
		return Local, "it is what the setting engine names", nil
	}
	pinging, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	host, err := docker.Ping(pinging, cfg.Docker.Host)
	switch {
	case err == nil:
		return Docker, "a Docker Engine answers at " + host, nil
	case cfg.Docker.Host != "", os.Getenv("DOCKER_HOST") != "":
		return "", "", err // it was named, so another is not meant
	}
	if rootless := checkRootless(ctx); rootless != nil {
		return "", "", fmt.Errorf("%w; or start it by sudo, and no Docker is needed; without either: %v", err, rootless)
	}
	return Local, "no Docker Engine answers at " + host + ", and it needs none", nil
}

// checkRootless is about ordinary users alone.
func checkRootless(ctx context.Context) error {
	if os.Geteuid() == 0 {
		return nil
	}
	return local.CheckRootless(ctx)
}
