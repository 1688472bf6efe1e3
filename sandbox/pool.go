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
	lab     string
	limits  Limits
	version string
}

func kindOf(c Claim) kind { return kind{c.Lab, c.Limits, c.Version} }

// demand is that for sandboxes of one kind.
type demand struct {
	claim   Claim     // the last of it: its Prepare makes them ready
	last    time.Time // when that came
	lasting bool      // it never ends
}

// warm is a prepared sandbox that nobody has claimed yet.
type warm struct {
	kind  kind
	s     *Sandbox
	taken chan struct{} // closed when it leaves the pool
}

// pool keeps warm sandboxes of the kinds that were claimed lately. Under Keeper.mu.
type pool struct {
	demand  map[kind]*demand
	ready   []*warm      // oldest first
	heating map[kind]int // being started
	waiting int          // claims that start cold now: they go first
	pause   time.Time    // start none before
}

func newPool() pool { return pool{demand: map[kind]*demand{}, heating: map[kind]int{}} }

// want notes a claim. A lab that has changed takes the place of what it was.
func (p *pool) want(c Claim, now time.Time) *demand {
	of := kindOf(c)
	d := p.demand[of]
	if d == nil {
		d = &demand{}
		for other, was := range p.demand {
			if other.lab == of.lab {
				d.lasting = d.lasting || was.lasting
				delete(p.demand, other)
			}
		}
		p.demand[of] = d
	}
	d.claim, d.last = c, now
	return d
}

// wanted is when that kind was claimed last; zero when nobody wants it any more.
func (p *pool) wanted(of kind) time.Time {
	if d := p.demand[of]; d != nil {
		return d.last
	}
	return time.Time{}
}

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
			if p.wanted(w.kind).Before(p.wanted(p.ready[least].kind)) {
				least = i
			}
		}
		out = append(out, p.at(least))
	}
	return out
}

// Warm has sandboxes ready for these claims from now on and for ever. Owner, Lifetime
// and Admit don't count.
func (k *Keeper) Warm(claims []Claim) {
	k.mu.Lock()
	for _, c := range claims {
		if c.Limits == (Limits{}) {
			c.Limits = DefaultLimits()
		}
		k.pool.want(c, time.Now()).lasting = true
	}
	k.mu.Unlock()
	k.refill()
}

// fromPool gives a claim a warm sandbox that is well, or nil.
func (k *Keeper) fromPool(ctx context.Context, e *entry) *Sandbox {
	of := kindOf(e.claim)
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
	for of, d := range k.pool.demand {
		if now.Sub(d.last) > demandLasts && !d.lasting {
			delete(k.pool.demand, of)
			continue
		}
		kinds = append(kinds, of)
	}
	for i := len(k.pool.ready) - 1; i >= 0; i-- {
		if k.pool.demand[k.pool.ready[i].kind] == nil {
			w := k.pool.at(i)
			k.work.Go(func() { k.discard(w.s) })
		}
	}
	slices.SortFunc(kinds, func(a, b kind) int { return k.pool.wanted(b).Compare(k.pool.wanted(a)) })
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
			c := k.pool.demand[of].claim
			k.work.Go(func() { k.heat(of, c, uid) })
		}
	}
}

// heat starts and prepares one warm sandbox and guards it while it is in the pool.
func (k *Keeper) heat(of kind, c Claim, uid int) {
	ctx, cancel := context.WithTimeout(k.ctx, startTimeout)
	// As long as it may ever live: the label can't be changed later.
	s, err := k.start(ctx, Spec{Lab: of.lab, UID: uid, Expires: time.Now().Add(k.cfg.MaxLife), Limits: of.limits}, "")
	if err == nil && c.Prepare != nil {
		if err = c.Prepare(ctx, s); err != nil {
			k.discard(s)
		}
	}
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
			k.log.Warn("cannot start a warm sandbox", "lab", of.lab, "err", err)
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
