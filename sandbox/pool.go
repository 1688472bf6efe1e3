package sandbox

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// warmAtOnce bounds how many warm sandboxes are started at the same time, so
	// that claims find the engine free.
	warmAtOnce = 2
	// demandLasts is how long after its last claim a lab is kept warm.
	demandLasts = time.Hour
	// probeTimeout is how long a warm sandbox may take to show that it is well.
	probeTimeout = 500 * time.Millisecond
	// warmPause follows a start that failed, so that a sick engine is not pressed.
	warmPause = 5 * time.Second
)

// kind is what warm sandboxes have in common: one of them serves any claim of it.
type kind struct {
	lab    string
	limits Limits
}

// warm is a sandbox that nobody has claimed yet.
type warm struct {
	kind  kind
	s     *Sandbox
	taken chan struct{} // closed when it leaves the pool
}

// pool keeps warm sandboxes of the kinds that were claimed lately. Under Keeper.mu.
type pool struct {
	demand  map[kind]time.Time // its last claim
	lasting map[kind]bool      // in demand for ever
	ready   []*warm            // oldest first
	heating map[kind]int       // being started
	waiting int                // claims that start cold now: they go first
	pause   time.Time          // start none before
}

func newPool(always []Claim) pool {
	p := pool{demand: map[kind]time.Time{}, lasting: map[kind]bool{}, heating: map[kind]int{}}
	for _, c := range always {
		if c.Limits == (Limits{}) {
			c.Limits = DefaultLimits()
		}
		p.lasting[kind{c.Lab, c.Limits}] = true
		p.demand[kind{c.Lab, c.Limits}] = time.Now()
	}
	return p
}

func (p *pool) want(c Claim, now time.Time) { p.demand[kind{c.Lab, c.Limits}] = now }

// size counts the warm sandboxes, those being started too.
func (p *pool) size() int {
	n := len(p.ready)
	for _, h := range p.heating {
		n += h
	}
	return n
}

// most is the memory that the warm sandboxes may ever take, those being started too.
func (p *pool) most() (bytes int64) {
	for _, w := range p.ready {
		bytes += w.kind.limits.most()
	}
	for of, n := range p.heating {
		bytes += int64(n) * of.limits.most()
	}
	return bytes
}

func (p *pool) count(of kind) int {
	n := p.heating[of]
	for _, w := range p.ready {
		if w.kind == of {
			n++
		}
	}
	return n
}

// take takes the oldest warm sandbox of that kind, or nil.
func (p *pool) take(of kind) *warm {
	i := slices.IndexFunc(p.ready, func(w *warm) bool { return w.kind == of })
	if i < 0 {
		return nil
	}
	return p.at(i)
}

func (p *pool) at(i int) *warm {
	w := p.ready[i]
	p.ready = slices.Delete(p.ready, i, i+1)
	close(w.taken)
	return w
}

// evict takes up to n warm sandboxes out, the least wanted first.
func (p *pool) evict(n int) (out []*warm) {
	for ; n > 0 && len(p.ready) > 0; n-- {
		least := 0
		for i, w := range p.ready {
			if p.demand[w.kind].Before(p.demand[p.ready[least].kind]) {
				least = i
			}
		}
		out = append(out, p.at(least))
	}
	return out
}

// fromPool gives a claim a warm sandbox that is well, or nil.
func (k *Keeper) fromPool(ctx context.Context, e *entry) *Sandbox {
	of := kind{e.claim.Lab, e.claim.Limits}
	for {
		k.mu.Lock()
		w := k.pool.take(of)
		k.mu.Unlock()
		if w == nil {
			return nil
		}
		if err := w.s.probe(ctx); err != nil {
			k.log.Warn("warm sandbox is sick; removing it", "sandbox", w.s.ID(), "err", err)
			k.discard(w.s)
			continue
		}
		w.s.mu.Lock()
		w.s.owner = e.claim.Owner
		w.s.spec.Expires = time.Now().Add(e.claim.Lifetime)
		w.s.mu.Unlock()
		return w.s
	}
}

// probe fails unless the guest answers at once.
func (s *Sandbox) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	r, err := s.Run(ctx, Run{Script: []byte(":"), Deadline: probeTimeout})
	if err == nil && r.Exit != 0 {
		err = fmt.Errorf("a script that does nothing ended with %d", r.Exit)
	}
	return err
}

// refill starts what warm sandboxes are missing, the most wanted kind first, as
// long as there is room and no claim waits for the engine.
func (k *Keeper) refill() {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if k.closed || k.pool.waiting > 0 || now.Before(k.pool.pause) {
		return
	}
	var kinds []kind
	for of, last := range k.pool.demand {
		if now.Sub(last) > demandLasts && !k.pool.lasting[of] {
			delete(k.pool.demand, of)
			for w := k.pool.take(of); w != nil; w = k.pool.take(of) {
				k.work.Go(func() { k.discard(w.s) })
			}
			continue
		}
		kinds = append(kinds, of)
	}
	slices.SortFunc(kinds, func(a, b kind) int { return k.pool.demand[b].Compare(k.pool.demand[a]) })
	for _, of := range kinds {
		for k.pool.count(of) < k.cfg.Pool {
			heating := k.pool.size() - len(k.pool.ready)
			if heating >= warmAtOnce || !k.fits(of.limits.most()) {
				return
			}
			uid, err := k.uids.take(now)
			if err != nil {
				return
			}
			k.pool.heating[of]++
			k.work.Go(func() { k.heat(of, uid) })
		}
	}
}

// heat starts one warm sandbox and guards it while it is in the pool.
func (k *Keeper) heat(of kind, uid int) {
	ctx, cancel := context.WithTimeout(k.ctx, startTimeout)
	// As long as it may ever live: the label can't be changed later.
	s, err := k.start(ctx, Spec{Lab: of.lab, UID: uid, Expires: time.Now().Add(k.cfg.MaxLife), Limits: of.limits}, "")
	cancel()
	w := &warm{kind: of, s: s, taken: make(chan struct{})}
	k.mu.Lock()
	k.pool.heating[of]--
	if err != nil {
		k.pool.pause = time.Now().Add(warmPause)
	} else {
		k.pool.ready = append(k.pool.ready, w)
	}
	k.mu.Unlock()
	if err != nil {
		if k.ctx.Err() == nil {
			k.log.Warn("cannot start a warm sandbox", "err", err)
		}
		return
	}
	k.refill()
	select {
	case <-s.Done():
		k.mu.Lock()
		i := slices.Index(k.pool.ready, w)
		if i >= 0 {
			k.pool.at(i)
		}
		k.mu.Unlock()
		if i >= 0 {
			k.discard(s)
		}
	case <-w.taken:
	case <-k.ctx.Done():
	}
}
