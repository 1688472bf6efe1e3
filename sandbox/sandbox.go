package sandbox

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// eventBacklog is how many events a subscriber may lag behind.
const eventBacklog = 64

// Sandbox is a running sandbox as the server sees it: the far end of a link to
// its guest. All methods may be called by any number of goroutines at once.
type Sandbox struct {
	engine    Engine
	log       *slog.Logger
	journal   *Journal
	current   atomic.Pointer[conn]
	disturbed atomic.Int64
	// distrusted says that its guest misused a pty that it handed over: none is taken.
	distrusted atomic.Bool
	done       chan struct{}
	cancel     context.CancelFunc // ends the goroutine that keeps the link
	stopped    chan struct{}      // closed when it has ended

	mu        sync.Mutex
	spec      Spec
	owner     string
	state     State
	ready     bool // the lab's initial state is there; before that it never counts as live
	over      bool // done is closed
	replacing bool // the container is being replaced: its absence is no end
	gen       int
	touched   time.Time // when the learner last did something
	warned    bool      // he was told that it ends for want of a sign of him
	asked     time.Time // when the guest was last asked for a sign of life
	silent    bool      // it gave none
	started   int64     // when the guest began, as it says; another number is another guest
	missing   []string
	pending   map[ticket]chan any
	behind    []behind
	runs      map[uint32]*RunResult
	terminals map[int]*Terminal
	subs      map[chan Event]struct{}
	next      uint32
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
		touched:   time.Now(),
		pending:   map[ticket]chan any{},
		runs:      map[uint32]*RunResult{},
		terminals: map[int]*Terminal{},
		subs:      map[chan Event]struct{}{},
		// Replies to requests of a server before this one must match none of ours.
		next: rand.Uint32(),
	}
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

// note lets the journal see output, and tells of the commands it found in it: at once
// when it came over the link, else behind what the guest sent over c.
func (s *Sandbox) note(tab int, offset int64, p []byte, c *conn) {
	if len(p) == 0 {
		return
	}
	var ended []Event
	for _, command := range s.journal.Feed(tab, offset, p, time.Now()) {
		if !command.End.IsZero() {
			ended = append(ended, Event{Command: &command})
		}
	}
	switch {
	case len(ended) == 0:
	case c != nil:
		s.emitBehind(c, ended)
	default:
		emitAll(s, []behind{{events: ended}})
	}
}

// Journal returns the commands that ended or run now, oldest first, at most the
// last 200, with Seq > since.
func (s *Sandbox) Journal(since int64) []Command {
	s.mu.Lock()
	open := s.open()
	s.mu.Unlock()
	for _, t := range open {
		if h := t.pty.Load(); h != nil {
			h.settle()
		}
	}
	return s.journal.Commands(since)
}

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
