package docker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"sysnerd/sandbox"
)

// List reports every sandbox of this instance.
func (e *Engine) List(ctx context.Context) ([]sandbox.Listed, error) {
	ctx, cancel := withDeadline(ctx, askDeadline)
	defer cancel()
	all, err := e.api.ContainerList(ctx, container.ListOptions{
		All:     true,
		Filters: filters.NewArgs(filters.Arg("label", labelInstance+"="+e.cfg.Instance)),
	})
	if err != nil {
		return nil, fmt.Errorf("list sandboxes: %w", explain(ctx, err))
	}
	var list []sandbox.Listed
	for _, c := range all {
		if len(c.Names) == 0 {
			continue // it is going away
		}
		id, ok := e.ours(c.Names[0], c.Labels)
		if !ok {
			continue
		}
		// A label that can't be read leaves its zero value, which a Keeper takes for expired.
		uid, _ := strconv.Atoi(c.Labels[labelUID])
		expires, _ := time.Parse(time.RFC3339, c.Labels[labelExpires])
		list = append(list, sandbox.Listed{
			ID:      id,
			Lab:     c.Labels[labelLab],
			UID:     uid,
			Expires: expires,
			Running: c.State == container.StateRunning,
		})
	}
	return list, nil
}

// Remove kills and removes the container of a sandbox, and returns when it is gone.
func (e *Engine) Remove(ctx context.Context, id string) error {
	ctx, cancel := withDeadline(ctx, changeDeadline)
	defer cancel()
	c, err := e.find(ctx, id)
	if errors.Is(err, sandbox.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = e.removeContainer(ctx, c.container)
	}
	if err != nil {
		return fmt.Errorf("remove sandbox %s: %w", id, err)
	}
	return nil
}

// removedPause is how long to wait before asking again whether somebody else has removed
// a container.
const removedPause = 20 * time.Millisecond

func (e *Engine) removeContainer(ctx context.Context, containerID string) error {
	for {
		err := e.api.ContainerRemove(ctx, containerID, container.RemoveOptions{Force: true, RemoveVolumes: true})
		switch {
		case errdefs.IsNotFound(err):
			return nil
		case !errdefs.IsConflict(err):
			return explain(ctx, err)
		}
		// Somebody else is removing it. The API's wait for that may never be answered: an
		// engine makes a new channel when it has told that a container is gone, and whoever
		// begins to wait in that moment waits on the new one, moby#34999, dockerode#596.
		select {
		case <-time.After(removedPause):
		case <-ctx.Done():
			return explain(ctx, ctx.Err())
		}
	}
}
