package local

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sysnerd/sandbox"
)

// Update has runc change memory, CPU time and process slots of a running sandbox.
// The sizes of its tmpfs stay.
func (e *Engine) Update(ctx context.Context, id string, limits sandbox.Limits) error {
	if err := e.update(ctx, id, limits); err != nil {
		return fmt.Errorf("update sandbox %.40s: %w", id, err)
	}
	return nil
}

func (e *Engine) update(ctx context.Context, id string, limits sandbox.Limits) error {
	if err := limits.Check(); err != nil {
		return err
	}
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	if _, err := e.find(id); err != nil {
		return err
	}
	giveBack, err := e.turns.take(ctx, id)
	if err != nil {
		return err
	}
	defer giveBack()
	f, err := e.find(id)
	if err != nil {
		return err
	}
	if !e.running(f) {
		return sandbox.ErrNotRunning
	}
	if !slices.Contains(e.cgroups.holds, "memory") {
		return fmt.Errorf("%w: an ordinary user was given no cgroup that limits memory", sandbox.ErrLimitFixed)
	}
	// cgroup v2 takes a limit below what is in use, and kills. v1 refuses it, but may
	// look for long for what it could take back.
	if used, err := e.cgroups.inUse(id); err != nil {
		return err
	} else if used > limits.Memory {
		return fmt.Errorf("%w: %d bytes of memory", sandbox.ErrLimitBelowUse, used)
	}
	wanted := e.resources(limits)
	wanted.Devices = nil // they stay
	err = e.runc.Update(ctx, id, wanted)
	switch {
	case err == nil:
		return nil
	case busy(err):
		return fmt.Errorf("%w: the kernel could not bring memory below %d bytes", sandbox.ErrLimitBelowUse, limits.Memory)
	case !e.running(f):
		return sandbox.ErrNotRunning
	case ctx.Err() != nil:
		return ctx.Err()
	case e.underGVisor(): // runsc raises memory before memory and swap together, which v1 refuses
		return fmt.Errorf("%w: %v", sandbox.ErrLimitFixed, err)
	}
	return fmt.Errorf("%w: %v", sandbox.ErrUnavailable, err)
}

// busy says whether an update failed because the memory is in use: by the
// kernel's EBUSY, or by what runc makes of it.
func busy(err error) bool {
	text := err.Error()
	return strings.Contains(text, "device or resource busy") ||
		strings.Contains(text, "unable to set memory limit") && strings.Contains(text, "current usage")
}
