package sandbox

import (
	"context"
	"fmt"
	"time"
)

const (
	// proofLasts is how long it counts that a sandbox could be had.
	proofLasts = 30 * time.Second
	// proofPause is how long it counts that none could.
	proofPause = 5 * time.Second
	// proofLab is the lab of a sandbox that is started for a proof alone.
	proofLab = "sysnerd/proof"
)

// proof is when it was last seen whether sandboxes can be had. The time and the
// error are under Keeper.mu.
type proof struct {
	turn chan struct{} // room for one: who holds it looks
	last time.Time
	err  error
}

// Prove says whether who claims a sandbox now gets one that works: one was started
// or answered within the last 30 s, or else does now. With no warm one at hand it
// starts one and removes it. When all are in use, it proves nothing and says nothing.
func (k *Keeper) Prove(ctx context.Context) error {
	select {
	case k.proof.turn <- struct{}{}:
		defer func() { <-k.proof.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	k.mu.Lock()
	age, err := time.Since(k.proof.last), k.proof.err
	var warm *Sandbox
	if len(k.pool.ready) > 0 {
		warm = k.pool.ready[0].s
	}
	full := !k.fits(DefaultLimits().most())
	k.mu.Unlock()
	switch {
	case age < proofLasts && err == nil, age < proofPause:
		return err
	case warm != nil:
		if err = warm.probe(ctx); err != nil {
			err = fmt.Errorf("probe sandbox %s: %w", warm.ID(), err)
		}
	case full:
		return nil
	default:
		err = k.startOne(ctx)
	}
	k.mu.Lock()
	k.proof.last, k.proof.err = time.Now(), err
	k.mu.Unlock()
	return err
}

// startOne starts a sandbox and removes it.
func (k *Keeper) startOne(ctx context.Context) error {
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		return errClosed
	}
	uid, err := k.uids.take(time.Now())
	k.mu.Unlock()
	if err != nil {
		return err
	}
	s, err := k.start(ctx, Spec{Lab: proofLab, UID: uid, Expires: time.Now().Add(startTimeout), Limits: DefaultLimits()}, "")
	if err != nil {
		return err
	}
	defer k.discard(s)
	return s.probe(ctx)
}
