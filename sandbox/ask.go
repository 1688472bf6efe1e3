package sandbox

import (
	"context"
	"fmt"

	"sysnerd/sandbox/link"
	"sysnerd/sandbox/ptyring"
)

// ticket finds who waits for a reply.
type ticket struct {
	kind   link.Kind
	stream uint32
}

// handle takes in one frame of the guest. Nothing that it says is taken for granted.
func (s *Sandbox) handle(c *conn, f link.Frame) {
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
	case link.KindHanded:
		fds := c.handed()
		var h link.Handed
		if t := s.existing(f.Stream); t == nil || f.JSON(&h) != nil || !t.handedOver(c, h, fds) {
			ptyring.CloseAll(fds)
		}
	case link.KindReclaim:
		if t := s.existing(f.Stream); t != nil {
			t.giveBack(c)
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
		s.caughtUp(f.Stream)
	case link.KindOOM:
		var o link.OOM
		if f.JSON(&o) == nil {
			s.emit(Event{OOM: &OOM{
				Count: o.Count, At: o.At, PID: o.PID, Command: o.Command, RSS: o.RSS, Score: o.Score, Adj: o.Adj, Limit: o.Limit,
			}})
		}
	case link.KindEnded:
		var d link.Ended
		if f.JSON(&d) == nil {
			s.emit(Event{Exits: d.Count})
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

// Disturbed counts how often everything in the sandbox was being ended, by Rescue
// or Reset, and how often its link broke. A script that ran while the count moved
// says nothing.
func (s *Sandbox) Disturbed() int64 { return s.disturbed.Load() }

// Rescue ends every process of the learner and keeps the home.
func (s *Sandbox) Rescue(ctx context.Context) error { return s.kill(ctx, link.Kill{}) }

func (s *Sandbox) kill(ctx context.Context, k link.Kill) error {
	s.disturbed.Add(1)
	defer s.disturbed.Add(1)
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
