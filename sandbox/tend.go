package sandbox

import (
	"context"
	"time"
)

// Extend moves the end of a sandbox by d and returns the new end.
// Errors: ErrNotFound, ErrMaxLife.
func (k *Keeper) Extend(_ context.Context, id string, d time.Duration) (time.Time, error) {
	e, err := k.find(id)
	if err != nil {
		return time.Time{}, err
	}
	e.s.mu.Lock()
	was := e.s.spec.Expires
	now := was.Add(d)
	if last := e.created.Add(k.cfg.MaxLife); now.After(last) {
		now = last
	}
	moved := now.After(was)
	if moved {
		e.s.spec.Expires = now
	}
	e.s.mu.Unlock()
	if !moved {
		return was, ErrMaxLife
	}
	e.s.emit(Event{Expires: &now})
	return now, nil
}

// tend ends sandboxes in time, lets unwatched terminals drain, and sweeps.
func (k *Keeper) tend() {
	tick, sweep := time.NewTicker(tickPeriod), time.NewTicker(sweepPeriod)
	defer tick.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-tick.C:
			k.tick(time.Now())
		case <-sweep.C:
			k.sweep()
		case <-k.ctx.Done():
			return
		}
	}
}

func (k *Keeper) tick(now time.Time) {
	k.mu.Lock()
	var live, over []*entry
	for id, e := range k.entries {
		switch {
		case !e.ended.IsZero():
			if now.Sub(e.ended) > keepEnded {
				delete(k.entries, id)
			}
		case now.After(e.s.Expires()):
			over = append(over, e)
		default:
			live = append(live, e)
		}
	}
	for uid, at := range k.rested {
		if now.Sub(at) > uidRest {
			delete(k.rested, uid)
		}
	}
	k.mu.Unlock()
	for _, e := range live {
		e.s.mu.Lock()
		terminals := e.s.open()
		e.s.mu.Unlock()
		for _, t := range terminals {
			t.tick()
		}
	}
	for _, e := range over {
		k.finish(e)
		k.work.Go(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(k.ctx), startTimeout)
			defer cancel()
			if err := k.Remove(ctx, e.s.ID()); err != nil {
				k.log.Warn("cannot remove expired sandbox; the next sweep tries again", "err", err)
			}
		})
	}
}

// sweep removes containers of this instance that no sandbox in use owns.
func (k *Keeper) sweep() {
	ctx, cancel := context.WithTimeout(k.ctx, sweepPeriod)
	defer cancel()
	listed, err := k.cfg.Engine.List(ctx)
	if err != nil {
		k.log.Warn("cannot look for left-over sandboxes", "err", err)
		return
	}
	for _, l := range listed {
		k.mu.Lock()
		e := k.entries[l.ID]
		stray := e == nil || !e.ended.IsZero()
		k.mu.Unlock()
		if !stray {
			continue
		}
		if err := k.cfg.Engine.Remove(ctx, l.ID); err != nil {
			k.log.Warn("cannot remove left-over sandbox", "sandbox", l.ID, "err", err)
		}
	}
}
