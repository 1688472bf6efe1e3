package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"sysnerd/sandbox"
)

// tend sweeps now and then until the engine is closed.
func (e *Engine) tend(ctx context.Context) {
	tick := time.NewTicker(sweepPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := e.sweep(ctx); err != nil && ctx.Err() == nil {
				e.cfg.Log.Warn("sweep of local sandboxes", "instance", e.cfg.Instance, "error", err)
			}
		}
	}
}

// sweep removes every sandbox of this instance whose start was cut off. A whole one
// stays, also when it has ended: that is the business of whoever made it.
func (e *Engine) sweep(ctx context.Context) error {
	var ids []string
	for _, dir := range []string{e.dir, e.runc.Root} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("%w: %v", sandbox.ErrUnavailable, err)
		}
		for _, entry := range entries {
			if id := stateID(entry.Name()); sandbox.CheckID(id) == nil {
				ids = append(ids, id)
			}
		}
	}
	grouped, err := e.cgroups.ids()
	if err != nil {
		return fmt.Errorf("%w: %v", sandbox.ErrUnavailable, err)
	}
	ids = append(ids, grouped...)
	slices.Sort(ids)
	var wrong []error
	for _, id := range slices.Compact(ids) {
		wrong = append(wrong, e.sweepOne(ctx, id))
	}
	return errors.Join(wrong...)
}

func (e *Engine) sweepOne(ctx context.Context, id string) error {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	giveBack, err := e.turns.take(ctx, id) // and so wait for a start under way
	if err != nil {
		return err
	}
	defer giveBack()
	if _, err := e.find(id); err == nil || e.foreign(id) {
		return nil
	}
	if err := e.clear(ctx, id); err != nil {
		return fmt.Errorf("remove what was left of sandbox %s: %w", id, err)
	}
	return nil
}

// endStrangers ends every runc that works on this instance's sandboxes. Whoever has
// just locked the instance has started none: they are of a process that was killed,
// and would go on making what nobody knows of.
func (e *Engine) endStrangers(ctx context.Context) error {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return fmt.Errorf("%w: %v", sandbox.ErrUnavailable, err)
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		ours := func() bool { return e.works(pid) }
		if !ours() {
			continue
		}
		if err := killIf(ctx, pid, ours); err != nil {
			return err
		}
	}
	return nil
}

// works says whether a process is a runc with this instance's state: go-runc names
// that in the arguments.
func (e *Engine) works(pid int) bool {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return false
	}
	args := bytes.Split(line, []byte{0})
	i := slices.IndexFunc(args, func(a []byte) bool { return string(a) == "--root" })
	return i > 0 && i+1 < len(args) && string(args[i+1]) == e.runc.Root && filepath.Base(string(args[0])) == filepath.Base(e.runc.Command)
}
