package web

import (
	"html/template"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sysnerd/labs"
	"sysnerd/labs/classroom"
)

func TestTaskShowsWhereTheLearnerStands(t *testing.T) {
	first := &labs.Task{ID: "first", Title: "First", Mode: labs.Once}
	task := &labs.Task{
		ID: "second", Title: "Second", Mode: labs.Once, Needs: []string{"first"},
		Predict: &labs.Predict{Question: "Which?", Options: []string{"1", "137"}, Answer: "137"},
		Hints:   []template.HTML{"a", "b"},
	}
	lab := &labs.Lab{ID: "lab", Tasks: []*labs.Task{first, task}}
	module := &labs.Module{ID: "os", Labs: []*labs.Lab{lab}}
	done := classroom.Progress{Passed: time.Unix(1, 0)}
	passed := &labs.Result{Status: labs.Pass, Attempted: true, Message: "Passed. It is so."}

	type shown struct{ State, LockedBy, Said, Fact string }
	for _, row := range []struct {
		name     string
		progress map[string]classroom.Progress
		want     shown
	}{
		{"another comes first", nil, shown{State: "locked", LockedBy: "First"}},
		{"untried", map[string]classroom.Progress{"first": done}, shown{State: "open"}},
		{"predicted", map[string]classroom.Progress{"first": done, "second": {Prediction: "1"}},
			shown{State: "predicted", Said: "You said 1. Now run it."}},
		{"asked without a try", map[string]classroom.Progress{"first": done, "second": {Last: &labs.Result{Status: labs.Fail}}},
			shown{State: "not-yet"}},
		{"tried", map[string]classroom.Progress{"first": done, "second": {Last: &labs.Result{Status: labs.Fail, Attempted: true}}},
			shown{State: "not-yet"}},
		{"our fault", map[string]classroom.Progress{"first": done, "second": {Last: &labs.Result{Status: labs.Broken}}},
			shown{State: "broken"}},
		{"solution seen only", map[string]classroom.Progress{"first": done, "second": {Revealed: true}},
			shown{State: "open"}},
		{"passed", map[string]classroom.Progress{"first": done, "second": {Passed: done.Passed, Last: passed, Prediction: "1"}},
			shown{State: "passed", Said: "You said 1, it was 137.", Fact: "Passed. It is so."}},
		{"passed with the solution", map[string]classroom.Progress{"first": done, "second": {Passed: done.Passed, Last: passed, Revealed: true, ComesBack: true}},
			shown{State: "revealed", Fact: "Passed. It is so."}},
		{"solution seen after the pass", map[string]classroom.Progress{"first": done, "second": {Passed: done.Passed, Last: passed, Revealed: true}},
			shown{State: "passed", Fact: "Passed. It is so."}},
	} {
		t.Run(row.name, func(t *testing.T) {
			view := viewTask(module, lab, task, row.progress)
			got := shown{view.State, view.LockedBy, view.Said, view.Fact}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("viewTask (-want +got):\n%s", diff)
			}
			if view.Says == "" {
				t.Errorf("state %q has no word", view.State)
			}
		})
	}
}

func TestWhatAPredictionWasComesAfterThePass(t *testing.T) {
	p, err := newPages()
	if err != nil {
		t.Fatal(err)
	}
	task := &labs.Task{
		ID: "one", Title: "One", Mode: labs.Once, Solution: "the-solution",
		Predict: &labs.Predict{Question: "Which?", Options: []string{"1", "2"}, Answer: "the-outcome"},
		Hints:   []template.HTML{"hint-a", "hint-b"},
	}
	lab := &labs.Lab{ID: "lab", Tasks: []*labs.Task{task}}
	module := &labs.Module{ID: "os", Labs: []*labs.Lab{lab}}
	render := func(progress classroom.Progress) string {
		var page strings.Builder
		view := viewTask(module, lab, task, map[string]classroom.Progress{"one": progress})
		if err := p.templates.ExecuteTemplate(&page, "task", view); err != nil {
			t.Fatal(err)
		}
		return page.String()
	}
	open := render(classroom.Progress{Hints: 1})
	for _, secret := range []string{"the-solution", "the-outcome", "hint-b"} {
		if strings.Contains(open, secret) {
			t.Errorf("the page of an open task holds %q", secret)
		}
	}
	if !strings.Contains(open, "hint-a") {
		t.Error("the page lacks the hint that was opened")
	}
	passed := render(classroom.Progress{Passed: time.Unix(1, 0), Prediction: "1", Revealed: true})
	for _, due := range []string{"the-solution", "You said 1, it was the-outcome."} {
		if !strings.Contains(passed, due) {
			t.Errorf("the page of a passed task lacks %q", due)
		}
	}
}

func TestWhatEarlierTriesWereToldIsShownOnce(t *testing.T) {
	found := func(status labs.Status, message string) classroom.Found {
		return classroom.Found{Result: labs.Result{Status: status, Message: message}}
	}
	results := []classroom.Found{found(labs.Fail, "a"), found(labs.Fail, "b"), found(labs.Fail, "a"), found(labs.Pass, "passed"), found(labs.Fail, "now")}
	for state, want := range map[string][]string{"not-yet": {"a", "b"}, "passed": nil, "open": nil} {
		view := taskView{State: state, Result: &labs.Result{Status: labs.Fail, Message: "now"}}
		view.recall(results)
		if diff := cmp.Diff(want, view.Before); diff != "" {
			t.Errorf("%s, before (-want +got):\n%s", state, diff)
		}
	}
}

func TestAfterThePassComesWhy(t *testing.T) {
	p, err := newPages()
	if err != nil {
		t.Fatal(err)
	}
	task := &labs.Task{ID: "one", Title: "One", Mode: labs.While, Why: "<p>author's reason</p>", Programs: []string{"drip"}}
	lab := &labs.Lab{ID: "lab", Tasks: []*labs.Task{task}}
	module := &labs.Module{ID: "os", Labs: []*labs.Lab{lab}}
	pass, fail := &labs.Result{Status: labs.Pass, Message: "Passed."}, &labs.Result{Status: labs.Fail, Message: "It is shut."}
	const asks, author, program, once = "Why did it work?", "author's reason", "/tasks/one/programs/drip", "Passed before"
	for _, row := range []struct {
		name     string
		progress classroom.Progress
		has, not []string
	}{
		{"open", classroom.Progress{}, nil, []string{asks, author, program, once}},
		{"passed", classroom.Progress{Passed: time.Unix(1, 0), Last: pass}, []string{asks, program}, []string{author, once}},
		{"said", classroom.Progress{Passed: time.Unix(1, 0), Last: pass, Why: "<my> reason"}, []string{asks, author, "&lt;my&gt; reason"}, nil},
		{"true no longer", classroom.Progress{Passed: time.Unix(1, 0), Last: fail}, []string{program, once, "It is shut.", "Check</button>"}, []string{asks, author}},
	} {
		var page strings.Builder
		if err := p.templates.ExecuteTemplate(&page, "task", viewTask(module, lab, task, map[string]classroom.Progress{"one": row.progress})); err != nil {
			t.Fatal(err)
		}
		for _, want := range row.has {
			if !strings.Contains(page.String(), want) {
				t.Errorf("%s: the page lacks %q:\n%s", row.name, want, &page)
			}
		}
		for _, bad := range row.not {
			if strings.Contains(page.String(), bad) {
				t.Errorf("%s: the page holds %q", row.name, bad)
			}
		}
	}
}

func TestInlineMarksCodeAndNothingElse(t *testing.T) {
	const text = "`a<b` and <i>x</i> `rest"
	const want = "<code>a&lt;b</code> and &lt;i&gt;x&lt;/i&gt; <code>rest</code>"
	if got := inline(text); string(got) != want {
		t.Errorf("inline(%q) = %q, want %q", text, got, want)
	}
}
