package sandbox

import "time"

const (
	// nudgePause lets a program see the first of two sizes before the second comes:
	// many paint nothing when they find the size that they know.
	nudgePause = 100 * time.Millisecond
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
	other := t.size
	if other.Rows--; other.Rows == 0 {
		other.Rows = 2
	}
	if t.sendSize(other) != nil {
		return
	}
	time.AfterFunc(nudgePause, func() {
		t.mu.Lock()
		size := t.size
		t.mu.Unlock()
		_ = t.sendSize(size) // a link that is down opens the terminal anew, by its size
	})
}
