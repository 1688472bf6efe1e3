package sandbox

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Known is what the store remembers of a sandbox across restarts of the server.
type Known struct {
	ID, Owner, Lab string
	Expires        time.Time
	Limits         Limits // at its start
	Memory         int64  // its limit in bytes when last written down; the kernel knows better; 0: as at its start
	Prepare, Admit func(ctx context.Context, s *Sandbox) error
}

// Recover adopts those of known that are alive and unexpired, and removes every
// other sandbox of this instance. It returns the ids that it adopted. It is called
// once, before the first Claim. Errors: those of Engine.List.
func (k *Keeper) Recover(ctx context.Context, known []Known) ([]string, error) {
	listed, err := k.cfg.Engine.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("find sandboxes: %w", err)
	}
	ours := map[string]Known{}
	for _, n := range known {
		ours[n.ID] = n
	}
	var (
		adopted []string
		mu      sync.Mutex
		wg      sync.WaitGroup
	)
	for _, l := range listed {
		n, ok := ours[l.ID]
		wg.Go(func() {
			k.starts <- struct{}{}
			defer func() { <-k.starts }()
			if ok && l.Running && time.Now().Before(n.Expires) {
				err := k.adopt(ctx, l, n)
				if err == nil {
					mu.Lock()
					adopted = append(adopted, l.ID)
					mu.Unlock()
					return
				}
				k.log.Warn("cannot adopt sandbox; removing it", "sandbox", l.ID, "err", err)
			}
			if err := k.cfg.Engine.Remove(ctx, l.ID); err != nil {
				k.log.Warn("cannot remove left-over sandbox", "sandbox", l.ID, "err", err)
			}
		})
	}
	wg.Wait()
	return adopted, nil
}

func (k *Keeper) adopt(ctx context.Context, l Listed, n Known) error {
	spec := Spec{ID: l.ID, Instance: k.cfg.Instance, Lab: n.Lab, Image: k.cfg.Image, UID: l.UID, Expires: n.Expires, Limits: n.Limits}
	if n.Memory != 0 {
		spec.Limits.Memory = n.Memory
	}
	s := newSandbox(k.cfg.Engine, spec, k.log)
	s.owner, s.ready = n.Owner, true
	c, err := s.attach(ctx)
	if err != nil {
		return err
	}
	s.begin(c)
	if n.Limits.MemoryHigh > 0 {
		if real, ok := s.realMemory(ctx); ok {
			l := s.Limits()
			l.Memory = real
			s.limited(l)
		}
	}
	e := &entry{
		s: s, created: time.Now(), ready: make(chan struct{}), turn: make(chan struct{}, 1),
		claim: Claim{Owner: n.Owner, Lab: n.Lab, Limits: n.Limits, Prepare: n.Prepare, Admit: n.Admit},
	}
	close(e.ready)
	k.mu.Lock()
	k.entries[l.ID] = e
	k.ours[l.ID] = true
	k.uids.adopt(l.UID)
	k.pool.want(e.claim, e.created)
	k.owned[ownership{n.Owner, n.Lab}] = e
	k.mu.Unlock()
	k.work.Go(func() { k.guard(e) })
	return nil
}
