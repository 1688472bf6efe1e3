package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	// startsAtOnce bounds how many containers are started at the same time.
	startsAtOnce = 4
	startTimeout = 60 * time.Second
	// wipeTimeout is how long a guest may take for a reset before its container
	// is replaced.
	wipeTimeout = 4 * time.Second
	tickPeriod  = time.Second
	sweepPeriod = 30 * time.Second
	// keepEnded is how long an ended sandbox can still be asked for its state.
	keepEnded = time.Minute
	// uidRest is how long a uid is not used again: what the kernel counts per uid
	// must have come down to nothing.
	uidRest = 10 * time.Minute
)

// Claim asks for a sandbox for one learner and one lab.
type Claim struct {
	Owner    string        // opaque; one live sandbox per Owner and Lab
	Lab      string        // "<module>/<lab>"
	Limits   Limits        // zero means DefaultLimits
	Lifetime time.Duration // zero means the Keeper's
	// Prepare brings a new or reset sandbox into the lab's initial state,
	// before the learner is let in. May be nil.
	Prepare func(ctx context.Context, s *Sandbox) error
}

// KeeperConfig is what a Keeper needs to know. It is a plain value.
type KeeperConfig struct {
	Engine   Engine
	Instance string
	Image    string
	Capacity int           // live sandboxes at most
	Lifetime time.Duration // of a sandbox, unless the Claim says otherwise
	MaxLife  time.Duration // Extend stops here
	Log      *slog.Logger  // nil means slog.Default
}

// FullError says that every sandbox is in use.
type FullError struct {
	Capacity int
	Place    int           // in the queue, from 1
	Retry    time.Duration // estimate until a place is free
}

func (e *FullError) Error() string {
	return fmt.Sprintf("all %d sandboxes are in use; try again in %s", e.Capacity, e.Retry.Round(time.Second))
}

var (
	// ErrMaxLife says that a sandbox can't be extended further.
	ErrMaxLife = errors.New("sandbox has reached its longest life")
	errClosed  = errors.New("keeper is closed")
)

// Keeper hands out sandboxes, ends them in time and finds them again. All methods
// may be called concurrently.
type Keeper struct {
	cfg    KeeperConfig
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	starts chan struct{}

	mu      sync.Mutex
	closed  bool
	entries map[string]*entry
	owned   map[ownership]*entry
	rested  map[int]time.Time // uid → when it was given back
}

type ownership struct{ owner, lab string }

// entry is a sandbox and what the Keeper knows of it beside.
type entry struct {
	s       *Sandbox
	claim   Claim
	created time.Time
	ready   chan struct{} // closed when err is set, or the sandbox live
	err     error
	reset   chan struct{} // room for one: who holds it resets the sandbox
	ended   time.Time     // zero while it is in use
}

// NewKeeper returns a Keeper. Call Recover before the first Claim, and Close at the end.
func NewKeeper(cfg KeeperConfig) *Keeper {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	ctx, cancel := context.WithCancel(context.Background())
	k := &Keeper{
		cfg: cfg, log: cfg.Log, ctx: ctx, cancel: cancel,
		starts:  make(chan struct{}, startsAtOnce),
		entries: map[string]*entry{}, owned: map[ownership]*entry{}, rested: map[int]time.Time{},
	}
	k.work.Go(k.tend)
	return k
}

// Claim returns the live sandbox of this owner and lab, made now if there is none
// (created true), after its Prepare. Concurrent claims for the same owner and lab share one.
// Errors: *FullError, and those of Engine.Create and Prepare.
func (k *Keeper) Claim(ctx context.Context, c Claim) (s *Sandbox, created bool, err error) {
	for {
		e, created, err := k.entry(c)
		if err != nil {
			return nil, false, err
		}
		select {
		case <-e.ready:
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
		if e.err != nil {
			return nil, false, e.err
		}
		if e.s.State() == Ended && !created {
			k.finish(e)
			continue
		}
		return e.s, created, nil
	}
}

// entry finds the entry of a claim, or makes it and begins to start its sandbox.
func (k *Keeper) entry(c Claim) (e *entry, created bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil, false, errClosed
	}
	key := ownership{c.Owner, c.Lab}
	if e := k.owned[key]; e != nil {
		return e, false, nil
	}
	if live := k.live(); live >= k.cfg.Capacity {
		return nil, false, &FullError{Capacity: k.cfg.Capacity, Place: 1, Retry: k.nextFree()}
	}
	uid, err := k.uid()
	if err != nil {
		return nil, false, err
	}
	if c.Limits == (Limits{}) {
		c.Limits = DefaultLimits()
	}
	if c.Lifetime == 0 {
		c.Lifetime = k.cfg.Lifetime
	}
	now := time.Now()
	s := newSandbox(k.cfg.Engine, Spec{
		ID: newID(), Instance: k.cfg.Instance, Lab: c.Lab, Image: k.cfg.Image, UID: uid,
		Expires: now.Add(c.Lifetime), Limits: c.Limits,
	}, k.log)
	s.owner = c.Owner
	e = &entry{s: s, claim: c, created: now, ready: make(chan struct{}), reset: make(chan struct{}, 1)}
	k.entries[s.ID()] = e
	k.owned[key] = e
	k.work.Go(func() { k.bring(e) })
	return e, true, nil
}

// bring starts a claimed sandbox, and guards it until it ends.
func (k *Keeper) bring(e *entry) {
	ctx, cancel := context.WithTimeout(k.ctx, startTimeout)
	defer cancel()
	if e.err = k.start(ctx, e); e.err != nil {
		e.s.end()
		k.finish(e)
		close(e.ready)
		return
	}
	close(e.ready)
	k.guard(e)
}

func (k *Keeper) start(ctx context.Context, e *entry) error {
	select {
	case k.starts <- struct{}{}:
		defer func() { <-k.starts }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := e.s.start(ctx); err != nil {
		return err
	}
	if err := k.prepare(ctx, e); err != nil {
		err = fmt.Errorf("prepare sandbox %s: %w", e.s.ID(), err)
		e.s.detach(Ended)
		if gone := k.cfg.Engine.Remove(context.WithoutCancel(ctx), e.s.ID()); gone != nil {
			err = errors.Join(err, gone)
		}
		return err
	}
	return nil
}

// prepare brings the lab's initial state and lets the learner in.
func (k *Keeper) prepare(ctx context.Context, e *entry) error {
	if e.claim.Prepare != nil {
		if err := e.claim.Prepare(ctx, e.s); err != nil {
			return err
		}
	}
	e.s.mu.Lock()
	e.s.ready = true
	e.s.mu.Unlock()
	e.s.setState(Live)
	return nil
}

// guard waits for the end of a sandbox and clears up after it.
func (k *Keeper) guard(e *entry) {
	select {
	case <-e.s.Done():
		k.finish(e)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(k.ctx), startTimeout)
		defer cancel()
		if err := k.cfg.Engine.Remove(ctx, e.s.ID()); err != nil {
			k.log.Warn("cannot remove ended sandbox; the next sweep tries again", "sandbox", e.s.ID(), "err", err)
		}
	case <-k.ctx.Done():
	}
}

// finish takes a sandbox out of use; its id can still be asked for a while.
func (k *Keeper) finish(e *entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !e.ended.IsZero() {
		return
	}
	e.ended = time.Now()
	k.rested[e.s.UID()] = e.ended
	if key := (ownership{e.claim.Owner, e.claim.Lab}); k.owned[key] == e {
		delete(k.owned, key)
	}
}

// live counts the sandboxes in use. Under mu.
func (k *Keeper) live() (n int) {
	for _, e := range k.entries {
		if e.ended.IsZero() {
			n++
		}
	}
	return n
}

// nextFree estimates when a sandbox will end. Under mu.
func (k *Keeper) nextFree() time.Duration {
	next := time.Minute
	for _, e := range k.entries {
		if e.ended.IsZero() {
			next = min(next, time.Until(e.s.Expires()))
		}
	}
	return max(next, time.Second)
}

// uid finds one that nobody used lately. Instances begin at different places,
// since the kernel counts a uid over all of them. Under mu.
func (k *Keeper) uid() (int, error) {
	h := fnv.New32a()
	h.Write([]byte(k.cfg.Instance))
	first := int(h.Sum32() % Slots)
	used := map[int]bool{}
	for _, e := range k.entries {
		if e.ended.IsZero() {
			used[e.s.UID()] = true
		}
	}
	for i := range Slots {
		uid := FirstUID + (first+i)%Slots
		if at, ok := k.rested[uid]; !used[uid] && (!ok || time.Since(at) > uidRest) {
			return uid, nil
		}
	}
	return 0, &FullError{Capacity: Slots, Place: 1, Retry: uidRest}
}

func newID() string {
	var b [10]byte
	rand.Read(b[:]) // never fails, crypto/rand
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// Get returns the sandbox of that id, also while it is starting, and for a
// minute after it ended. Errors: ErrNotFound.
func (k *Keeper) Get(id string) (*Sandbox, error) {
	e, err := k.find(id)
	if err != nil {
		return nil, err
	}
	return e.s, nil
}

func (k *Keeper) find(id string) (*entry, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.entries[id]
	if e == nil {
		return nil, ErrNotFound
	}
	return e, nil
}

// Remove ends a sandbox. Errors: ErrNotFound, those of Engine.Remove.
func (k *Keeper) Remove(ctx context.Context, id string) error {
	e, err := k.find(id)
	if err != nil {
		return err
	}
	select {
	case <-e.ready: // one that is being started is removed when it is there
	case <-ctx.Done():
		return ctx.Err()
	}
	k.finish(e)
	err = k.cfg.Engine.Remove(ctx, id)
	e.s.detach(Ended)
	if err != nil {
		return fmt.Errorf("remove sandbox %s: %w", id, err)
	}
	return nil
}

// SetLimits changes the limits of a running sandbox. Errors: ErrNotFound, ErrLimitBelowUse.
func (k *Keeper) SetLimits(ctx context.Context, id string, l Limits) error {
	e, err := k.find(id)
	if err != nil {
		return err
	}
	if err := k.cfg.Engine.Update(ctx, id, l); err != nil {
		return fmt.Errorf("set limits of sandbox %s: %w", id, err)
	}
	e.s.mu.Lock()
	e.s.spec.Limits = l
	e.s.mu.Unlock()
	e.s.emit(Event{Limits: &l})
	return nil
}

// Usage tells how many sandboxes are in use, and how many fit.
func (k *Keeper) Usage() (live, capacity int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.live(), k.cfg.Capacity
}

// Close detaches from every sandbox, which live on, and waits for all goroutines.
func (k *Keeper) Close() error {
	k.mu.Lock()
	k.closed = true
	var all []*Sandbox
	for _, e := range k.entries {
		all = append(all, e.s)
	}
	k.mu.Unlock()
	k.cancel()
	k.work.Wait()
	for _, s := range all {
		s.Detach()
	}
	return nil
}
