package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	runc "github.com/containerd/go-runc"

	"sysnerd/sandbox"
)

// Remove ends a sandbox and removes all of it, whatever a crash has left of it.
func (e *Engine) Remove(ctx context.Context, id string) error {
	if sandbox.CheckID(id) != nil {
		return nil
	}
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	giveBack, err := e.turns.take(ctx, id)
	if err == nil {
		defer giveBack()
		err = e.clear(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("remove sandbox %s: %w", id, err)
	}
	return nil
}

// clear removes what there is of a sandbox: its processes, runc's state, its cgroups
// and, last, its folder. Whoever calls it has the sandbox's turn.
func (e *Engine) clear(ctx context.Context, id string) error {
	if e.foreign(id) {
		return nil
	}
	folder := e.folder(id)
	if f, err := e.find(id); err == nil && f.pid.boot == e.booted {
		// The kernel ends all of a PID namespace with its PID 1.
		if err := f.pid.kill(ctx); err != nil {
			return err
		}
	} else {
		e.cgroups.kill(id)
	}
	e.attached.forget(id)
	states, _ := filepath.Glob(filepath.Join(e.runc.Root, "*"+id+"*")) // see stateID
	if len(states) > 0 {
		if err := e.runc.Delete(ctx, id, nil); err != nil {
			err = e.runc.Delete(ctx, id, &runc.DeleteOpts{Force: true}) // cut off in the middle of its start
			if err != nil {
				return fmt.Errorf("%w: %v", sandbox.ErrUnavailable, err)
			}
		}
		for _, left := range states { // of a start that was cut off
			if err := os.RemoveAll(left); err != nil {
				return err
			}
		}
	}
	if err := e.cgroups.remove(ctx, id); err != nil {
		return err
	}
	return os.RemoveAll(folder)
}

// foreign says whether a folder of that id tells that it is somebody else's.
func (e *Engine) foreign(id string) bool {
	text, err := os.ReadFile(filepath.Join(e.folder(id), recordName))
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	var r record
	return err == nil && json.Unmarshal(text, &r) == nil && (r.Instance != e.cfg.Instance || r.ID != id)
}
