package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
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
	// Prepare brings a new or reset sandbox into the lab's initial state. A warm one
	// was prepared before anybody claimed it, so nothing of the owner may go into it.
	// May be nil.
	Prepare func(ctx context.Context, s *Sandbox) error
	// Version names what Prepare does: what another version prepared is not handed out.
	Version string
	// Admit notes whose the sandbox is, before he is let in: at the claim, and again
	// after each reset. May be nil.
	Admit func(ctx context.Context, s *Sandbox) error
}

// KeeperConfig is what a Keeper needs to know. It is a plain value.
type KeeperConfig struct {
	Engine   Engine
	Instance string
	Image    string
	Capacity int           // sandboxes at most, warm ones included
	Budget   int64         // bytes of memory that all may ever take together; 0: only Capacity counts
	Pool     int           // warm sandboxes for each lab in demand; 0 means none
	Lifetime time.Duration // of a sandbox, unless the Claim says otherwise
	Idle     time.Duration // without a sign of its learner a sandbox ends; 0 means never
	MaxLife  time.Duration // Extend stops here
	Log      *slog.Logger  // nil means slog.Default
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
	starts chan struct{} // room for startsAtOnce

	mu      sync.Mutex
	closed  bool
	entries map[string]*entry    // by id, ended ones for a while too
	owned   map[ownership]*entry // in use or being started
	ours    map[string]bool      // ids that must not be swept: in use, warm, being started
	uids    uids
	pool    pool
	queue   []*waiter // who came when all was in use, first come first
	proof   proof
	stats   Stats
}

type ownership struct{ owner, lab string }

// entry is a sandbox that somebody claimed.
type entry struct {
	claim   Claim
	created time.Time
	ready   chan struct{} // closed when s is live, or err is set
	turn    chan struct{} // room for one: who holds it resets the sandbox or moves its limit

	s   *Sandbox // both set before ready is closed
	err error

	ended time.Time // under mu; zero while it is in use
}

// take waits for the turn to change the sandbox; release gives it back.
func (e *entry) take(ctx context.Context) error {
	select {
	case e.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *entry) release() { <-e.turn }

// Stats counts what a Keeper did since it began.
type Stats struct {
	InUse, Warm, Waiting, Capacity int // now
	FromPool, Cold, Failed         int64
}

// Stats tells what the Keeper has and did.
func (k *Keeper) Stats() Stats {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.stats
	s.InUse, s.Warm, s.Waiting, s.Capacity = len(k.owned), k.pool.size(), len(k.queue), k.cfg.Capacity
	return s
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
		entries: map[string]*entry{}, owned: map[ownership]*entry{}, ours: map[string]bool{},
		uids: newUIDs(cfg.Instance),
		pool: newPool(), proof: proof{turn: make(chan struct{}, 1)},
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
		e.s.Touch()
		return e.s, created, nil
	}
}

// entry finds the entry of a claim, or makes it and begins to bring its sandbox.
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
	if c.Limits == (Limits{}) {
		c.Limits = DefaultLimits()
	}
	if err := k.admit(key, c.Limits.most(), time.Now()); err != nil {
		return nil, false, err
	}
	if c.Lifetime == 0 {
		c.Lifetime = k.cfg.Lifetime
	}
	e = &entry{claim: c, created: time.Now(), ready: make(chan struct{}), turn: make(chan struct{}, 1)}
	k.owned[key] = e
	k.pool.want(c, e.created)
	k.work.Go(func() { k.bring(e) })
	return e, true, nil
}

// bring gets a claimed sandbox, warm if there is one, and guards it until it ends.
func (k *Keeper) bring(e *entry) {
	ctx, cancel := context.WithTimeout(k.ctx, startTimeout)
	defer cancel()
	e.s = k.fromPool(ctx, e)
	warm := e.s != nil
	if !warm {
		e.s, e.err = k.cold(ctx, e)
	}
	if e.err == nil {
		k.mu.Lock()
		k.entries[e.s.ID()] = e
		k.mu.Unlock()
		if warm {
			e.err = k.letIn(ctx, e)
		} else {
			e.err = k.prepare(ctx, e)
		}
		if e.err != nil {
			e.err = fmt.Errorf("prepare sandbox %s: %w", e.s.ID(), e.err)
			k.discard(e.s)
		}
	}
	k.mu.Lock()
	switch {
	case e.err != nil:
		k.stats.Failed++
	case warm:
		k.stats.FromPool++
	default:
		k.stats.Cold++
	}
	k.mu.Unlock()
	if e.err != nil {
		k.finish(e)
		close(e.ready)
		return
	}
	close(e.ready)
	k.refill()
	k.guard(e)
}

// cold starts a sandbox for a claim.
func (k *Keeper) cold(ctx context.Context, e *entry) (*Sandbox, error) {
	k.mu.Lock()
	k.pool.waiting++
	uid, err := k.uids.take(time.Now())
	var evicted []*warm
	for k.over() { // this claim is counted already
		w := k.pool.evict(1)
		if len(w) == 0 {
			break
		}
		evicted = append(evicted, w...)
	}
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		k.pool.waiting--
		k.mu.Unlock()
	}()
	for _, w := range evicted {
		k.discard(w.s)
	}
	if err != nil {
		return nil, err
	}
	return k.start(ctx, Spec{
		Lab: e.claim.Lab, UID: uid, Expires: e.created.Add(e.claim.Lifetime), Limits: e.claim.Limits,
	}, e.claim.Owner)
}

// start starts a sandbox when it is its turn. The spec lacks what is the same for all.
func (k *Keeper) start(ctx context.Context, spec Spec, owner string) (*Sandbox, error) {
	spec.ID, spec.Instance, spec.Image = newID(), k.cfg.Instance, k.cfg.Image
	s := newSandbox(k.cfg.Engine, spec, k.log)
	s.owner = owner
	k.mu.Lock()
	k.ours[spec.ID] = true
	k.mu.Unlock()
	var err error
	select {
	case k.starts <- struct{}{}:
		err = s.start(ctx)
		<-k.starts
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		k.mu.Lock()
		delete(k.ours, spec.ID)
		k.uids.giveBack(spec.UID, time.Now())
		k.mu.Unlock()
		return nil, err
	}
	k.mu.Lock()
	k.proof.last, k.proof.err = time.Now(), nil
	k.mu.Unlock()
	return s, nil
}

// prepare brings the lab's initial state and lets the learner in.
func (k *Keeper) prepare(ctx context.Context, e *entry) error {
	if e.claim.Prepare != nil {
		if err := e.claim.Prepare(ctx, e.s); err != nil {
			return err
		}
	}
	return k.letIn(ctx, e)
}

// letIn notes whose a prepared sandbox is, and opens it.
func (k *Keeper) letIn(ctx context.Context, e *entry) error {
	if e.claim.Admit != nil {
		if err := e.claim.Admit(ctx, e.s); err != nil {
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
		k.remove(e.s.ID())
	case <-k.ctx.Done():
	}
}

// discard ends a sandbox that nobody has claimed, or could not be given.
func (k *Keeper) discard(s *Sandbox) {
	k.mu.Lock()
	delete(k.ours, s.ID())
	k.mu.Unlock()
	s.detach(Ended)
	k.remove(s.ID())
	k.mu.Lock()
	k.uids.giveBack(s.UID(), time.Now())
	k.mu.Unlock()
}

// remove removes a container. When the engine can't now, the next sweep does.
func (k *Keeper) remove(id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(k.ctx), startTimeout)
	defer cancel()
	if err := k.cfg.Engine.Remove(ctx, id); err != nil {
		k.log.Warn("cannot remove sandbox; the next sweep tries again", "sandbox", id, "err", err)
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
	if e.s != nil {
		delete(k.ours, e.s.ID())
		k.uids.giveBack(e.s.UID(), e.ended)
	}
	if key := (ownership{e.claim.Owner, e.claim.Lab}); k.owned[key] == e {
		delete(k.owned, key)
	}
}

func newID() string {
	var b [10]byte
	rand.Read(b[:]) // never fails, crypto/rand
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// Get returns the sandbox of that id, also while it is being prepared, and for a
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

// Close detaches from every sandbox, which live on, and waits for all goroutines.
// Warm sandboxes are removed: nobody would look for them again. When the engine does not
// answer, it returns with ctx, and what was not removed is left to the sweep of the next
// start. Errors: the context's.
func (k *Keeper) Close(ctx context.Context) error {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.cancel()
	left := make(chan struct{})
	go func() {
		defer close(left)
		k.leave()
	}()
	select {
	case <-left:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("leave sandboxes: the engine has not answered yet: %w", ctx.Err())
	}
}

func (k *Keeper) leave() {
	k.work.Wait()
	k.mu.Lock()
	var all []*Sandbox
	for _, e := range k.entries {
		all = append(all, e.s)
	}
	warm := k.pool.evict(k.pool.size())
	k.mu.Unlock()
	for _, s := range all {
		s.Detach()
	}
	var removing sync.WaitGroup
	for _, w := range warm {
		removing.Go(func() { k.discard(w.s) })
	}
	removing.Wait()
}
