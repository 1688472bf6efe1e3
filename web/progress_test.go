package web

import (
	"strings"
	"testing"

	"sysnerd/labs"
)

func TestProgressOfALearner(t *testing.T) {
	h := build(t)
	p := h.learner()
	read := func(p *person) recordJSON {
		t.Helper()
		var record recordJSON
		got := p.call("GET", "/api/v1/progress", nil)
		if got.status != 200 {
			t.Fatalf("progress = %d %s", got.status, got.body)
		}
		got.into(&record)
		return record
	}
	if got := read(p); got.Passed != 0 || got.Tasks != 16 || len(got.Modules) != 1 || len(got.Modules[0].Labs) != 2 || got.Modules[0].Labs[0].BegunAt != nil {
		t.Errorf("before anything: %+v", got)
	}
	box := p.claim("one")
	p.call("POST", helpPath+"nothing/predict", map[string]string{"choice": "1"})
	p.call("POST", helpPath+"nothing/hint", nil)
	p.call("POST", helpPath+"nothing/solution", nil)
	p.check(box, "nothing")
	p.call("POST", helpPath+"nothing/why", map[string]string{"text": "It asks <nothing>."})
	s := p.terminal(box, "")
	s.until("$ ")
	s.typed("touch ~/tried; echo tri$((1))ed\n")
	s.until("tri1ed")
	for range 2 {
		p.check(box, "guess")
	}
	got := read(p)
	lab := got.Modules[0].Labs[0]
	if got.Passed != 1 || lab.Passed != 1 || lab.BegunAt == nil || lab.Sandboxes != 1 || lab.Path != "/os/labs/one" || got.Modules[0].Labs[1].Sandboxes != 0 {
		t.Errorf("record is %+v", got)
	}
	nothing, guess := lab.Tasks[0], lab.Tasks[6]
	if nothing.PassedAt == nil || nothing.SecondsToPass == nil || *nothing.SecondsToPass > 60 || nothing.Hints != 1 || !nothing.Revealed || !nothing.ComesBack ||
		nothing.Prediction != "1" || nothing.Outcome != "40" || nothing.Why != "It asks <nothing>." || len(nothing.Results) != 1 || nothing.Results[0].Status != labs.Pass {
		t.Errorf("task nothing: %+v", nothing)
	}
	if guess.ID != "guess" || guess.Passed || guess.Outcome != "" || guess.Tries != 1 || len(guess.Results) != 1 || guess.Results[0].Message != "It has not run." {
		t.Errorf("task guess: %+v", guess)
	}
	page := p.call("GET", "/progress", nil)
	for _, want := range []string{"You said 1, it was 40.", "It asks &lt;nothing&gt;.", "1 of 8 passed", "shown, comes back in the gauntlet", `href="/os/labs/one"`} {
		if !strings.Contains(string(page.body), want) {
			t.Errorf("the page lacks %s:\n%s", want, page.body)
		}
	}
	if strings.Contains(string(page.body), "137") {
		t.Error("the page tells an outcome before the pass")
	}
	if other := read(h.learner()); other.Passed != 0 || other.Modules[0].Labs[0].Sandboxes != 0 {
		t.Errorf("another learner's record: %+v", other)
	}
	h = h.restart()
	q := &person{h, p.client}
	if again := read(q); again.Passed != 1 || again.Modules[0].Labs[0].Tasks[0].Why != "It asks <nothing>." {
		t.Errorf("after a restart: %+v", again)
	}
}
