package web

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"sysnerd/labs"
	"sysnerd/sandbox"
)

func TestStrayCommandLeavesATaskOpen(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	state := func(id, want string) {
		t.Helper()
		page := p.call("GET", "/os/labs/one", nil).body
		found := regexp.MustCompile(`<sn-task id="task-` + id + `"[^>]* data-state="([a-z-]*)"`).FindSubmatch(page)
		if found == nil || string(found[1]) != want {
			t.Errorf("task %s on the page is %q, want %s", id, found, want)
		}
	}
	events := p.listen("/api/v1/sandboxes/" + box.ID + "/events")
	s := p.terminal(box, "")
	s.until("$ ")
	s.typed("ls /\n")
	events.until("look after a stray command", result("guess", labs.Fail))
	if got := p.task("guess").Progress; got.Last != nil || got.Tries != 0 {
		t.Errorf("after a stray command: %+v", got)
	}
	state("guess", "open")

	s.typed("touch ~/tried\n")
	e := events.until("attempt", func(e event) bool {
		return e.name == "result" && e.data["task"] == "guess" && e.data["attempted"] == true
	})
	if e.data["status"] != "fail" || e.data["outcome"] != nil {
		t.Errorf("attempt is %v", e.data)
	}
	if got := p.task("guess").Progress; got.Last == nil || got.Tries != 1 {
		t.Errorf("after an attempt: %+v", got)
	}
	state("guess", "not-yet")

	p.check(box, "file") // the button
	if got := p.task("file").Progress; got.Last == nil || got.Tries != 0 {
		t.Errorf("after the button: %+v", got)
	}
	state("file", "not-yet")
}

func TestTaskOfModeWhileIsPassedWhileItIsTrue(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	events := p.listen("/api/v1/sandboxes/" + box.ID + "/events")
	s := p.terminal(box, "")
	s.until("$ ")
	s.typed("touch ~/here\n")
	events.until("true", result("here", labs.Pass))
	// What waited for it is looked at without another command.
	events.until("the next task", result("after", labs.Pass))
	first := p.task("here").Progress
	if !first.Passed || first.PassedAt == nil {
		t.Errorf("while it is true: %+v", first)
	}
	s.typed("rm ~/here\n")
	events.until("no longer true", result("here", labs.Fail))
	if got := p.task("here").Progress; got.Passed || !got.PassedAt.Equal(*first.PassedAt) {
		t.Errorf("afterwards: %+v", got)
	}
	if got := p.task("file").Progress; got.Passed {
		t.Errorf("file: %+v", got)
	}
	// What was passed once stays, whatever is looked at later.
	s.typed("touch ~/done; echo ma$((1))de\n")
	s.until("ma1de")
	if r := p.check(box, "file"); r.Status != labs.Pass {
		t.Errorf("check = %+v", r)
	}
	s.typed("rm ~/done; echo go$((1))ne\n")
	s.until("go1ne")
	if r := p.check(box, "file"); r.Status != labs.Fail {
		t.Errorf("check = %+v", r)
	}
	if got := p.task("file").Progress; !got.Passed || got.Last.Status != labs.Pass {
		t.Errorf("a pass was taken away: %+v", got)
	}
}

// In a sandbox that was just made nothing is done yet. What was passed in the one
// before is looked at: it may no longer be true.
func TestFreshSandboxIsNotCheckedForItsPage(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	shell := p.terminal(box, "")
	shell.until("$ ")
	first := p.listen("/api/v1/sandboxes/" + box.ID + "/events")
	shell.typed("touch ~/here\n")
	e := first.until("the first look, at the first command", func(e event) bool { return e.name == "result" && e.data["task"] == "here" })
	if e.data["status"] != string(labs.Pass) {
		t.Errorf("looked before the command: %v", e.data)
	}
	second := p.listen("/api/v1/sandboxes/" + box.ID + "/events")
	second.until("a look for who came later", result("here", labs.Pass))

	if got := p.call("DELETE", "/api/v1/sandboxes/"+box.ID, nil); got.status != 204 {
		t.Fatalf("end = %d %s", got.status, got.body)
	}
	box = p.claim("one")
	again := p.listen("/api/v1/sandboxes/" + box.ID + "/events")
	e = again.until("the one that was passed", func(e event) bool { return e.name == "result" })
	if e.data["task"] != "here" || e.data["status"] != string(labs.Fail) {
		t.Errorf("looked at %v", e.data)
	}
}

func TestSlowCheckHoldsUpNoOther(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	events := p.listen("/api/v1/sandboxes/" + box.ID + "/events")
	shell := p.terminal(box, "")
	shell.until("$ ")
	shell.typed("true\n")
	seen := map[any]bool{}
	events.until("the slow one", func(e event) bool {
		if e.name == "result" {
			seen[e.data["task"]] = true
		}
		return seen["slow"]
	})
	for _, task := range []string{"broken", "here", "guess"} {
		if !seen[task] {
			t.Errorf("task %s waited for the slow one before it", task)
		}
	}
}

// A check that a reset cut into says nothing, whatever it found.
func TestCheckAcrossAResetIsInterrupted(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	s := p.terminal(box, "")
	s.until("$ ")
	s.typed("touch ~/done; echo made$((1))it\n")
	s.until("made1it")
	e, lab := h.inside(box)
	for _, name := range []string{"file", "slow", "broken"} { // it would have passed, failed, broken
		task, _ := lab.Task(name)
		done := e.reset()
		if _, err := e.check(t.Context(), lab, task); err != problemInterrupted {
			t.Errorf("check of %s within a reset: %v", name, err)
		}
		done()
	}
	// A reset that begins and ends while a check looks.
	task, _ := lab.Task("slow")
	turn := e.ask(lab, task, true)
	e.untilSlow(t)
	e.reset()()
	if <-turn.done; turn.err != problemInterrupted {
		t.Errorf("check across a reset: %+v, %v", turn.result, turn.err)
	}
	if got := p.task("file").Progress; got.Passed || got.Last != nil {
		t.Errorf("an interrupted check was written down: %+v", got)
	}
	metrics := string(p.call("GET", "/metrics", nil).body)
	if want := `sysnerd_checks_total{verdict="interrupted"} 1`; !strings.Contains(metrics, want) {
		t.Errorf("metrics lack %s", want)
	}
}

// A sandbox that ends under a check is no fault of the check, and no pass.
func TestCheckOfASandboxThatEndsIsNotBroken(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	e, lab := h.inside(box)
	task, _ := lab.Task("slow")
	turn := e.ask(lab, task, true)
	e.untilSlow(t)
	if err := h.engine.Remove(t.Context(), box.ID); err != nil {
		t.Fatal(err)
	}
	if <-turn.done; turn.err != problemInterrupted && turn.err != problemEnded {
		t.Errorf("check = %+v, %v", turn.result, turn.err)
	}
	if body := string(p.call("GET", "/metrics", nil).body); strings.Contains(body, "sysnerd_broken_checks_total{") {
		t.Error("the end of a sandbox was counted as a broken check")
	}
}

// inside is what the server does for a sandbox.
func (h *house) inside(box sandboxJSON) (*session, *labs.Lab) {
	h.tb.Helper()
	s, err := h.keeper.Get(box.ID)
	if err != nil {
		h.tb.Fatal(err)
	}
	e := h.server.session(s)
	lab, err := e.lab()
	if err != nil {
		h.tb.Fatal(err)
	}
	return e, lab
}

// untilSlow waits until the check of the task slow runs.
func (e *session) untilSlow(t *testing.T) {
	t.Helper()
	r, err := e.box.Run(t.Context(), sandbox.Run{Script: []byte("until [ -d /tmp/slow ]; do sleep 0.01; done\n")})
	if err != nil || r.Exit != 0 {
		t.Fatalf("wait for the slow check: %+v, %v", r, err)
	}
}

// The lab's cleanup.sh runs when the learner ends his sandbox, and never keeps it.
func TestCleanupRunsBeforeTheEnd(t *testing.T) {
	files := course()
	for lab, script := range map[string]string{"01-one": "echo cleaned >&2; exit 3\n", "02-two": "true\n"} {
		files["os/labs/"+lab+"/cleanup.sh"] = &fstest.MapFile{Data: []byte(script)}
	}
	library, problems := labs.Load(files)
	for _, p := range problems {
		t.Fatal(p)
	}
	h := build(t, func(_ *sandbox.KeeperConfig, c *Config) { c.Library = func() *labs.Library { return library } })
	p := h.learner()
	for _, lab := range []string{"one", "two"} {
		if got := p.call("DELETE", "/api/v1/sandboxes/"+p.claim(lab).ID, nil); got.status != 204 {
			t.Errorf("DELETE of %s = %d %s", lab, got.status, got.body)
		}
	}
	if log := h.log.String(); strings.Count(log, "cleanup.sh") != 1 || !strings.Contains(log, "cleaned") {
		t.Errorf("the log does not tell of the one cleanup that broke:\n%s", log)
	}
}

// What a program leaves behind when it ends is seen without another command.
func TestEndOfAProcessIsLookedAt(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	events := p.listen("/api/v1/sandboxes/" + box.ID + "/events")
	s := p.terminal(box, "")
	s.until("$ ")
	s.typed("(until [ -e /tmp/go ]; do sleep 0.1; done; touch ~/here) & echo back$((1))ground\n")
	s.until("back1ground")
	e, _ := h.inside(box)
	if missing := e.box.Missing(); slices.Contains(missing, "accounting") {
		t.Fatalf("this machine can't tell: the sandbox lacks %v", missing)
	}
	if r, err := e.box.Run(t.Context(), sandbox.Run{Script: []byte("touch /tmp/go\n")}); err != nil || r.Exit != 0 {
		t.Fatalf("let it end: %+v, %v", r, err)
	}
	events.until("pass", result("here", labs.Pass))
}
