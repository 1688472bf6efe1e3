package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"sysnerd/sandbox/link"
)

// eventBacklog is how many events a subscriber may lag behind.
const eventBacklog = 64

// runGrace is how much longer than its deadline a run may take to answer.
const runGrace = 5 * time.Second

// Sandbox is a running sandbox as the server sees it: the far end of a link to
// its guest. All methods may be called by any number of goroutines at once.
type Sandbox struct {
	engine  Engine
	log     *slog.Logger
	journal *Journal
	current atomic.Pointer[conn]
	done    chan struct{}
	cancel  context.CancelFunc // ends the goroutine that keeps the link
	stopped chan struct{}      // closed when it has ended

	mu        sync.Mutex
	spec      Spec
	owner     string
	state     State
	ready     bool // the lab's initial state is there; before that it never counts as live
	over      bool // done is closed
	replacing bool // the container is being replaced: its absence is no end
	gen       int
	started   int64 // when the guest began, as it says; another number is another guest
	missing   []string
	pending   map[ticket]chan any
	runs      map[uint32]*RunResult
	terminals map[int]*Terminal
	subs      map[chan Event]struct{}
	next      uint32
}

// ticket finds who waits for a reply.
type ticket struct {
	kind   link.Kind
	stream uint32
}

// Start creates a sandbox, greets its guest and returns it live. When it fails it
// leaves nothing behind. Errors: those of Engine.Create and Engine.Attach.
func Start(ctx context.Context, e Engine, spec Spec, log *slog.Logger) (*Sandbox, error) {
	s := newSandbox(e, spec, log)
	s.ready = true
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// start creates the container and greets its guest, or leaves nothing behind.
func (s *Sandbox) start(ctx context.Context) error {
	spec := s.spec
	if err := s.engine.Create(ctx, spec); err != nil {
		return fmt.Errorf("start sandbox %s: %w", spec.ID, err)
	}
	c, err := s.attach(ctx)
	if err != nil {
		if gone := s.engine.Remove(context.WithoutCancel(ctx), spec.ID); gone != nil {
			err = errors.Join(err, gone)
		}
		return fmt.Errorf("start sandbox %s: %w", spec.ID, err)
	}
	s.begin(c)
	return nil
}

// Adopt greets the guest of a sandbox that runs already. Spec.UID and Spec.Limits
// matter only to a guest that was never greeted. Errors: those of Engine.Attach.
func Adopt(ctx context.Context, e Engine, spec Spec, log *slog.Logger) (*Sandbox, error) {
	s := newSandbox(e, spec, log)
	s.ready = true
	c, err := s.attach(ctx)
	if err != nil {
		return nil, err
	}
	s.begin(c)
	return s, nil
}

func newSandbox(e Engine, spec Spec, log *slog.Logger) *Sandbox {
	if log == nil {
		log = slog.Default()
	}
	return &Sandbox{
		engine: e, spec: spec, log: log.With("sandbox", spec.ID),
		journal: NewJournal(),
		done:    make(chan struct{}), stopped: make(chan struct{}),
		state:     Starting,
		pending:   map[ticket]chan any{},
		runs:      map[uint32]*RunResult{},
		terminals: map[int]*Terminal{},
		subs:      map[chan Event]struct{}{},
		// Replies to requests of a server before this one must match none of ours.
		next: rand.Uint32(),
	}
}

// begin starts the goroutine that keeps the link c, and makes it anew when it breaks.
func (s *Sandbox) begin(c *conn) {
	ctx, cancel := context.WithCancel(context.Background())
	s.mu.Lock()
	s.cancel = cancel
	s.mu.Unlock()
	go func() {
		defer close(s.stopped)
		s.live(ctx, c)
	}()
}

// live reads the link until the sandbox ends or is detached.
func (s *Sandbox) live(ctx context.Context, c *conn) {
	for {
		stop := context.AfterFunc(ctx, func() { c.stream.Close() })
		c.receive(func(f link.Frame) { s.handle(f) })
		stop()
		c.stream.Close()
		s.unlink()
		if ctx.Err() != nil {
			return
		}
		if c = s.relink(ctx); c == nil {
			if ctx.Err() == nil {
				s.end()
			}
			return
		}
	}
}

// relink attaches again until it works or the sandbox turns out to have ended,
// when it returns nil. It waits longer each time, up to two seconds.
func (s *Sandbox) relink(ctx context.Context) *conn {
	s.setState(Lost)
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		c, err := s.attach(ctx)
		switch {
		case err == nil:
			return c
		case s.beingReplaced():
		case errors.Is(err, ErrNotFound), errors.Is(err, ErrNotRunning) && !s.running(ctx):
			return nil
		}
		s.log.Warn("sandbox does not answer; trying again", "err", err, "after", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Sandbox) beingReplaced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replacing
}

// running says whether the engine still has it; when it can't tell, it says yes.
func (s *Sandbox) running(ctx context.Context) bool {
	all, err := s.engine.List(ctx)
	if err != nil {
		return true
	}
	for _, l := range all {
		if l.ID == s.ID() {
			return l.Running
		}
	}
	return false
}

// attach makes a link and takes in the guest's welcome.
func (s *Sandbox) attach(ctx context.Context) (*conn, error) {
	stream, err := s.engine.Attach(ctx, s.ID())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	setup := link.Setup{UID: s.spec.UID, Processes: s.spec.Limits.LearnerProcesses, Home: Home}
	s.mu.Unlock()
	c, welcome, err := greet(ctx, stream, setup)
	if err != nil {
		stream.Close()
		return nil, err
	}
	s.mu.Lock()
	newGuest := s.started != 0 && s.started != welcome.Started
	s.started = welcome.Started
	s.missing = welcome.Missing
	terminals := s.open()
	s.mu.Unlock()
	for _, t := range terminals {
		t.lost(newGuest)
	}
	s.current.Store(c)
	s.mu.Lock()
	ready := s.ready
	s.mu.Unlock()
	if ready {
		s.setState(Live)
	}
	// Who watches a terminal goes on watching.
	for _, t := range terminals {
		t.mu.Lock()
		watched, size := len(t.views) > 0, t.size
		t.mu.Unlock()
		if watched {
			go func() {
				if err := t.ensureOpen(context.Background(), size); err != nil {
					s.log.Warn("terminal did not come back", "tab", t.tab, "err", err)
				}
			}()
		}
	}
	return c, nil
}

// open lists the terminals. Under mu.
func (s *Sandbox) open() []*Terminal {
	var list []*Terminal
	for _, t := range s.terminals {
		list = append(list, t)
	}
	return list
}

func (s *Sandbox) link() *conn { return s.current.Load() }

// unlink fails everything that waits for a reply.
func (s *Sandbox) unlink() {
	s.current.Store(nil)
	s.mu.Lock()
	waiting := s.pending
	s.pending = map[ticket]chan any{}
	s.runs = map[uint32]*RunResult{}
	terminals := s.open()
	s.mu.Unlock()
	for _, w := range waiting {
		close(w)
	}
	for _, t := range terminals {
		t.lost(false)
	}
}

// end marks the sandbox as gone for good.
func (s *Sandbox) end() { s.finish(Ended) }

// finish closes everything once, in the state that s stays in.
func (s *Sandbox) finish(last State) {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return
	}
	s.over = true
	terminals := s.open()
	s.mu.Unlock()
	s.setState(last)
	close(s.done)
	for _, t := range terminals {
		t.end()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.subs {
		close(sub)
	}
	s.subs = nil
}

// Detach leaves the sandbox, which lives on, and waits until its goroutine has
// ended. After it every method fails with ErrNotRunning.
func (s *Sandbox) Detach() { s.detach(Lost) }

func (s *Sandbox) detach(last State) {
	s.mu.Lock()
	cancel := s.cancel
	s.mu.Unlock()
	if cancel != nil {
		cancel()
		<-s.stopped
	}
	s.finish(last)
}

// handle takes in one frame of the guest. Nothing that it says is taken for granted.
func (s *Sandbox) handle(f link.Frame) {
	switch f.Kind {
	case link.KindOutput:
		if t := s.existing(f.Stream); t != nil {
			if offset, p, err := f.Offset(); err == nil {
				t.output(offset, p)
			}
		}
	case link.KindTaken:
		if t := s.existing(f.Stream); t != nil {
			if n, _, err := f.Offset(); err == nil {
				t.takenUpTo(n)
			}
		}
	case link.KindExit:
		var e link.Exit
		if t := s.existing(f.Stream); t != nil && f.JSON(&e) == nil {
			t.exited(e)
		}
	case link.KindOpened:
		var o link.Opened
		if t := s.existing(f.Stream); t != nil && f.JSON(&o) == nil && o.Start >= 0 && o.End >= o.Start {
			t.opened(o)
			s.reply(f, o)
		}
	case link.KindRunOut:
		s.runOutput(f)
	case link.KindRunDone:
		var d link.RunDone
		if f.JSON(&d) == nil {
			s.reply(f, d)
		}
	case link.KindDone:
		var d link.Done
		if f.JSON(&d) == nil {
			s.reply(f, d)
		}
	case link.KindSampled:
		var sample Sample
		if f.JSON(&sample) == nil {
			s.reply(f, sample)
		}
	case link.KindPong:
		s.reply(f, nil)
	case link.KindOOM:
		var o link.OOM
		if f.JSON(&o) == nil {
			s.emit(Event{OOM: &OOM{Count: o.Count, PID: o.PID, Command: o.Command}})
		}
	case link.KindAnswer:
		var a link.Answer
		if f.JSON(&a) == nil && len(a.Value) <= link.MaxAnswer {
			s.emit(Event{Answer: &Answer{Task: a.Task, Value: a.Value}})
		}
	case link.KindNotice:
		var n link.Notice
		if f.JSON(&n) == nil {
			s.emit(Event{Notice: &Notice{Code: n.Code, Text: n.Text}})
		}
	}
}

func (s *Sandbox) reply(f link.Frame, v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := ticket{f.Kind, f.Stream}
	if w, ok := s.pending[key]; ok {
		delete(s.pending, key)
		w <- v
	}
}

// ask sends a request and waits for its reply.
func (s *Sandbox) ask(ctx context.Context, stream uint32, kind link.Kind, send func(*conn) error) (any, error) {
	c := s.link()
	if c == nil {
		return nil, ErrNotRunning
	}
	key, reply := ticket{kind, stream}, make(chan any, 1)
	s.mu.Lock()
	s.pending[key] = reply
	s.mu.Unlock()
	forget := func() {
		s.mu.Lock()
		if s.pending[key] == reply {
			delete(s.pending, key)
		}
		s.mu.Unlock()
	}
	// The link may have broken since it was looked up, and then nobody replies.
	if s.link() != c {
		forget()
		return nil, ErrNotRunning
	}
	if err := send(c); err != nil {
		forget()
		return nil, err
	}
	select {
	case v, ok := <-reply:
		if !ok {
			return nil, fmt.Errorf("%w: its link broke", ErrNotRunning)
		}
		return v, nil
	case <-ctx.Done():
		forget()
		return nil, ctx.Err()
	}
}

func (s *Sandbox) number() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return s.next
}

// Run runs a script in the sandbox and returns when it and all that it started
// have ended. A script that fails is no error: see RunResult.
// Errors: ErrNotRunning when the sandbox ended or does not answer, the context's.
func (s *Sandbox) Run(ctx context.Context, r Run) (RunResult, error) {
	if r.Deadline == 0 {
		r.Deadline = DefaultRunDeadline
	}
	if r.Output == 0 {
		r.Output = DefaultRunOutput
	}
	spec := link.Run{Script: len(r.Script), Env: r.Env, Deadline: max(1, r.Deadline.Milliseconds()), Output: r.Output, Learner: r.Learner}
	data := [][]byte{r.Script}
	for _, f := range r.Files {
		fill := f.Data == nil && (f.Name == RunEnded || f.Name == RunOpened)
		spec.Files = append(spec.Files, link.File{Name: f.Name, Size: len(f.Data), Fill: fill})
		data = append(data, f.Data)
	}
	if err := spec.Check(); err != nil {
		return RunResult{}, fmt.Errorf("run script: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.Deadline+runGrace, fmt.Errorf("%w: its guest does not answer", ErrNotRunning))
	defer cancel()
	id := s.number()
	result := &RunResult{}
	s.mu.Lock()
	s.runs[id] = result
	s.mu.Unlock()
	reply, err := s.ask(ctx, id, link.KindRunDone, func(c *conn) error {
		if err := c.sendJSON(link.KindRun, id, spec); err != nil {
			return err
		}
		for _, p := range data {
			for len(p) > 0 {
				n := min(len(p), link.MaxPayload)
				if err := c.send(link.Frame{Kind: link.KindRunData, Stream: id, Payload: p[:n]}); err != nil {
					return err
				}
				p = p[n:]
			}
		}
		return nil
	})
	s.mu.Lock()
	delete(s.runs, id)
	s.mu.Unlock()
	if err != nil {
		if c := s.link(); c != nil && ctx.Err() != nil {
			_ = c.send(link.Frame{Kind: link.KindCancel, Stream: id})
			err = context.Cause(ctx)
		}
		return RunResult{}, fmt.Errorf("run script: %w", err)
	}
	d := reply.(link.RunDone)
	if d.Error != "" {
		return RunResult{}, fmt.Errorf("run script: %w: %s", ErrNotRunning, d.Error)
	}
	result.Exit, result.Signal = d.Exit, d.Signal
	result.TimedOut, result.Truncated = d.TimedOut, d.Truncated
	result.Took = time.Duration(d.Micros) * time.Microsecond
	return *result, nil
}

func (s *Sandbox) runOutput(f link.Frame) {
	if len(f.Payload) < 1 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.runs[f.Stream]
	if r == nil {
		return
	}
	out := &r.Stdout
	if f.Payload[0] == 2 {
		out = &r.Stderr
	}
	if len(*out) < 16<<20 {
		*out = append(*out, f.Payload[1:]...)
	}
}

// Sample takes one look at processes and cgroup now.
func (s *Sandbox) Sample(ctx context.Context) (Sample, error) {
	id := s.number()
	v, err := s.ask(ctx, id, link.KindSampled, func(c *conn) error {
		return c.send(link.Frame{Kind: link.KindSample, Stream: id})
	})
	if err != nil {
		return Sample{}, fmt.Errorf("take sample: %w", err)
	}
	return v.(Sample), nil
}

// Rescue ends every process of the learner and keeps the home.
func (s *Sandbox) Rescue(ctx context.Context) error { return s.kill(ctx, link.Kill{}) }

func (s *Sandbox) kill(ctx context.Context, k link.Kill) error {
	id := s.number()
	v, err := s.ask(ctx, id, link.KindDone, func(c *conn) error { return c.sendJSON(link.KindKill, id, k) })
	if err != nil {
		return fmt.Errorf("end processes: %w", err)
	}
	if d := v.(link.Done); d.Error != "" {
		return fmt.Errorf("end processes: %s", d.Error)
	}
	return nil
}

// Terminal returns the terminal of that tab (1 to 9), opened at its first View.
func (s *Sandbox) Terminal(tab int) *Terminal {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.terminals[tab]
	if t == nil {
		t = newTerminal(s, tab)
		t.over = s.over
		s.terminals[tab] = t
	}
	return t
}

func (s *Sandbox) existing(tab uint32) *Terminal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.terminals[int(tab)]
}

// note lets the journal see output, and tells of the commands it found in it.
func (s *Sandbox) note(tab int, offset int64, p []byte) {
	for _, c := range s.journal.Feed(tab, offset, p, time.Now()) {
		if !c.End.IsZero() {
			s.emit(Event{Command: &c})
		}
	}
}

// Journal returns the commands that ended or run now, oldest first, at most the
// last 200, with Seq > since.
func (s *Sandbox) Journal(since int64) []Command { return s.journal.Commands(since) }

// Subscribe returns a channel of events until cancel is called or the sandbox
// ends, when it is closed. A subscriber that lags by 64 events loses the oldest.
func (s *Sandbox) Subscribe() (events <-chan Event, cancel func()) {
	sub := make(chan Event, eventBacklog)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subs == nil {
		close(sub)
		return sub, func() {}
	}
	s.subs[sub] = struct{}{}
	return sub, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, ok := s.subs[sub]; ok {
			delete(s.subs, sub)
			close(sub)
		}
	}
}

func (s *Sandbox) emit(e Event) {
	e.At = time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.subs {
		for {
			select {
			case sub <- e:
			default:
				select {
				case <-sub: // the oldest makes room
				default:
				}
				continue
			}
			break
		}
	}
}

func (s *Sandbox) setState(to State) {
	s.mu.Lock()
	changed := s.state != to
	s.state = to
	s.mu.Unlock()
	if changed {
		s.emit(Event{State: &to})
	}
}

// ID is the sandbox's id.
func (s *Sandbox) ID() string { return s.spec.ID } // never changes

// Owner is who claimed it; "" when nobody did.
func (s *Sandbox) Owner() string { return s.owner } // never changes

// Lab is "<module>/<lab>".
func (s *Sandbox) Lab() string { return s.spec.Lab } // never changes

// UID is the learner's uid.
func (s *Sandbox) UID() int { return s.spec.UID } // never changes

// Limits are the present ones.
func (s *Sandbox) Limits() Limits {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spec.Limits
}

// Expires is when the Keeper ends it.
func (s *Sandbox) Expires() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spec.Expires
}

// State is what it is in now.
func (s *Sandbox) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Generation counts resets from 0; marks of an older one say nothing of the present.
func (s *Sandbox) Generation() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gen
}

// Missing names what this sandbox's engine or kernel lacks ("accounting", "inotify", …).
func (s *Sandbox) Missing() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.missing
}

// Done is closed when the sandbox has ended for good.
func (s *Sandbox) Done() <-chan struct{} { return s.done }
