package docker

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/strslice"

	"sysnerd/sandbox"
)

// Labels of our containers. Only labelInstance decides; the others inform.
const (
	labelInstance = "sysnerd.instance"
	labelSandbox  = "sysnerd.sandbox"
	labelLab      = "sysnerd.lab"
	labelExpires  = "sysnerd.expires"
	labelUID      = "sysnerd.uid"
)

func (e *Engine) name(id string) string { return "sysnerd-" + e.cfg.Instance + "-" + id }

// Create makes and starts the container of spec.
//
// The engine finishes a create whose client has left, and the container would
// stay. So Create outwaits a cancelled context there, for 30 seconds at most,
// and then removes what it made.
func (e *Engine) Create(ctx context.Context, spec sandbox.Spec) error {
	if err := e.create(ctx, spec); err != nil {
		return fmt.Errorf("create sandbox %.40s: %w", spec.ID, err)
	}
	return nil
}

func (e *Engine) create(ctx context.Context, spec sandbox.Spec) error {
	if err := spec.Check(); err != nil {
		return err
	}
	if spec.Instance != e.cfg.Instance {
		return fmt.Errorf("instance is %q, this engine serves %q", spec.Instance, e.cfg.Instance)
	}
	ctx, cancel := withDeadline(ctx, changeDeadline)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}

	outwait, stop := context.WithTimeout(context.WithoutCancel(ctx), changeDeadline)
	defer stop()
	cfg, host := e.describe(spec)
	made, err := e.api.ContainerCreate(outwait, cfg, host, nil, nil, e.name(spec.ID))
	switch {
	case errdefs.IsConflict(err):
		return sandbox.ErrExists
	case errdefs.IsNotFound(err):
		return fmt.Errorf("%w: the engine has no %s; build it with: make image", sandbox.ErrImageMissing, spec.Image)
	case err != nil:
		return explain(outwait, err)
	}
	if err = ctx.Err(); err == nil {
		err = explain(ctx, e.api.ContainerStart(ctx, made.ID, container.StartOptions{}))
	}
	if err != nil {
		if removeErr := e.removeContainer(outwait, made.ID); removeErr != nil {
			return fmt.Errorf("%w; and its container %.12s could not be removed: %v", err, made.ID, removeErr)
		}
	}
	return err
}

// describe is the default profile in Docker's words.
func (e *Engine) describe(spec sandbox.Spec) (*container.Config, *container.HostConfig) {
	p := spec.Profile()
	stopTimeout := 1
	cfg := &container.Config{
		Image:       spec.Image,
		Hostname:    p.Hostname,
		User:        "0:0",
		WorkingDir:  "/",
		Env:         p.Env,
		Entrypoint:  strslice.StrSlice(p.Command),
		Cmd:         strslice.StrSlice{},
		Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
		StopTimeout: &stopTimeout,
		OpenStdin:   true, // and not StdinOnce: a client that leaves must not end it
		Labels: map[string]string{
			labelInstance: spec.Instance,
			labelSandbox:  spec.ID,
			labelLab:      spec.Lab,
			labelExpires:  spec.Expires.UTC().Format(time.RFC3339),
			labelUID:      strconv.Itoa(spec.UID),
		},
	}
	noInit := false
	host := &container.HostConfig{
		NetworkMode: "none",
		// Without a network nothing is asked; this keeps the host's name servers out of sight.
		DNS: []string{"127.0.0.1"}, DNSSearch: []string{"."},
		IpcMode:        container.IPCModePrivate,
		CgroupnsMode:   container.CgroupnsModePrivate,
		ReadonlyRootfs: true,
		CapDrop:        strslice.StrSlice{"ALL"},
		CapAdd:         strslice.StrSlice(p.Capabilities),
		SecurityOpt:    []string{"no-new-privileges", "seccomp=" + p.Seccomp},
		MaskedPaths:    p.MaskedPaths,
		ReadonlyPaths:  p.ReadonlyPaths,
		LogConfig:      container.LogConfig{Type: "none"}, // json-file would fill the host's disk
		RestartPolicy:  container.RestartPolicy{Name: container.RestartPolicyDisabled},
		Tmpfs:          map[string]string{},
		Runtime:        e.cfg.Runtime,
		Init:           &noInit,
		Resources:      resources(spec.Limits),
	}
	if e.cfg.AppArmor != "" {
		host.SecurityOpt = append(host.SecurityOpt, "apparmor="+e.cfg.AppArmor)
	}
	for _, t := range p.Tmpfs {
		host.Tmpfs[t.Path] = t.Options()
		if t.Path == "/dev/shm" {
			host.ShmSize = t.Size
		}
	}
	for _, u := range p.Ulimits {
		host.Ulimits = append(host.Ulimits, &container.Ulimit{Name: u.Name, Soft: u.Soft, Hard: u.Hard})
	}
	return cfg, host
}

func resources(l sandbox.Limits) container.Resources {
	pids := int64(l.Processes)
	return container.Resources{
		Memory:     l.Memory,
		MemorySwap: l.Memory, // the sum of both, so no swap
		NanoCPUs:   int64(l.CPUs * 1e9),
		PidsLimit:  &pids,
	}
}

// ours says which sandbox of this instance a container is. Name and labels
// must agree, so that a stray label makes no container ours.
func (e *Engine) ours(name string, labels map[string]string) (id string, ok bool) {
	id = labels[labelSandbox]
	ok = labels[labelInstance] == e.cfg.Instance && sandbox.CheckID(id) == nil &&
		strings.TrimPrefix(name, "/") == e.name(id)
	return id, ok
}

// found is the container of a sandbox.
type found struct {
	container string // the engine's id: it can't come to mean another one
	running   bool
	pid       int // of PID 1 where the engine is
}

// find looks a sandbox up. Errors: ErrNotFound, ErrUnavailable.
func (e *Engine) find(ctx context.Context, id string) (found, error) {
	if err := sandbox.CheckID(id); err != nil {
		return found{}, fmt.Errorf("%w: %v", sandbox.ErrNotFound, err)
	}
	c, err := e.api.ContainerInspect(ctx, e.name(id))
	if errdefs.IsNotFound(err) {
		return found{}, sandbox.ErrNotFound
	}
	if err != nil {
		return found{}, explain(ctx, err)
	}
	if got, ok := e.ours(c.Name, c.Config.Labels); !ok || got != id {
		return found{}, fmt.Errorf("%w: the container %s is not of this instance", sandbox.ErrNotFound, e.name(id))
	}
	return found{c.ID, c.State.Running, c.State.Pid}, nil
}
