package web

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sysnerd/labs"
	"sysnerd/sandbox"
)

// stream is a client of Server-Sent Events.
type stream struct {
	tb     testing.TB
	events chan event // closed at the stream's end
	close  func()
}

type event struct {
	name string
	data map[string]any
	at   time.Time // when it was here
}

func (p *person) listen(path string) *stream {
	p.tb.Helper()
	response, err := p.client.Do(p.request("GET", path, nil))
	if err != nil {
		p.tb.Fatal(err)
	}
	if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || kind != "text/event-stream" {
		p.tb.Fatalf("GET %s = %d %s", path, response.StatusCode, kind)
	}
	s := &stream{p.tb, make(chan event, 1000), sync.OnceFunc(func() { response.Body.Close() })}
	p.tb.Cleanup(s.close)
	go func() {
		defer close(s.events)
		var e event
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "event":
				e.name = value
			case "data":
				_ = json.Unmarshal([]byte(value), &e.data)
			case "":
				if e.name != "" {
					e.at = time.Now()
					s.events <- e
				}
				e = event{}
			}
		}
	}()
	return s
}

// until waits for an event for which is is true.
func (s *stream) until(what string, is func(event) bool) event {
	s.tb.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case e, ok := <-s.events:
			if !ok {
				s.tb.Fatalf("stream ended before %s", what)
			}
			if is(e) {
				return e
			}
		case <-late:
			s.tb.Fatalf("no %s", what)
		}
	}
}

func result(task string, status labs.Status) func(event) bool {
	return func(e event) bool {
		return e.name == "result" && e.data["task"] == task && e.data["status"] == string(status)
	}
}

func TestStreamBeginsWithThePresent(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("two")
	s := p.listen("/api/v1/sandboxes/" + box.ID + "/events")
	for _, want := range []struct{ name, key string }{{"state", "state"}, {"time", "seconds_left"}, {"limits", "memory"}} {
		e := <-s.events
		if e.name != want.name || e.data[want.key] == nil {
			t.Errorf("got %v, want a %s with %s", e, want.name, want.key)
		}
	}
	got := p.call("POST", "/api/v1/sandboxes/"+box.ID+"/extend", nil)
	if got.status != 200 {
		t.Fatalf("extend = %d %s", got.status, got.body)
	}
	var extended struct {
		ExpiresAt time.Time `json:"expires_at"`
	}
	got.into(&extended)
	if moved := extended.ExpiresAt.Sub(box.ExpiresAt).Round(time.Second); moved != extendBy {
		t.Errorf("extend moved the end by %s", moved)
	}
	s.until("time", func(e event) bool { return e.name == "time" && e.data["seconds_left"].(float64) > 3700 })
	if got := p.call("POST", "/api/v1/sandboxes/"+box.ID+"/extend", struct{}{}); got.status != 200 {
		t.Fatalf("second extend = %d %s", got.status, got.body)
	}
	if got := p.call("POST", "/api/v1/sandboxes/"+box.ID+"/extend", nil); got.status != http.StatusConflict {
		t.Errorf("extend at the longest life = %d %s", got.status, got.body)
	}
	if got := p.call("PATCH", "/api/v1/sandboxes/"+box.ID+"/limits", map[string]int{"memory": 512 << 20}); got.status != 403 || !strings.Contains(got.problem().Detail, "os/two") {
		t.Errorf("PATCH limits = %d %s", got.status, got.body)
	}
}

func TestCommandsAreCheckedWhileAPageListens(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	events := p.listen("/api/v1/sandboxes/" + box.ID + "/events")
	s := p.terminal(box, "")
	s.until("$ ")
	s.typed("touch ~/done\n")
	e := events.until("pass", result("file", labs.Pass))
	if e.data["message"] != "The file is there." {
		t.Errorf("result is %v", e.data)
	}
	s.typed("answer secret\n")
	events.until("pass of the answer", result("word", labs.Pass))
}

func TestAnswerCountsWithoutAPage(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	s := p.terminal(box, "")
	s.until("$ ")
	s.typed("answer secret && echo hand$((1))ed\n")
	s.until("hand1ed")
	// The answer goes over the link before `answer` ends, and the run of a check after it.
	if r := p.check(box, "word"); r.Status != labs.Pass {
		t.Errorf("check = %+v", r)
	}
	got := p.call("POST", "/api/v1/sandboxes/"+box.ID+"/answer", map[string]string{"task": "word", "value": "other"})
	if r := p.one(got); r.Status != labs.Fail {
		t.Errorf("answer = %+v", r)
	}
	for body, want := range map[string]int{
		`{"task":"file","value":"x"}`: 409, `{"task":"none","value":"x"}`: 404, `{"value":"x"}`: 404,
		`{"task":"word","value":"` + strings.Repeat("x", 5000) + `"}`: 400,
	} {
		if got := p.do(p.request("POST", "/api/v1/sandboxes/"+box.ID+"/answer", []byte(body))); got.status != want {
			t.Errorf("answer %.40s = %d %s, want %d", body, got.status, got.body, want)
		}
	}
}

func TestChecksOfATaskTakeTurns(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	results := make(chan labs.Result, 20)
	var ask sync.WaitGroup
	for range 20 {
		ask.Go(func() { results <- p.check(box, "slow") })
	}
	ask.Wait()
	close(results)
	runs := map[string]int{}
	for r := range results {
		runs[r.Message]++
		if r.Status != labs.Fail {
			t.Errorf("result is %+v", r)
		}
	}
	if len(runs) > 5 {
		t.Errorf("20 callers at once made the check run %d times: %v", len(runs), runs)
	}
}

func TestBrokenCheckIsOurFault(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	r := p.check(box, "broken")
	if r.Status != labs.Broken || r.Reference == "" {
		t.Errorf("check = %+v", r)
	}
	var lab labJSON
	p.call("GET", "/api/v1/modules/os/labs/one", nil).into(&lab)
	if got := lab.Tasks[4].Progress; got.Last != nil || got.Tries != 0 {
		t.Errorf("a broken check was counted: %+v", got)
	}
	// The author reads in the log what the learner never does.
	if log := h.log.String(); !strings.Contains(log, r.Reference) || !strings.Contains(log, "told") || !strings.Contains(log, "why") || !strings.Contains(log, "exited with 7") {
		t.Errorf("the log lacks reference %s, output or reason:\n%s", r.Reference, log)
	}
	metrics := string(p.call("GET", "/metrics", nil).body)
	if want := `sysnerd_broken_checks_total{task="os/one/broken"} 1`; !strings.Contains(metrics, want) {
		t.Errorf("metrics lack %s", want)
	}
}

func TestCheckOfAllTasksHasEachInOrder(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	var all struct{ Results []labs.Result }
	p.call("POST", "/api/v1/sandboxes/"+box.ID+"/check", nil).into(&all)
	var order []string
	for _, r := range all.Results {
		order = append(order, r.Task+" "+string(r.Status))
	}
	if got, want := strings.Join(order, ", "), "nothing pass, file fail, word fail, slow fail, broken broken, here fail, guess fail, after pass"; got != want {
		t.Errorf("results are %s, want %s", got, want)
	}
}

func TestResetForgetsFilesAndAnswersAndKeepsResults(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	s := p.terminal(box, "")
	s.until("$ ")
	s.typed("touch ~/done; echo made$((1))it\n")
	s.until("made1it")
	if r := p.check(box, "file"); r.Status != labs.Pass {
		t.Fatalf("check = %+v", r)
	}
	p.call("POST", "/api/v1/sandboxes/"+box.ID+"/answer", map[string]string{"task": "word", "value": "secret"})
	before, _, err := h.store.Attempt(t.Context(), box.ID)
	if err != nil {
		t.Fatal(err)
	}
	got := p.call("POST", "/api/v1/sandboxes/"+box.ID+"/reset", nil)
	var again sandboxJSON
	got.into(&again)
	if got.status != 200 || again.ID != box.ID || again.State != sandbox.Live {
		t.Fatalf("reset = %d %s", got.status, got.body)
	}
	if r := p.check(box, "file"); r.Status != labs.Fail {
		t.Errorf("the file is still there: %+v", r)
	}
	if r := p.check(box, "word"); r.Status != labs.Fail {
		t.Errorf("the answer is still there: %+v", r)
	}
	after, _, err := h.store.Attempt(t.Context(), box.ID)
	if err != nil {
		t.Fatal(err)
	}
	if after.Seed != before.Seed || after.Generation != before.Generation+1 {
		t.Errorf("attempt was %+v, is %+v", before, after)
	}
	var lab labJSON
	p.call("GET", "/api/v1/modules/os/labs/one", nil).into(&lab)
	if !lab.Tasks[1].Progress.Passed {
		t.Error("the reset took a pass away")
	}
}

func TestEndOfSandboxIsToldAtOnce(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	events := p.listen("/api/v1/sandboxes/" + box.ID + "/events")
	terminal := p.terminal(box, "")
	terminal.until("$ ")
	began := time.Now()
	if err := h.engine.Remove(t.Context(), box.ID); err != nil { // from outside
		t.Fatal(err)
	}
	events.until("state ended", func(e event) bool { return e.name == "state" && e.data["state"] == "ended" })
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the end was told after %s", took)
	}
	if _, more := <-events.events; more {
		t.Error("the stream went on after the end")
	}
	if e := terminal.closed(); e.Code != 1000 {
		t.Errorf("terminal was closed with %v", e)
	}
	if got := p.call("POST", "/api/v1/sandboxes/"+box.ID+"/check", nil); got.status != http.StatusConflict {
		t.Errorf("check afterwards = %d %s", got.status, got.body)
	}
	var now sandboxJSON
	p.call("GET", "/api/v1/sandboxes/"+box.ID, nil).into(&now)
	if now.State != sandbox.Ended {
		t.Errorf("afterwards the state is %s", now.State)
	}
	if again := p.claim("one"); again.ID == box.ID || again.State != sandbox.Live {
		t.Errorf("a new claim gave %+v", again)
	}
}

func TestKernelSamplesAreSharedByAllWhoListen(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	one := p.listen("/api/v1/sandboxes/" + box.ID + "/kernel")
	two := p.listen("/api/v1/sandboxes/" + box.ID + "/kernel")
	is := func(e event) bool { return e.name == "sample" && len(e.data["processes"].([]any)) > 0 }
	two.until("sample", is)
	latest := one.until("sample", is).data["at"]
	for same := false; !same; {
		a, b := one.until("sample", is).data["at"], two.until("sample", is).data["at"]
		same = a == b || a == latest
		latest = b
	}
}

func TestStreamsOfASandboxAreBounded(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	for range maxStreams {
		p.listen("/api/v1/sandboxes/" + box.ID + "/kernel")
	}
	if got := p.call("GET", "/api/v1/sandboxes/"+box.ID+"/events", nil); got.status != http.StatusTooManyRequests {
		t.Errorf("one more stream = %d", got.status)
	}
	if _, response, err := p.dial(box.Terminal); err == nil || response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one more terminal = %v, %v", response, err)
	}
}
