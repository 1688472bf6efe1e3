package faulttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestCrowd has two hundred learners come in one second where ten fit, and ten
// thousand strangers knock: row Crowd of the table.
func TestCrowd(t *testing.T) {
	onEach(t, *asked, testCrowd)
}

func testCrowd(t *testing.T, on runner) {
	const all, fit, strangers = 200, 10, 10000
	s := newServer(t, on, "--sandbox-capacity", fmt.Sprint(fit), "--sandbox-pool", fmt.Sprint(fit), "--log-level", "warn")
	if !eventually(30*time.Second, func() bool { return s.metric("sysnerd_sandboxes_warm") == fit }) {
		t.Fatal("the pool does not fill")
	}
	learners := make([]*learner, all)
	for i := range learners {
		learners[i] = s.learner()
		learners[i].client.CloseIdleConnections()
	}
	before := s.costs()

	claims := func(l *learner) (a answer, place int) {
		a = l.call("POST", "/api/v1/sandboxes", map[string]string{"module": "os", "lab": "one"})
		var p struct{ Place, Wait int }
		_ = json.Unmarshal(a.body, &p)
		switch {
		case a.err != nil:
			t.Errorf("claim: %v", a.err)
		case a.status == http.StatusServiceUnavailable && (p.Place == 0 || p.Wait == 0 || a.header.Get("Retry-After") == "" || a.text() == ""):
			t.Errorf("claim = 503 %s, want a place, an estimate and when to ask again", a.body)
		case a.status > 201 && a.status != http.StatusServiceUnavailable:
			t.Errorf("claim = %d %s", a.status, a.body)
		}
		return a, p.Place
	}

	type came struct {
		*learner
		place int
	}
	var (
		mu    sync.Mutex
		in    []*box
		queue []came
		slow  time.Duration
		wg    sync.WaitGroup
	)
	for i, l := range learners {
		wg.Go(func() {
			time.Sleep(time.Duration(i) * time.Second / all) // they come within a second
			a, place := claims(l)
			mu.Lock()
			defer mu.Unlock()
			slow = max(slow, a.took)
			if place > 0 {
				queue = append(queue, came{l, place})
				return
			}
			b := &box{learner: l}
			if json.Unmarshal(a.body, b) == nil {
				in = append(in, b)
			}
		})
	}
	wg.Wait()
	t.Logf("the slowest of %d claims took %s", all, slow.Round(time.Millisecond))
	if slow > time.Second {
		t.Errorf("a claim took %s, want at most 1 s", slow)
	}
	if len(in) != fit || len(queue) != all-fit {
		t.Fatalf("%d are in and %d wait, want %d and %d", len(in), len(queue), fit, all-fit)
	}
	slices.SortFunc(queue, func(a, b came) int { return a.place - b.place })
	for i, w := range queue {
		if w.place != i+1 {
			t.Fatalf("place %d was given for the %dth", w.place, i+1)
		}
	}
	for _, b := range in {
		b.terminal("").runs("true", 10*time.Second)
	}

	// Three leave: the first three come in, in whatever order all ask.
	for _, b := range in[:3] {
		if a := b.call("DELETE", "/api/v1/sandboxes/"+b.ID, nil); a.status != http.StatusNoContent {
			t.Fatalf("end = %d %s", a.status, a.body)
		}
	}
	in = in[3:]
	for i, w := range slices.Backward(queue[:20]) {
		a, place := claims(w.learner)
		switch {
		case i < 3 && place == 0:
			b := &box{learner: w.learner}
			if err := json.Unmarshal(a.body, b); err != nil {
				t.Fatal(err)
			}
			in = append(in, b)
		case i < 3:
			t.Errorf("number %d of the queue is not let in, but told place %d", i+1, place)
		case place == 0:
			t.Errorf("number %d of the queue is let in before those who came first", i+1)
		}
	}

	// Handshakes without a session, on a few connections.
	refused := make([]time.Duration, strangers)
	began := time.Now()
	transport := &http.Transport{MaxIdleConnsPerHost: 20}
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	for worker := range 20 {
		wg.Go(func() {
			for i := worker; i < strangers; i += 20 {
				r, _ := http.NewRequest("GET", "http://"+s.address+in[0].Terminal, nil)
				for name, value := range map[string]string{
					"Origin": "http://" + s.address, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
					"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "sysnerd.terminal.v1",
				} {
					r.Header.Set(name, value)
				}
				asked := time.Now()
				response, err := client.Do(r)
				if err != nil {
					t.Errorf("handshake: %v", err)
					return
				}
				response.Body.Close()
				if response.StatusCode != http.StatusUnauthorized {
					t.Errorf("handshake of a stranger = %d", response.StatusCode)
				}
				refused[i] = time.Since(asked)
			}
		})
	}
	wg.Wait()
	slices.Sort(refused)
	t.Logf("%d handshakes refused in %s, p99 %s", strangers, time.Since(began).Round(time.Millisecond), refused[strangers*99/100].Round(time.Millisecond))
	if p99 := refused[strangers*99/100]; p99 > 200*time.Millisecond {
		t.Errorf("a stranger's handshake took %s at the 99th percentile", p99)
	}
	transport.CloseIdleConnections()

	for _, b := range in {
		if a := b.call("DELETE", "/api/v1/sandboxes/"+b.ID, nil); a.status != http.StatusNoContent {
			t.Errorf("end = %d %s", a.status, a.body)
		}
	}
	for _, l := range learners {
		l.client.CloseIdleConnections()
	}
	var wrong string
	if !eventually(40*time.Second, func() bool { wrong = s.costs().above(before); return wrong == "" }) {
		t.Errorf("after the crowd has gone: %s", wrong)
	}
	s.hasNoStrays(0)
}

// costs are what the server has of the machine.
type costs struct{ goroutines, files, memory float64 }

func (s *server) costs() costs {
	return costs{s.metric("go_goroutines"), s.metric("process_open_fds"), s.metric("go_memstats_heap_inuse_bytes")}
}

// above says what is more than it was, but for what a cache or a pool may hold.
func (c costs) above(was costs) string {
	var more []string
	for _, n := range []struct {
		what          string
		now, was, may float64
	}{{"goroutines", c.goroutines, was.goroutines, 5}, {"open files", c.files, was.files, 5}, {"bytes of heap", c.memory, was.memory, 8 << 20}} {
		if n.now > n.was+n.may {
			more = append(more, fmt.Sprintf("%.0f %s, and %.0f before", n.now, n.what, n.was))
		}
	}
	return strings.Join(more, "; ")
}
