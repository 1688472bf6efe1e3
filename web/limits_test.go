package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"sysnerd/labs"
	"sysnerd/sandbox"
)

// movableCourse is the course with a lab two whose memory may be moved.
func movableCourse(t *testing.T) *labs.Library {
	t.Helper()
	files := course()
	lab := files["os/labs/02-two/lab.yaml"]
	files["os/labs/02-two/lab.yaml"] = &fstest.MapFile{
		Data: append(lab.Data[:len(lab.Data):len(lab.Data)], "limits:\n  memory: 256 MiB\n  memory-low: 224 MiB\n  memory-high: 512 MiB\n"...),
	}
	library, problems := labs.Load(files)
	for _, p := range problems {
		t.Fatal(p)
	}
	return library
}

func movable(t *testing.T) option {
	library := movableCourse(t)
	return func(_ *sandbox.KeeperConfig, cfg *Config) { cfg.Library = func() *labs.Library { return library } }
}

func (p *person) moveLimit(box sandboxJSON, body string) answer {
	p.tb.Helper()
	return p.do(p.request("PATCH", "/api/v1/sandboxes/"+box.ID+"/limits", []byte(body)))
}

func TestMemoryLimitMovesAndEverybodyIsTold(t *testing.T) {
	h := build(t, movable(t))
	p := h.learner()
	box := p.claim("two")
	pages := []*stream{p.listen("/api/v1/sandboxes/" + box.ID + "/events"), p.listen("/api/v1/sandboxes/" + box.ID + "/events"), p.listen("/api/v1/sandboxes/" + box.ID + "/kernel")}
	is := func(memory int) func(event) bool {
		return func(e event) bool {
			return e.name == "limits" && e.data["memory"] == float64(memory) && e.data["memory_low"] == float64(224<<20) && e.data["memory_high"] == float64(512<<20)
		}
	}
	for _, page := range pages {
		page.until("the limit at the start", is(256<<20))
	}
	got := p.moveLimit(box, fmt.Sprintf(`{"memory":%d}`, 512<<20))
	var limits limitsJSON
	got.into(&limits)
	if got.status != http.StatusOK || limits.Memory != 512<<20 || limits.MemoryLow != 224<<20 || limits.MemoryHigh != 512<<20 {
		t.Errorf("PATCH = %d %s", got.status, got.body)
	}
	for _, page := range pages {
		page.until("the limit that was set", is(512<<20))
	}

	// It is there after a restart, and as at the start after a reset.
	library := movable(t)
	h.stop()
	again := open(t, h.engine, h.image, h.dir, library)
	q := &person{again, p.client}
	page := q.listen("/api/v1/sandboxes/" + box.ID + "/kernel")
	page.until("the limit after a restart", is(512<<20))
	if got := q.call("POST", "/api/v1/sandboxes/"+box.ID+"/reset", nil); got.status != http.StatusOK {
		t.Fatalf("reset = %d %s", got.status, got.body)
	}
	page.until("the limit after a reset", is(256<<20))
}

func TestMemoryLimitIsRefusedWithTheRange(t *testing.T) {
	h := build(t, movable(t))
	p := h.learner()
	fixed, moves := p.claim("one"), p.claim("two")
	for _, c := range []struct {
		box    sandboxJSON
		body   string
		status int
		says   string
	}{
		{fixed, `{"memory":268435456}`, http.StatusForbidden, "os/one doesn't let"},
		{moves, `{"memory":1}`, http.StatusUnprocessableEntity, "between 224 MiB and 512 MiB; 1 bytes lies outside"},
		{moves, `{"memory":-5}`, http.StatusUnprocessableEntity, "-5 bytes"},
		{moves, `{"memory":9223372036854775807}`, http.StatusUnprocessableEntity, "512 MiB"},
		{moves, `{"memory":536870913}`, http.StatusOK, ""}, // less than a page too much is no more
		{moves, `{"memory":536875008}`, http.StatusUnprocessableEntity, "512 MiB"},
		{moves, `{"memory":1e400}`, http.StatusBadRequest, ""},
		{moves, `{"memory":"256 MiB"}`, http.StatusBadRequest, ""},
		{moves, `{"memory":null}`, http.StatusBadRequest, "no limit"},
		{moves, `{}`, http.StatusBadRequest, "no limit"},
		{moves, `{"memory":268435456,"cpus":8}`, http.StatusBadRequest, ""},
	} {
		got := p.moveLimit(c.box, c.body)
		if got.status != c.status {
			t.Errorf("PATCH %s = %d %s, want %d", c.body, got.status, got.body, c.status)
			continue
		}
		if c.status == http.StatusOK {
			continue
		}
		if problem := got.problem(); !strings.Contains(problem.Detail, c.says) {
			t.Errorf("PATCH %s says %q, want %q in it", c.body, problem.Detail, c.says)
		}
	}
	if got := h.learner().moveLimit(moves, `{"memory":268435456}`); got.status != http.StatusNotFound {
		t.Errorf("of another learner's: %d %s", got.status, got.body)
	}
}

func TestWallIsOnThePageOfALabThatMayMove(t *testing.T) {
	h := build(t, movable(t))
	p := h.learner()
	for lab, want := range map[string]bool{"one": false, "two": true} {
		got := p.call("GET", "/os/labs/"+lab, nil)
		if has := strings.Contains(string(got.body), `<sn-wall low="234881024" high="536870912">`); has != want {
			t.Errorf("page of lab %s: wall is there: %t, want %t", lab, has, want)
		}
	}
}
