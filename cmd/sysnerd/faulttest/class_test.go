package faulttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// seat is one learner of the class, with everything open.
type seat struct {
	*box
	*terminal
	*page
	mark     string // a variable of its shell
	counting bool   // a loop prints numbers
	turns    int    // of the slow check
}

// class are learners who work while things break around them.
type class struct {
	t      *testing.T
	server *server
	seats  []*seat
	kept   []acknowledged
}

func newClass(t *testing.T, s *server, n int) *class {
	t.Helper()
	c := &class{t: t, server: s, seats: make([]*seat, n)}
	var wg sync.WaitGroup
	for i := range n {
		l := s.learner()
		wg.Go(func() {
			b := l.claim("one")
			c.seats[i] = &seat{box: b, terminal: b.terminal(""), page: b.page(), mark: "mark" + b.ID}
			c.seats[i].runs("v="+c.seats[i].mark, 20*time.Second)
		})
	}
	wg.Wait()
	return c
}

// count has a loop running in a seat's shell.
func (s *seat) count() {
	s.counting = true
	s.types(counting)
	s.sees("n=3\r\n", 10*time.Second)
}

// isWhole says that this is the shell of before, and that its program ran on.
func (s *seat) isWhole(t *testing.T) {
	t.Helper()
	if s.counting {
		at := s.number()
		if !s.waits(10*time.Second, func() bool {
			s.terminal.mu.Unlock()
			defer s.terminal.mu.Lock()
			return s.number() > at+3
		}) {
			t.Errorf("the loop of %s stands still at %d", s.ID, at)
		}
		s.counting = false
		_ = s.say(map[string]any{"type": "interrupt"})
		s.sees("^C", 5*time.Second)
	}
	s.types("echo \"v=$v\"\n")
	s.sees("v="+s.mark+"\r\n", 10*time.Second)
}

// checks begins the slow check of a seat, and returns while it looks.
func (s *seat) checks() <-chan answer {
	for {
		s.turns++
		begun := fmt.Sprintf("/tmp/begun-%d", s.turns) // root's, so it can't be removed
		s.runs(fmt.Sprintf("echo %d >slow", s.turns), 10*time.Second)
		began := time.Now()
		result := make(chan answer, 1)
		go func() { _, a := s.check("slow"); result <- a }()
		s.runs("exec 8<> <(:); until [ -e "+begun+" ]; do read -rt 0.05 -u 8; done; rm slow", 25*time.Second)
		// One that the page began by itself may have come first: this one is then behind it.
		if time.Since(began) < 5*time.Second || s.terminal.t.Failed() {
			return result
		}
		<-result
	}
}

// saysInterrupted holds what came of a check that was cut short.
func saysInterrupted(t *testing.T, result <-chan answer) {
	t.Helper()
	select {
	case a := <-result:
		if a.verdict() != "" || a.err == nil && (a.status != http.StatusServiceUnavailable || a.text() == "") {
			t.Errorf("a check that was cut short answered %d %s", a.status, a.body)
		}
	case <-time.After(20 * time.Second):
		t.Error("a check that was cut short never answered")
	}
}

// everybody does the same in every seat at once.
func (c *class) everybody(do func(s *seat)) {
	c.t.Helper()
	var wg sync.WaitGroup
	for _, s := range c.seats {
		wg.Go(func() { do(s) })
	}
	wg.Wait()
}

// comesBack says that all are attached again within 10 s of since.
func (c *class) comesBack(since time.Time) {
	c.t.Helper()
	c.everybody(func(s *seat) {
		if !s.backSince(since, time.Until(since.Add(10*time.Second))) {
			c.t.Errorf("terminal of %s is not back within 10 s", s.ID)
		}
	})
}

// acknowledged is what was told to have been kept.
type acknowledged struct {
	seat    *seat
	expires string
}

// acknowledge has results told: the first seats pass a task, answer one, and extend.
func (c *class) acknowledge(n int) (all []acknowledged) {
	c.t.Helper()
	for _, s := range c.seats[:n] {
		s.runs("touch done", 10*time.Second)
		if verdict, a := s.check("file"); verdict != "pass" {
			c.t.Fatalf("check = %q, %d %s", verdict, a.status, a.body)
		}
		if a := s.do("answer", map[string]string{"task": "word", "value": "secret" + s.ID}); a.verdict() != "pass" {
			c.t.Fatalf("answer = %d %s", a.status, a.body)
		}
		if a := s.do("extend", nil); a.status != http.StatusOK {
			c.t.Fatalf("extend = %d %s", a.status, a.body)
		}
		all = append(all, acknowledged{s, s.expires()})
	}
	return all
}

// isKept says that all that was acknowledged is there.
func (c *class) isKept(t *testing.T) {
	t.Helper()
	for _, a := range c.kept {
		a.isKept(t)
	}
}

func (a acknowledged) isKept(t *testing.T) {
	t.Helper()
	for _, task := range []string{"file", "word"} {
		if passed, _ := a.seat.progress(task); !passed {
			t.Errorf("the pass of %s in %s is lost", task, a.seat.ID)
		}
	}
	if now := a.seat.expires(); now != a.expires {
		t.Errorf("%s was extended to %s, and ends at %s", a.seat.ID, a.expires, now)
	}
	if verdict, _ := a.seat.check("word"); verdict != "pass" {
		t.Errorf("the answer of %s is lost: %s", a.seat.ID, verdict)
	}
}

// TestClass has twenty learners at work while the server, then what runs the sandboxes,
// is killed under them: rows Server and Engine of the table. Over TCP the engine may be
// anywhere, and all goes through it; on this machine what learners do goes past it; and
// the local engine is no process of its own.
func TestClass(t *testing.T) {
	t.Run("through-the-engine", func(t *testing.T) {
		line := newRelay(t, "tcp", "unix", own.socket())
		c := newClassOn(t, reached{own, "tcp://" + line.address()})
		c.losesTheServer(t)
		t.Run("engine-killed-live-restore", func(t *testing.T) { c.losesTheEngine(t, true) })
		c.losesContainers(t)
		t.Run("engine-killed-without-live-restore", func(t *testing.T) { c.losesAllWithTheEngine(t, true) })
	})
	t.Run("past-the-engine", func(t *testing.T) {
		c := newClassOn(t, own)
		c.losesTheServer(t)
		t.Run("engine-killed-live-restore", func(t *testing.T) { c.losesTheEngine(t, false) })
		c.losesContainers(t)
		t.Run("engine-killed-without-live-restore", func(t *testing.T) { c.losesAllWithTheEngine(t, false) })
	})
	t.Run("local", func(t *testing.T) {
		c := newClassOn(t, daemonless{})
		c.losesTheServer(t)
		t.Run("helper-killed", c.losesTheHelper)
		c.losesContainers(t)
		t.Run("every-container-gone", func(t *testing.T) {
			c.losesAll(t, func(time.Time) {
				for _, seat := range c.seats {
					if err := c.server.on.end(c.server.instance(), seat.ID); err != nil {
						t.Error(err)
					}
				}
			})
		})
	})
}

// newClassOn gives a class of twenty on a new server, with results that were acknowledged.
func newClassOn(t *testing.T, on runner) *class {
	t.Helper()
	c := newClass(t, newServer(t, on, "--sandbox-capacity", "26", "--sandbox-pool", "2"), 20)
	if t.Failed() {
		t.FailNow()
	}
	c.kept = c.acknowledge(3)
	return c
}

// losesTheServer kills the server, and then stops it.
func (c *class) losesTheServer(t *testing.T) {
	s := c.server
	t.Run("server-killed", func(t *testing.T) {
		for _, seat := range c.seats[8:] {
			seat.count()
		}
		cut := []<-chan answer{c.seats[4].checks(), c.seats[5].checks()}
		ours, foreign := s.on.leave(t, s.instance())
		s.kill()
		for _, r := range cut {
			saysInterrupted(t, r)
		}
		began := time.Now()
		s.start()
		c.comesBack(began)
		c.everybody(func(seat *seat) { seat.isWhole(t) })
		c.isKept(t)
		for _, seat := range c.seats[4:6] {
			if passed, last := seat.progress("slow"); passed || last == "pass" {
				t.Errorf("a check that was cut short passed in %s", seat.ID)
			}
		}
		for _, l := range ours {
			if !eventually(30*time.Second, func() bool { return !l.there() }) {
				t.Errorf("%s, of a crash in the middle of a start, is still there 30 s later", l.name)
			}
		}
		for _, l := range foreign {
			if !l.there() {
				t.Errorf("%s is not ours, and was removed", l.name)
			}
			l.remove()
		}
		s.hasNoStrays(len(c.seats))
	})

	t.Run("server-stopped", func(t *testing.T) {
		for _, seat := range c.seats[8:14] {
			seat.count()
		}
		cut := c.seats[4].checks()
		if took := s.stop(); took > 10*time.Second {
			t.Errorf("SIGTERM: ended after %s, want at most 10 s", took)
		}
		saysInterrupted(t, cut)
		began := time.Now()
		s.start()
		c.comesBack(began)
		c.everybody(func(seat *seat) {
			seat.isWhole(t)
			seat.terminal.mu.Lock()
			defer seat.terminal.mu.Unlock()
			if n := len(seat.closes); n == 0 || seat.closes[n-1] != 1012 {
				t.Errorf("terminal of %s was closed with %v, want 1012 at last", seat.ID, seat.closes)
			}
		})
		c.isKept(t)
		s.hasNoStrays(len(c.seats))
	})

}

// losesContainers has two end, and holds all that everybody saw until then.
func (c *class) losesContainers(t *testing.T) {
	s := c.server
	t.Run("container-gone", func(t *testing.T) {
		for i, end := range []func(instance, id string) error{s.on.end, s.on.remove} {
			seat := c.seats[i]
			began := time.Now()
			if err := end(s.instance(), seat.ID); err != nil {
				t.Fatal(err)
			}
			seat.hears(began, 2*time.Second, "state", "ended")
			seat.isRenewed(t)
		}
		s.hasNoStrays(len(c.seats))
	})

	t.Run("histories", func(t *testing.T) { c.everybody(func(seat *seat) { seat.judge() }) })
}

// losesTheEngine kills dockerd, with live-restore: sandboxes go on. Through it nothing
// works meanwhile; past it, who has a sandbox does not feel it.
func (c *class) losesTheEngine(t *testing.T, through bool) {
	s := c.server
	for _, seat := range c.seats[8:] {
		seat.count()
	}
	cut := c.seats[4].checks()
	began := time.Now()
	own.kill()
	giveBack := func() {}
	if through {
		c.everybody(func(seat *seat) { seat.hears(began, 5*time.Second, "state", "lost") })
		saysInterrupted(t, cut)
		s.answersInWords(t, c)
	} else {
		giveBack = s.isNotMissed(t, c)
		if a := <-cut; a.status != http.StatusOK || a.verdict() != "fail" {
			t.Errorf("a check under way when the engine ended answered %d %s", a.status, a.body)
		}
	}
	if a := c.seats[0].call("GET", "/os/labs/one", nil); a.status != http.StatusOK {
		t.Errorf("the lab's page without an engine = %d", a.status)
	}
	time.Sleep(time.Until(began.Add(15 * time.Second))) // the outage
	back := time.Now()
	if err := own.start(true); err != nil {
		t.Fatal(err)
	}
	c.everybody(func(seat *seat) {
		if through {
			seat.hears(back, 10*time.Second, "state", "live")
		}
		seat.isWhole(t)
	})
	giveBack()
	c.isKept(t)
	s.hasNoStrays(len(c.seats))
}

// losesTheHelper kills the process that runs the sandboxes. The server ends with it.
func (c *class) losesTheHelper(t *testing.T) {
	for _, seat := range c.seats[8:] {
		seat.count()
	}
	cut := c.seats[4].checks()
	c.server.killHelper()
	saysInterrupted(t, cut)
	began := time.Now()
	c.server.start()
	c.comesBack(began)
	c.everybody(func(seat *seat) { seat.isWhole(t) })
	c.isKept(t)
	c.server.hasNoStrays(len(c.seats))
}

// losesAllWithTheEngine kills dockerd without live-restore.
func (c *class) losesAllWithTheEngine(t *testing.T, through bool) {
	c.losesAll(t, func(began time.Time) {
		own.kill()
		if through {
			c.everybody(func(seat *seat) { seat.hears(began, 5*time.Second, "state", "lost") })
		}
		if err := own.start(false); err != nil {
			t.Fatal(err)
		}
	})
	// As it was before, for the tests that follow.
	own.kill()
	if err := own.start(true); err != nil {
		t.Fatal(err)
	}
}

// losesAll has every sandbox end: all are told, and one click gives a new one.
func (c *class) losesAll(t *testing.T, end func(began time.Time)) {
	began := time.Now()
	end(began)
	back := time.Now()
	c.everybody(func(seat *seat) { seat.hears(began, time.Since(began)+5*time.Second, "state", "ended") })
	t.Logf("told %s after that", time.Since(back).Round(time.Millisecond))
	for _, seat := range c.seats[2:5] {
		seat.isRenewed(t)
	}
	c.server.hasNoStrays(3)
}

// answersInWords says that without an engine nothing works, and everything says so.
func (s *server) answersInWords(t *testing.T, c *class) {
	t.Helper()
	for what, a := range map[string]answer{
		"check": second(c.seats[0].check("file")),
		"claim": s.learner().call("POST", "/api/v1/sandboxes", map[string]string{"module": "os", "lab": "one"}),
		"reset": c.seats[7].do("reset", nil),
		"ready": c.seats[0].call("GET", "/readyz", nil),
	} {
		if a.status != http.StatusServiceUnavailable || what != "ready" && a.text() == "" || a.took > 10*time.Second {
			t.Errorf("%s without an engine = %d %s after %s", what, a.status, a.body, a.took)
		}
	}
}

// isNotMissed says that who has a sandbox works on without an engine, and that a warm
// one is to be had, which is given back once there is an engine again.
func (s *server) isNotMissed(t *testing.T, c *class) (giveBack func()) {
	t.Helper()
	c.everybody(func(seat *seat) {
		if seat.counting {
			seat.sees(fmt.Sprintf("n=%d\r\n", seat.number()+10), 10*time.Second)
		} else if seat != c.seats[4] { // whose shell waits for its check
			seat.types("echo \"v=$v\"\n")
			seat.sees("v="+seat.mark+"\r\n", 10*time.Second)
		}
	})
	if _, a := c.seats[0].check("file"); a.status != http.StatusOK || a.took > 5*time.Second {
		t.Errorf("check without an engine = %d %s after %s", a.status, a.body, a.took)
	}
	l := s.learner()
	a := l.call("POST", "/api/v1/sandboxes", map[string]string{"module": "os", "lab": "one"})
	warm := &box{learner: l}
	if a.status != http.StatusCreated || json.Unmarshal(a.body, warm) != nil {
		t.Errorf("claim of a warm sandbox without an engine = %d %s", a.status, a.body)
		return func() {}
	}
	warm.terminal("").runs("true", 10*time.Second)
	return func() {
		if a := l.call("DELETE", "/api/v1/sandboxes/"+warm.ID, nil); a.status != http.StatusNoContent {
			t.Errorf("end = %d %s", a.status, a.body)
		}
	}
}

// isRenewed says that one click gives a new sandbox in place of one that ended,
// and that results are kept.
func (s *seat) isRenewed(t *testing.T) {
	t.Helper()
	if _, a := s.check("file"); a.text() == "" || a.status != http.StatusConflict && a.status != http.StatusNotFound {
		t.Errorf("check in an ended sandbox = %d %s", a.status, a.body)
	}
	s.terminal.close()
	s.page.close()
	passed, _ := s.progress("file")
	old := s.ID
	began := time.Now()
	s.box = s.claim("one")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a new sandbox took %s, want at most 5 s", took)
	}
	s.terminal, s.page = s.box.terminal(""), s.box.page()
	if s.ID == old {
		t.Errorf("claim gave the ended sandbox %s again", old)
	}
	s.types("echo \"v=$v\"\n")
	s.sees("v=\r\n", 10*time.Second)
	s.runs("v="+s.mark, 10*time.Second)
	if again, _ := s.progress("file"); again != passed {
		t.Errorf("progress of %s: passed %t, and after a new sandbox %t", old, passed, again)
	}
}

func second(_ string, a answer) answer { return a }
