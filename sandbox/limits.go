package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var (
	// ErrLimitFixed says that the memory limit of a sandbox may not be moved.
	ErrLimitFixed = errors.New("memory limit is fixed")
	// ErrLimitRange says that a memory limit is outside of the range in which it may be moved.
	ErrLimitRange = errors.New("memory limit is outside of its range")
)

// realTime bounds how long the kernel may be asked for the limit in force.
const realTime = 2 * time.Second

// SetMemory moves the memory limit of a running sandbox, in bytes, within what its
// Limits allow, and tells all who subscribed. The kernel counts in pages, and so
// does the limit. A limit below what is in use is refused, and nothing is changed.
// Errors: ErrNotFound, ErrLimitFixed, ErrLimitRange, ErrLimitBelowUse, those of Engine.Update.
func (k *Keeper) SetMemory(ctx context.Context, id string, memory int64) error {
	e, err := k.find(id)
	if err != nil {
		return err
	}
	if err := e.take(ctx); err != nil {
		return err
	}
	defer e.release()
	l := e.s.Limits()
	memory -= memory % 4096
	switch {
	case l.MemoryHigh == 0:
		return ErrLimitFixed
	case memory < l.MemoryLow, memory > l.MemoryHigh:
		return fmt.Errorf("%w: %d bytes, want %d to %d", ErrLimitRange, memory, l.MemoryLow, l.MemoryHigh)
	}
	return e.s.setMemory(ctx, memory)
}

// setMemory has the engine change the limit. After a failure what counts is the
// limit that the kernel has then, and the one before is set again if it is another.
func (s *Sandbox) setMemory(ctx context.Context, memory int64) error {
	before := s.Limits()
	l := before
	l.Memory = memory
	err := s.engine.Update(ctx, s.ID(), l)
	if err == nil {
		s.limited(l)
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	if real, ok := s.realMemory(ctx); ok && real != before.Memory {
		if undo := s.engine.Update(ctx, s.ID(), before); undo != nil {
			l.Memory = real
			s.limited(l)
			err = fmt.Errorf("%w; and the limit of before: %w", err, undo)
		}
	}
	return fmt.Errorf("set memory limit of sandbox %s to %d bytes: %w", s.ID(), memory, err)
}

// limited notes limits that are in force, and tells of them.
func (s *Sandbox) limited(l Limits) {
	s.mu.Lock()
	changed := s.spec.Limits != l
	s.spec.Limits = l
	s.mu.Unlock()
	if changed {
		s.emit(Event{Limits: &l})
	}
}

// realMemory asks inside for the limit in force, in bytes. Not ok when nobody
// answers, or when it can't be this sandbox's own, as on an engine without limits.
func (s *Sandbox) realMemory(ctx context.Context) (limit int64, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, realTime)
	defer cancel()
	sample, err := s.Sample(ctx)
	l := s.Limits()
	return sample.Memory.Limit, err == nil && l.MemoryLow <= sample.Memory.Limit && sample.Memory.Limit <= l.MemoryHigh
}
