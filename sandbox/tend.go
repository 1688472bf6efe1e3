package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sysnerd/sandbox/link"
)

const (
	// idleWarning is how long before its end an idle sandbox says so.
	idleWarning = 2 * time.Minute
	// healthPeriod is how often each guest is asked for a sign of life, and
	// silenceAfter how long it may take.
	healthPeriod = 2 * time.Second
	silenceAfter = 3 * time.Second
)

// Touch says that the learner is there: what he types does so by itself.
func (s *Sandbox) Touch() {
	s.mu.Lock()
	s.touched = time.Now()
	s.mu.Unlock()
}

// askHealth says whether it is time to ask the guest for a sign of life.
func (s *Sandbox) askHealth(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != Live || now.Sub(s.asked) < healthPeriod {
		return false
	}
	s.asked = now
	return true
}

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
		case now.After(e.s.Expires()), k.idle(e, now) >= k.cfg.Idle && k.cfg.Idle > 0:
			over = append(over, e)
		default:
			live = append(live, e)
		}
	}
	k.mu.Unlock()
	for _, e := range live {
		k.warn(e, now)
		e.s.mu.Lock()
		terminals := e.s.open()
		e.s.mu.Unlock()
		for _, t := range terminals {
			t.tick()
		}
		if e.s.askHealth(now) {
			k.work.Go(func() { k.listen(e.s) })
		}
	}
	for _, e := range over {
		k.log.Info("sandbox ends: its time is up", "sandbox", e.s.ID())
		k.finish(e)
		k.work.Go(func() {
			k.remove(e.s.ID())
			e.s.detach(Ended)
		})
	}
	k.refill()
}

// idle is how long nobody has shown a sign of life in the sandbox.
func (k *Keeper) idle(e *entry, now time.Time) time.Duration {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	return now.Sub(e.s.touched)
}

// warn tells the learner, once, that his sandbox will end for want of a sign of him.
func (k *Keeper) warn(e *entry, now time.Time) {
	if k.cfg.Idle == 0 {
		return
	}
	left := k.cfg.Idle - k.idle(e, now)
	e.s.mu.Lock()
	tell := left < idleWarning && !e.s.warned
	e.s.warned = left < idleWarning
	e.s.mu.Unlock()
	if tell {
		e.s.emit(Event{Notice: &Notice{Code: "idle", Text: fmt.Sprintf(
			"Nobody has been here for %s. This sandbox ends in %s; results are kept, files are not.",
			(k.cfg.Idle - left).Round(time.Minute), left.Round(time.Second))}})
	}
}

// listen asks the guest for a sign of life, and tells the learner when it gives none.
func (k *Keeper) listen(s *Sandbox) {
	ctx, cancel := context.WithTimeout(k.ctx, silenceAfter)
	defer cancel()
	id := s.number()
	_, err := s.ask(ctx, id, link.KindPong, func(c *conn) error {
		return c.send(link.Frame{Kind: link.KindPing, Stream: id})
	})
	silent := errors.Is(err, context.DeadlineExceeded)
	s.mu.Lock()
	changed := silent != s.silent
	s.silent = silent
	s.mu.Unlock()
	switch {
	case changed && silent:
		k.log.Warn("guest is silent", "sandbox", s.ID())
		s.emit(Event{Notice: &Notice{Code: "silent", Text: "Your sandbox doesn't answer. Reset makes it new; results are kept."}})
	case changed:
		s.emit(Event{Notice: &Notice{Code: "silent"}})
	}
}

// sweep removes containers of this instance that are no sandbox of ours.
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
		ours := k.ours[l.ID]
		k.mu.Unlock()
		if !ours {
			k.remove(l.ID)
		}
	}
}
