package local

import (
	"context"
	"fmt"
	"os"

	"sysnerd/sandbox"
)

// List reports every sandbox whose start was finished, from folders and processes.
func (e *Engine) List(ctx context.Context) ([]sandbox.Listed, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list sandboxes: %w", err)
	}
	entries, err := os.ReadDir(e.dir)
	if err != nil {
		return nil, fmt.Errorf("list sandboxes: %w: %v", sandbox.ErrUnavailable, err)
	}
	var list []sandbox.Listed
	for _, entry := range entries {
		f, err := e.find(entry.Name())
		if err != nil {
			continue // not finished, not ours, or gone; the sweep sees to it
		}
		list = append(list, sandbox.Listed{ID: f.ID, Lab: f.Lab, UID: f.UID, Expires: f.Expires, Running: e.running(f)})
	}
	return list, nil
}
