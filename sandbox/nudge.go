package sandbox

import "time"

const (
	// nudgePause lets a program see the first of two sizes before the second comes:
	// many paint nothing when they find the size that they know. It is repeated while
	// nothing is printed, nudgeTries times in all.
	nudgePause = 100 * time.Millisecond
	nudgeTries = 5
	// nudgeAgain is when it is made to paint a second time.
	nudgeAgain = 700 * time.Millisecond
	// nudgeEvery bounds how often viewers who lost output make a program paint. The
	// repaint is still in the history for those who come sooner.
	nudgeEvery = time.Second
)

// redraw returns what a viewer has to show before the oldest byte kept, and has a
// full-screen program paint what is older than that. Under mu.
func (t *Terminal) redraw(blank bool) []byte {
	t.nudge()
	rows := t.size.Rows
	if blank {
		rows = 0
	}
	return t.hist.tail.Prefix(rows)
}

// nudge makes a full-screen program paint everything: its terminal loses a row and
// gets it back. Under mu.
func (t *Terminal) nudge() {
	if !t.open || time.Since(t.nudged) < nudgeEvery {
		return
	}
	if now := t.hist.now(); !now.FullScreen() {
		return
	}
	t.nudged = time.Now()
	t.shrink()
	// A program that was busy may have found both changes at once, and no change.
	time.AfterFunc(nudgeAgain, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if now := t.hist.now(); t.open && now.FullScreen() {
			t.shrink()
		}
	})
}

// shrink takes a row from the terminal, and has it given back. Under mu.
func (t *Terminal) shrink() {
	other := t.size
	if other.Rows--; other.Rows == 0 {
		other.Rows = 2
	}
	if at := t.hist.end; t.sendSize(other) == nil {
		time.AfterFunc(nudgePause, func() { t.unnudge(at, nudgeTries-1) })
	}
}

// unnudge gives the terminal its size back, once a program has printed something
// since output up to at.
func (t *Terminal) unnudge(at int64, tries int) {
	t.mu.Lock()
	seen, size := t.hist.end > at, t.size
	t.mu.Unlock()
	if !seen && tries > 0 {
		time.AfterFunc(nudgePause, func() { t.unnudge(at, tries-1) })
		return
	}
	_ = t.sendSize(size) // a link that is down opens the terminal anew, by its size
}
