package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"sysnerd/sandbox"
)

// Update changes memory, CPU time and process slots of a running container.
// The sizes of its tmpfs stay.
func (e *Engine) Update(ctx context.Context, id string, limits sandbox.Limits) error {
	if err := e.update(ctx, id, limits); err != nil {
		return fmt.Errorf("update sandbox %s: %w", id, err)
	}
	return nil
}

func (e *Engine) update(ctx context.Context, id string, limits sandbox.Limits) error {
	if err := limits.Check(); err != nil {
		return err
	}
	ctx, cancel := withDeadline(ctx, changeDeadline)
	defer cancel()
	c, err := e.find(ctx, id)
	if err != nil {
		return err
	}
	if !c.running {
		return sandbox.ErrNotRunning
	}
	// cgroup v2 takes a limit below what is in use, and kills. v1 refuses it, but
	// only when the kernel has nothing left to take back: programs that read their
	// files in again meanwhile keep it at that for many seconds.
	if used, err := e.inUse(ctx, c.container); err != nil {
		return err
	} else if used > limits.Memory {
		return fmt.Errorf("%w: %d bytes of memory", sandbox.ErrLimitBelowUse, used)
	}
	_, err = e.api.ContainerUpdate(ctx, c.container, container.UpdateConfig{Resources: resources(limits)})
	switch {
	case err == nil:
		return nil
	case errdefs.IsNotFound(err):
		return sandbox.ErrNotFound
	case busy(err):
		return fmt.Errorf("%w: the kernel could not bring memory below %d bytes", sandbox.ErrLimitBelowUse, limits.Memory)
	case strings.Contains(err.Error(), "not running"):
		return sandbox.ErrNotRunning
	}
	return explain(ctx, err)
}

// busy says whether an update failed because the memory is in use: by the
// kernel's EBUSY, or by what runc makes of it.
func busy(err error) bool {
	text := err.Error()
	return strings.Contains(text, "device or resource busy") ||
		strings.Contains(text, "unable to set memory limit") && strings.Contains(text, "current usage")
}

// inUse is the memory of a container that the kernel could not take back.
func (e *Engine) inUse(ctx context.Context, containerID string) (int64, error) {
	resp, err := e.api.ContainerStatsOneShot(ctx, containerID)
	if err != nil {
		return 0, explain(ctx, err)
	}
	defer resp.Body.Close()
	var stats container.StatsResponse
	if err := json.NewDecoder(resp.Body).Decode(&stats); err != nil {
		return 0, fmt.Errorf("read statistics: %w", err)
	}
	m := stats.MemoryStats
	return int64(m.Usage) - int64(m.Stats["inactive_file"]) - int64(m.Stats["active_file"]), nil
}
