package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sysnerd/sandbox/link"
)

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
		stop := context.AfterFunc(ctx, c.breakOff)
		c.receive(func(f link.Frame) { s.handle(c, f) })
		stop()
		if ctx.Err() == nil {
			s.setState(Lost) // before anybody hears that his request was lost
		}
		s.unlink()
		c.stream.Close() // the guest reads its ptys from here on, and nobody else does
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

// unlink fails everything that waits for a reply.
func (s *Sandbox) unlink() {
	s.disturbed.Add(1)
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
	s.allCaughtUp()
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
