package faulttest

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

// lines of seq as a terminal shows them.
func numbered(n int) []byte {
	var b bytes.Buffer
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "%d\r\n", i)
	}
	return b.Bytes()
}

// TestNetwork spoils the line between one learner and the server: row Network of
// the table.
func TestNetwork(t *testing.T) {
	t.Parallel()
	onEach(t, *asked, testNetwork)
}

func testNetwork(t *testing.T, on runner) {
	s := newServer(t, on, "--sandbox-capacity", "4", "--sandbox-pool", "0")
	line := newRelay(t, "tcp", "tcp", s.address)
	l := s.learner(line.address())
	b := l.claim("one")

	t.Run("million-lines-over-20-drops", func(t *testing.T) {
		c := b.terminal("")
		c.runs("PS1=", 10*time.Second)
		c.types("echo be''gin; seq 1 1000000; echo e''nd\n")
		c.sees("begin\r\n", 10*time.Second)
		c.mu.Lock()
		first := c.mark
		c.mu.Unlock()
		want := numbered(1000000)
		for drop := 1; drop <= 20; drop++ {
			if !c.waits(30*time.Second, func() bool { return len(c.seen)-first > drop*len(want)/21 }) {
				t.Fatalf("drop %d: nothing more came", drop)
			}
			began := time.Now()
			line.cut()
			if !c.backSince(began, 10*time.Second) {
				t.Fatalf("drop %d: not back within 10 s", drop)
			}
		}
		c.sees("end\r\n", 60*time.Second)
		c.mu.Lock()
		got := c.seen[first:min(len(c.seen), first+len(want))]
		if len(c.skipped) > 0 {
			t.Errorf("%v were skipped, want nothing", c.skipped)
		}
		if !bytes.Equal(got, want) {
			t.Error("what came is not what seq prints")
		}
		c.mu.Unlock()
		c.judge()
		c.close()
	})

	t.Run("away-beyond-the-ring", func(t *testing.T) {
		c := b.terminal("?tab=2")
		c.runs("PS1=", 10*time.Second)
		c.types("echo be''gin; seq 1 300000; echo e''nd\n")
		c.sees("begin\r\n", 10*time.Second)
		c.mu.Lock()
		first := c.mark
		c.mu.Unlock()
		line.cut()
		l.goes("127.0.0.1:1") // where nobody listens
		time.Sleep(9 * time.Second)
		l.goes(line.address())
		c.sees("end\r\n", 30*time.Second)
		c.mu.Lock()
		want := numbered(300000)
		if len(c.skipped) == 0 {
			t.Error("nothing was skipped, though more was printed than is kept")
		}
		for i, got := range c.seen[first:min(len(c.seen), first+len(want))] {
			if got != want[i] && !c.isSkipped(c.start+int64(first+i)) {
				t.Errorf("byte %d of the output is %q, want %q", i, got, want[i])
				break
			}
		}
		c.mu.Unlock()
		c.judge()
		c.close()
	})

	t.Run("black-hole", func(t *testing.T) {
		c := b.terminal("?tab=3")
		c.types(counting)
		c.sees("n=3\r\n", 10*time.Second)
		frozen := time.Now()
		line.freeze(true)
		time.Sleep(time.Until(frozen.Add(15 * time.Second)))
		// The first half of the time ends with the old line alive, the second without.
		line.freeze(false)
		at := c.number()
		c.sees(fmt.Sprintf("n=%d\r\n", at+250), 10*time.Second)
		line.freeze(true)
		time.Sleep(time.Until(frozen.Add(30 * time.Second)))
		line.cut()
		line.freeze(false)
		if !c.backSince(frozen.Add(30*time.Second), 10*time.Second) {
			t.Error("not back within 10 s of the black hole's end")
		}
		c.sees(fmt.Sprintf("n=%d\r\n", c.number()+10), 10*time.Second)
		c.judge()
		c.close()
	})

	t.Run("flapping-and-another-address", func(t *testing.T) {
		c := b.terminal("?tab=4")
		c.types(counting)
		c.sees("n=3\r\n", 10*time.Second)
		for range 25 {
			line.cut()
			time.Sleep(100 * time.Millisecond)
		}
		l.moves("127.0.0.2")
		line.cut()
		began := time.Now()
		if !c.backSince(began, 10*time.Second) {
			t.Error("not back from another address within 10 s")
		}
		c.sees(fmt.Sprintf("n=%d\r\n", c.number()+10), 10*time.Second)
		c.judge()
		c.close()
	})

	t.Run("two-tabs", func(t *testing.T) {
		writer, viewer := b.terminal("?tab=5"), b.terminal("?tab=5")
		writer.waits(10*time.Second, func() bool { return len(writer.hellos) > 0 })
		viewer.waits(10*time.Second, func() bool { return len(viewer.hellos) > 0 })
		for range 5 {
			line.cut()
			_ = writer.say(map[string]any{"type": "writer", "writer": true})
		}
		began := time.Now()
		if !writer.backSince(began, 5*time.Second) || !viewer.backSince(began.Add(-time.Second), 5*time.Second) {
			t.Error("one of two tabs is not back")
		}
		_ = writer.say(map[string]any{"type": "writer", "writer": true})
		writer.runs("echo both-see-it", 10*time.Second)
		viewer.sees("both-see-it\r\n", 10*time.Second)
		writer.judge()
		viewer.judge()
	})
}
