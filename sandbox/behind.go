package sandbox

import "sysnerd/sandbox/link"

// behind is what was found in output that came past the link, and waits until all that
// the guest sent over the link before is told.
type behind struct {
	ping   uint32 // its pong comes after all that
	events []Event
}

// emitBehind tells of commands whose end was read from a pty that was handed over. An
// answer that such a command gave went over the link before the shell printed the mark
// of its end, but may be read later; who hears of the end first would check without it.
func (s *Sandbox) emitBehind(c *conn, events []Event) {
	s.mu.Lock()
	s.next++
	b := behind{s.next, events}
	s.behind = append(s.behind, b)
	s.mu.Unlock()
	if c.send(link.Frame{Kind: link.KindPing, Stream: b.ping}) != nil {
		s.caughtUp(b.ping) // nothing comes over that link any more
	}
}

// caughtUp tells what waited for a pong, and what waited longer.
func (s *Sandbox) caughtUp(pong uint32) {
	s.mu.Lock()
	n := 0
	for i, b := range s.behind {
		if b.ping == pong {
			n = i + 1
		}
	}
	due := s.behind[:n]
	s.behind = s.behind[n:]
	s.mu.Unlock()
	emitAll(s, due)
}

// allCaughtUp tells all that waited: the link is over.
func (s *Sandbox) allCaughtUp() {
	s.mu.Lock()
	due := s.behind
	s.behind = nil
	s.mu.Unlock()
	emitAll(s, due)
}

func emitAll(s *Sandbox, due []behind) {
	for _, b := range due {
		for _, e := range b.events {
			s.emit(e)
		}
	}
}
