package guest

import (
	"maps"
	"slices"
	"sync"
	"time"

	"sysnerd/sandbox/link"
)

// returnTime is how long the guest waits for a pty that it asks back, and for a link
// to end on which one is handed over. Only a server that was stopped takes longer.
const returnTime = 2 * time.Second

// lending is who reads and writes a terminal's pty instead of the guest. Under the
// terminal's mu.
type lending struct {
	asked *conn     // the link that wants the pty whenever it can be had
	to    *conn     // the link that has it; nil while the guest does
	until time.Time // asked back, and taken then; zero while it is not
	over  sync.Cond // to is nil
	dead  bool      // the shell was killed: its pty is not handed over any more
}

// want has the pty handed over to that link, after what it was told before.
func (t *terminal) want(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lending.asked = c
}

// lend hands the pty over if that is wanted, once the shell has taken what waits of
// the input: what the server writes itself must not overtake it. It returns 0 while
// the pty is lent, and a negative number while it is not. Under mu.
func (t *terminal) lend() time.Duration {
	l := &t.lending
	if l.to != nil {
		return 0
	}
	if l.asked == nil || l.asked != t.g.link() || len(t.input) > 0 || t.fd < 0 || l.dead {
		return -1
	}
	l.to = l.asked
	t.ring.Lend()
	l.to.sendRights(link.KindHanded, t.tab, link.Handed{
		Start: t.ring.Start(), End: t.ring.Head(), Modes: t.ring.Modes(),
	}, t.fd, t.ring.File())
	t.tell()
	return 0
}

// reclaim asks for a lent pty, whose shell has ended. It returns how long to wait
// for it at most, and a negative number once the guest has it. Under mu.
func (t *terminal) reclaim() time.Duration {
	l := &t.lending
	if l.to == nil {
		return -1
	}
	now := time.Now()
	if l.until.IsZero() {
		l.until = now.Add(returnTime)
		l.to.send(link.Frame{Kind: link.KindReclaim, Stream: t.tab})
	}
	if wait := l.until.Sub(now); wait > 0 {
		return wait
	}
	t.takeBack()
	return -1
}

// recall asks all ptys back whose shells were killed, before anybody hears that they
// were: what is typed then is for the next shell, and what was typed before for none.
func (g *Guest) recall() {
	g.mu.Lock()
	all := slices.Collect(maps.Values(g.terminals))
	g.mu.Unlock()
	for _, t := range all {
		t.mu.Lock()
		t.lending.dead = t.fd >= 0
		if t.lending.dead {
			t.drop()
			t.reclaim()
		}
		t.mu.Unlock()
	}
}

// takeBack makes the guest the reader again: the server reads no more. Under mu.
func (t *terminal) takeBack() {
	t.ring.Settle()
	t.sent = t.ring.Head()
	t.reached, t.credit = t.sent, 0
	t.place(t.ring.Head())
	t.lending.to, t.lending.until = nil, time.Time{}
	t.lending.over.Broadcast()
}

// returned takes the pty back from a server that gives it back, or refuses it.
func (t *terminal) returned(c *conn, r link.Return) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lending.to != c {
		return
	}
	if r.Refused {
		t.lending.asked = nil
	}
	t.takeBack()
	t.credit = max(t.sent, min(r.Credit, t.sent+link.OutputWindow))
	t.poke()
}

// gone takes the pty back from a link that is over.
func (t *terminal) gone(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lending.asked == c {
		t.lending.asked = nil
	}
	if t.lending.to == c {
		t.takeBack()
		t.poke()
	}
}

// lentTo says whether that link has the pty.
func (t *terminal) lentTo(c *conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lending.to == c
}

// seen is told up to where the server has read.
func (t *terminal) seen(c *conn, head int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lending.to == c && head >= t.ring.Head() {
		t.place(head)
	}
}

// place gives the processes that have ended their place in the output before head.
func (t *terminal) place(head int64) {
	if t.g.account != nil {
		t.g.account.place(t.tab, head)
	}
}
