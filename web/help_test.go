package web

import (
	"net/http"
	"strings"
	"testing"

	"sysnerd/labs"
	"sysnerd/labs/classroom"
)

const helpPath = "/api/v1/modules/os/labs/one/tasks/"

func TestHintsOpenOneByOne(t *testing.T) {
	h := build(t)
	p := h.learner()
	got := p.call("POST", helpPath+"nothing/hint", nil)
	if got.status != 200 || !strings.Contains(string(got.body), `"n":1`) || !strings.Contains(string(got.body), "First hint.") ||
		!strings.Contains(string(got.body), `"more":true,"n":1,"next_in":45`) {
		t.Fatalf("first hint = %d %s", got.status, got.body)
	}
	got = p.call("POST", helpPath+"nothing/hint", nil)
	if got.status != http.StatusConflict || got.header.Get("Retry-After") != "45" {
		t.Errorf("hint at once = %d, Retry-After %q: %s", got.status, got.header.Get("Retry-After"), got.body)
	}
	// A new try opens the next.
	who := p.identity()
	if _, err := h.store.SaveResult(t.Context(), classroom.Look{
		Learner: who, Module: "os", Lab: "one", Result: labs.Result{Task: "nothing", Status: labs.Fail, Attempted: true, Message: "No."},
	}); err != nil {
		t.Fatal(err)
	}
	got = p.call("POST", helpPath+"nothing/hint", struct{}{})
	if got.status != 200 || !strings.Contains(string(got.body), "Second hint.") || !strings.Contains(string(got.body), `"more":false`) {
		t.Errorf("second hint = %d %s", got.status, got.body)
	}
	got = p.call("POST", helpPath+"nothing/hint", nil)
	if got.status != http.StatusConflict || got.header.Get("Retry-After") != "" || got.problem().Type != "urn:sysnerd:problem:no-more-hints" {
		t.Errorf("third hint = %d %s", got.status, got.body)
	}
}

// identity is the learner's, as the server reads it.
func (p *person) identity() string {
	p.tb.Helper()
	r := p.request("GET", "/", nil)
	for _, c := range p.client.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	id, ok := p.server.signer.read(r)
	if !ok {
		p.tb.Fatal("no identity")
	}
	return id
}

func TestPredictionIsTheFirst(t *testing.T) {
	h := build(t)
	p := h.learner()
	for _, test := range []struct {
		task, choice string
		want         int
		prediction   string
	}{
		{"nothing", "2", 400, ""},
		{"nothing", "1", 200, "1"},
		{"nothing", "40", 200, "1"},
		{"file", "1", 409, ""},
		{"none", "1", 404, ""},
	} {
		got := p.call("POST", helpPath+test.task+"/predict", map[string]string{"choice": test.choice})
		if got.status != test.want || test.want == 200 && !strings.Contains(string(got.body), `"prediction":"`+test.prediction+`"`) {
			t.Errorf("predict %s for %s = %d %s, want %d %s", test.choice, test.task, got.status, got.body, test.want, test.prediction)
		}
	}
}

func TestCourseHidesWhatWasNotAskedFor(t *testing.T) {
	h := build(t)
	p := h.learner()
	path := "/api/v1/modules/os/labs/one"
	hidden := []string{"The solution of", "First hint.", "Second hint.", `"outcome"`, "pass '", "touch", "The reason of", "4032", "drip"}
	body := string(p.call("GET", path, nil).body)
	for _, secret := range append(hidden, "hints_total") {
		if strings.Contains(body, secret) {
			t.Errorf("the lab shows %q: %s", secret, body)
		}
	}
	if nobody := string(h.stranger().call("GET", path, nil).body); strings.Contains(nobody, `"progress"`) || !strings.Contains(nobody, "goal_html") {
		t.Errorf("a stranger sees %s", nobody)
	}
	got := p.call("POST", helpPath+"nothing/solution", nil)
	if got.status != 200 || !strings.Contains(string(got.body), "The solution of 10-nothing.") {
		t.Errorf("solution = %d %s", got.status, got.body)
	}
	var lab labJSON
	p.call("GET", path, nil).into(&lab)
	if progress := lab.Tasks[0].Progress; !progress.Revealed || progress.Solution == "" || progress.Passed {
		t.Errorf("progress is %+v", progress)
	}
}

// solve brings the person's sandbox to where the check of a task passes.
func (p *person) solve(box sandboxJSON, line, task string) labs.Result {
	p.tb.Helper()
	s := p.terminal(box, "")
	s.until("$ ")
	s.typed(line + "; echo do$((1))ne\n")
	s.until("do1ne")
	r := p.check(box, task)
	if r.Status != labs.Pass {
		p.tb.Fatalf("check of %s = %+v", task, r)
	}
	return r
}

func (p *person) tasks() []taskJSON {
	p.tb.Helper()
	var lab labJSON
	p.call("GET", "/api/v1/modules/os/labs/one", nil).into(&lab)
	return lab.Tasks
}

func (p *person) task(id string) taskJSON {
	p.tb.Helper()
	for _, t := range p.tasks() {
		if t.ID == id {
			return t
		}
	}
	p.tb.Fatalf("no task %s", id)
	return taskJSON{}
}

func TestPredictionMeetsTheOutcomeThatTheCheckTold(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	p.call("POST", helpPath+"guess/predict", map[string]string{"choice": "1"})
	got := p.call("POST", "/api/v1/sandboxes/"+box.ID+"/check", map[string]string{"task": "guess"})
	if r := p.one(got); r.Status != labs.Fail || strings.Contains(string(got.body), "137") {
		t.Errorf("before the pass: %s", got.body)
	}
	if body := p.call("GET", "/os/labs/one", nil).body; !strings.Contains(string(body), "You said 1. Now run it.") {
		t.Errorf("the page does not show the prediction:\n%s", body)
	}
	if r := p.solve(box, "touch ~/guess", "guess"); r.Outcome != "137" {
		t.Errorf("with the pass: %+v", r)
	}
	if got := p.task("guess").Progress; got.Prediction != "1" || got.Outcome != "137" {
		t.Errorf("progress is %+v", got)
	}
	if body := p.call("GET", "/os/labs/one", nil).body; !strings.Contains(string(body), "You said 1, it was 137.") {
		t.Errorf("the page does not compare:\n%s", body)
	}
	// Another learner, who did not predict, can't any more once he knows.
	q := h.learner()
	q.solve(q.claim("one"), "touch ~/guess", "guess")
	if got := q.call("POST", helpPath+"guess/predict", map[string]string{"choice": "137"}); got.status != http.StatusConflict || got.problem().Type != "urn:sysnerd:problem:too-late" {
		t.Errorf("predict after the pass = %d %s", got.status, got.body)
	}
}

func TestWhyIsAskedAfterThePass(t *testing.T) {
	h := build(t)
	p := h.learner()
	if got := p.call("POST", helpPath+"nothing/why", map[string]string{"text": "So."}); got.status != http.StatusConflict || strings.Contains(string(got.body), "The reason") {
		t.Errorf("before the pass = %d %s", got.status, got.body)
	}
	p.check(p.claim("one"), "nothing")
	if got := p.task("nothing").Progress; got.Why != "" || got.WhyHTML != "" {
		t.Errorf("before he wrote: %+v", got)
	}
	for text, want := range map[string]int{"": 400, " \n\t": 400, "a\x00b": 400, strings.Repeat("x", 1001): 400} {
		if got := p.call("POST", helpPath+"nothing/why", map[string]string{"text": text}); got.status != want {
			t.Errorf("why %.20q = %d %s, want %d", text, got.status, got.body, want)
		}
	}
	got := p.call("POST", helpPath+"nothing/why", map[string]string{"text": " Since <b>it</b>\nasked. "})
	var said struct {
		Why     string `json:"why"`
		WhyHTML string `json:"why_html"`
	}
	got.into(&said)
	if got.status != 200 || said.Why != "Since <b>it</b> asked." || !strings.Contains(said.WhyHTML, "The reason of 10-nothing.") {
		t.Errorf("why = %d %s", got.status, got.body)
	}
	if got := p.task("nothing").Progress; got.Why != said.Why || got.WhyHTML != said.WhyHTML {
		t.Errorf("afterwards: %+v", got)
	}
}

func TestProgramsOpenWithThePass(t *testing.T) {
	h := build(t)
	p := h.learner()
	for path, want := range map[string]int{
		"nothing/programs/drip": 409, "nothing/programs/water": 404, "file/programs/drip": 404, "nothing/programs/..%2fdrip": 404, "none/programs/drip": 404,
	} {
		if got := p.call("GET", helpPath+path, nil); got.status != want || strings.Contains(string(got.body), "4032") {
			t.Errorf("%s before the pass = %d %s, want %d", path, got.status, got.body, want)
		}
	}
	p.check(p.claim("one"), "nothing")
	if got := p.task("nothing").Progress.Programs; strings.Join(got, " ") != "drip lost" {
		t.Errorf("programs are %v", got)
	}
	got := p.call("GET", helpPath+"nothing/programs/drip", nil)
	want := "#include <stdio.h>\n#include \"water.h\"\nint main(void);\n\n/* ---- water.h ---- */\n#define WATER 4032\n"
	if got.status != 200 || got.header.Get("Content-Type") != "text/plain; charset=utf-8" || string(got.body) != want {
		t.Errorf("source = %d %s: %q", got.status, got.header.Get("Content-Type"), got.body)
	}
	if got := p.call("GET", helpPath+"nothing/programs/lost", nil); got.status != http.StatusInternalServerError || got.problem().Reference == "" {
		t.Errorf("source that is not there = %d %s", got.status, got.body)
	}
	if got := h.learner().call("GET", helpPath+"nothing/programs/drip", nil); got.status != http.StatusConflict {
		t.Errorf("as another learner = %d", got.status)
	}
}
