package faulttest

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// bystander types into a quiet terminal and measures how long each key takes.
type bystander struct {
	*box
	*terminal
	stop chan struct{}
	done chan struct{}

	mu    sync.Mutex
	times []time.Duration
}

func (s *server) bystander() *bystander {
	s.t.Helper()
	b := s.learner().claim("one")
	y := &bystander{box: b, terminal: b.terminal(""), stop: make(chan struct{}), done: make(chan struct{})}
	y.runs("stty -echo; exec 2>/dev/null; PS1=", 10*time.Second)
	y.types("cat\n")
	go y.work()
	return y
}

// work sends a line, waits until cat has printed it, and sends the next. Each is
// another, so that one lost, doubled or reordered is noticed.
func (y *bystander) work() {
	defer close(y.done)
	for i := 1; ; i++ {
		select {
		case <-y.stop:
			return
		default:
		}
		line := strings.Repeat(string(rune('a'+i%26)), 1+i%7)
		began := time.Now()
		y.types(line + "\n")
		if !y.sees(line+"\r\n", 10*time.Second) {
			return
		}
		y.mu.Lock()
		y.times = append(y.times, time.Since(began))
		y.mu.Unlock()
		time.Sleep(20 * time.Millisecond) // as fast as somebody types who is fast
	}
}

// isFast holds what was measured since it was asked last.
func (y *bystander) isFast(t *testing.T) {
	t.Helper()
	var times []time.Duration
	if !eventually(10*time.Second, func() bool {
		y.mu.Lock()
		defer y.mu.Unlock()
		times = slices.Clone(y.times)
		return len(times) >= 20
	}) {
		t.Errorf("the bystander's terminal showed %d lines within 10 s", len(times))
		return
	}
	y.mu.Lock()
	y.times = nil
	y.mu.Unlock()
	slices.Sort(times)
	if p95 := times[len(times)*95/100]; p95 > 200*time.Millisecond {
		t.Errorf("the bystander's p95 was %s, want at most 200 ms", p95)
	}
}

// TestLearner has one learner do his worst, ten times over, beside another who
// just types: row Learner of the table.
func TestLearner(t *testing.T) {
	onEach(t, *asked, testLearner)
}

func testLearner(t *testing.T, on runner) {
	s := newServer(t, on, "--sandbox-capacity", "6", "--sandbox-pool", "0")
	by := s.bystander()
	b := s.learner().claim("one")
	c, page := b.terminal(""), b.page()
	c.runs("echo precious >keep", 10*time.Second)

	for _, attack := range []struct {
		name  string
		types string
		event string // what the page is told within 3 s: an event, and a word in it
		word  string
		sees  string // what the terminal shows before it goes on
		shell bool   // it goes on without help
	}{
		{name: "fork-bomb", types: "b() { b | b & }; b\n", event: "notice", word: "processes-full"},
		{name: "memory-bomb", types: "tail /dev/zero\n", event: "oom", word: "count", shell: true},
		{name: "home-full", types: "cat /dev/zero >fill; echo\n", event: "notice", word: "home-full", shell: true},
		{name: "tmp-full", types: "cat /dev/zero >/tmp/fill; echo\n", event: "notice", word: "tmp-full", shell: true},
		{name: "inode-bomb", types: "mkdir d; for ((i = 0; i < 5000; i++)); do : >d/$i; done 2>/dev/null\n", event: "notice", word: "home-full", shell: true},
		{name: "kill-everything", types: "/bin/kill -9 -1\n", sees: "A new one follows.]", shell: true},
		{name: "kill-pid-1", types: "kill -9 1; kill 1; /bin/kill -TERM 1\n", shell: true},
		{name: "exec-sleep", types: "exec sleep 1000\n"},
		{name: "stty-raw", types: "stty raw -echo -isig; exec sleep 1000\n"},
		{name: "escape-without-end", types: "printf '\\e]0;'; head -c 10M /dev/zero | tr '\\0' x; echo\n", shell: true},
	} {
		t.Run(attack.name, func(t *testing.T) {
			began := time.Now()
			c.types(attack.types)
			if attack.event != "" {
				page.hears(began, 3*time.Second, attack.event, attack.word)
			}
			if verdict, a := b.check("file"); verdict != "fail" || a.took > 3*time.Second {
				t.Errorf("check = %q, %d %s after %s; want fail within 3 s", verdict, a.status, a.body, a.took)
			}
			if attack.sees != "" {
				c.sees(attack.sees, 5*time.Second)
			}
			if attack.shell {
				c.runs("true", 10*time.Second)
			}
			if a := b.do("rescue", nil); a.status != http.StatusOK || a.took > 5*time.Second {
				t.Errorf("rescue = %d %s after %s; want 200 within 5 s", a.status, a.body, a.took)
			}
			c.runs("stty -a | grep -q ' icanon.* echo ' && grep precious keep", 5*time.Second)
			by.isFast(t)
			if a := b.do("reset", nil); a.status != http.StatusOK || a.took > 5*time.Second {
				t.Errorf("reset = %d %s after %s; want 200 within 5 s", a.status, a.body, a.took)
			}
			c.runs("[ -z \"$(ls)\" ] && echo precious >keep", 5*time.Second)
		})
	}

	t.Run("flood-without-reader", func(t *testing.T) {
		flood := b.terminal("?tab=2")
		flood.acknowledges(false)
		flood.types("yes\n")
		flood.sees("y\r\ny\r\n", 10*time.Second)
		got := -1
		for flood.waits(time.Second, func() bool { return len(flood.seen) > got }) {
			got = flood.size()
		}
		if got > 256<<10+4096 {
			t.Errorf("a client that acknowledges nothing got %d bytes, want at most 256 KiB", got)
		}
		if verdict, a := b.check("file"); verdict != "fail" || a.took > 3*time.Second {
			t.Errorf("check = %q after %s; want fail within 3 s", verdict, a.took)
		}
		c.runs("true", 3*time.Second)
		flood.acknowledges(true)
		_ = flood.say(map[string]any{"type": "interrupt"})
		flood.sees("^C", 3*time.Second)
		flood.runs("true", 3*time.Second)
		by.isFast(t)
		flood.close()
	})

	t.Run("paste-into-sleep", func(t *testing.T) {
		c.types("sleep 1000\n")
		c.sees("sleep 1000\r\n", 5*time.Second)
		line := strings.Repeat("y", 99) + "\n"
		for range 16 {
			if err := c.send(websocket.BinaryMessage, []byte(strings.Repeat(line, 650))); err != nil {
				t.Fatal(err)
			}
		}
		_ = c.say(map[string]any{"type": "interrupt"})
		c.sees("^C", 3*time.Second)
		c.runs("true", 3*time.Second)
		by.isFast(t)
	})

	close(by.stop)
	<-by.done
	by.judge()
	c.judge()
	s.hasNoStrays(2)
}
