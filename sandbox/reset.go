package sandbox

import (
	"context"
	"fmt"

	"sysnerd/sandbox/link"
)

// Reset brings a sandbox back to its lab's initial state: every process of the
// learner ended, home and /tmp wiped, the memory limit where it began, Prepare run again. The id stays. A guest
// that does not manage it in time is replaced, with its container.
func (k *Keeper) Reset(ctx context.Context, id string) error {
	e, err := k.find(id)
	if err != nil {
		return err
	}
	if err := e.take(ctx); err != nil {
		return err
	}
	defer e.release()
	wipe, cancel := context.WithTimeout(ctx, wipeTimeout)
	err = e.s.kill(wipe, link.Kill{Wipe: true})
	cancel()
	if start := e.claim.Limits.Memory; err == nil && e.s.Limits().Memory != start {
		err = e.s.setMemory(ctx, start)
	}
	if err != nil {
		k.log.Warn("guest cannot reset; replacing its sandbox", "sandbox", id, "err", err)
		if err := k.replace(ctx, e); err != nil {
			return fmt.Errorf("reset sandbox %s: %w", id, err)
		}
	}
	e.s.mu.Lock()
	e.s.gen++
	e.s.mu.Unlock()
	e.s.journal.Clear()
	if err := k.prepare(ctx, e); err != nil {
		return fmt.Errorf("reset sandbox %s: prepare: %w", id, err)
	}
	return nil
}

// replace puts a new container in the place of the old one, under the same id.
func (k *Keeper) replace(ctx context.Context, e *entry) error {
	s := e.s
	select {
	case <-s.Done():
		return ErrNotRunning
	default:
	}
	live, cancel := s.Subscribe()
	defer cancel()
	s.mu.Lock()
	s.replacing = true
	spec := s.spec
	s.mu.Unlock()
	spec.Limits = e.claim.Limits
	defer func() {
		s.mu.Lock()
		s.replacing = false
		s.mu.Unlock()
	}()
	if err := k.cfg.Engine.Remove(ctx, spec.ID); err != nil {
		return err
	}
	if err := k.cfg.Engine.Create(ctx, spec); err != nil {
		return err
	}
	s.limited(spec.Limits)
	for {
		select {
		case ev, ok := <-live:
			if !ok {
				return ErrNotRunning
			}
			if ev.State != nil && *ev.State == Live {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
