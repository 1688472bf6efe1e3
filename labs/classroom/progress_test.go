package classroom

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"sysnerd/labs"
)

// desk is where one learner works on one task, t.
type desk struct {
	t *testing.T
	*Store
	while bool
}

func (d desk) look(r labs.Result, asked bool) Progress {
	d.t.Helper()
	r.Task = "t"
	save(d.t, d.Store, Look{Learner: "ada", Module: "os", Lab: "one", Result: r, Asked: asked, While: d.while})
	return d.progress()
}

func (d desk) progress() Progress {
	d.t.Helper()
	all, err := d.Progress(d.t.Context(), "ada", "os", "one")
	check(d.t, err)
	return all["t"]
}

var (
	stray  = labs.Result{Status: labs.Fail, Message: "Nothing yet."}
	wrong  = labs.Result{Status: labs.Fail, Attempted: true, Message: "Not so.", Observed: "1"}
	passed = labs.Result{Status: labs.Pass, Attempted: true, Message: "Passed.", Outcome: "137"}
)

func TestProgressCountsWhatHappened(t *testing.T) {
	s, _ := newStore(t)
	d := desk{t: t, Store: s}
	ctx := t.Context()

	check(t, s.Predict(ctx, "ada", "os", "one", "t", "drip"))
	check(t, s.Predict(ctx, "ada", "os", "one", "t", "gulp"))
	check(t, s.Reveal(ctx, "ada", "os", "one", "t"))
	if p := d.progress(); p.Prediction != "drip" || !p.Revealed || !p.ComesBack || p.Last != nil || p.Tries != 0 || !p.Passed.IsZero() {
		t.Errorf("before any check: %+v", p)
	}
	if p := d.look(stray, false); p.Last != nil || p.Tries != 0 {
		t.Errorf("a stray command left %+v", p)
	}
	if p := d.look(stray, true); p.Last == nil || p.Tries != 0 {
		t.Errorf("the button left %+v", p)
	}
	d.look(wrong, false)
	d.look(wrong, false) // seen again after another command
	d.look(stray, false)
	d.look(wrong, true)
	d.look(labs.Result{Status: labs.Broken, Attempted: true, Message: "This check broke."}, true)
	if p := d.look(labs.Result{Status: labs.Interrupted, Message: "It says nothing."}, true); p.Tries != 1 || p.Last.Message != "Not so." {
		t.Errorf("after one attempt: %+v, last %+v", p, p.Last)
	}
	other := wrong
	other.Observed = "2"
	d.look(other, false)
	first := d.look(passed, false)
	if first.Tries != 2 || first.Passed.IsZero() || first.Outcome != "137" || !first.ComesBack {
		t.Errorf("after the pass: %+v", first)
	}
	d.look(wrong, true)
	late := passed
	late.Outcome, late.Message = "1", "Passed again."
	if p := d.look(late, false); p.Tries != 2 || p.Passed != first.Passed || p.Last.Message != "Passed again." || p.Outcome != "137" {
		t.Errorf("in the end: %+v, last %+v", p, p.Last)
	}
	if all, err := s.Progress(ctx, "bob", "os", "one"); len(all) != 0 || err != nil {
		t.Errorf("another learner's progress: %v, %v", all, err)
	}
}

func TestWhatWasShownAfterThePassDoesNotComeBack(t *testing.T) {
	s, _ := newStore(t)
	d := desk{t: t, Store: s}
	d.look(passed, false)
	for time.Now().UnixMilli() <= d.progress().Passed.UnixMilli() { // times are kept in milliseconds
	}
	check(t, s.Reveal(t.Context(), "ada", "os", "one", "t"))
	if p := d.progress(); !p.Revealed || p.ComesBack {
		t.Errorf("%+v", p)
	}
}

func TestPredictionAfterThePassIsNone(t *testing.T) {
	s, _ := newStore(t)
	d := desk{t: t, Store: s}
	d.look(passed, false)
	check(t, s.Predict(t.Context(), "ada", "os", "one", "t", "137"))
	if p := d.progress(); p.Prediction != "" {
		t.Errorf("%+v", p)
	}
}

func TestTaskThatMustBeTrueCanStopToBe(t *testing.T) {
	s, _ := newStore(t)
	d := desk{t: t, Store: s, while: true}
	first := d.look(passed, false)
	if p := d.look(stray, false); p.Last.Status != labs.Fail || p.Passed != first.Passed || p.Tries != 0 {
		t.Errorf("no longer true: %+v, last %+v", p, p.Last)
	}
	if p := d.look(passed, false); p.Last.Status != labs.Pass || p.Passed != first.Passed {
		t.Errorf("true again: %+v, last %+v", p, p.Last)
	}
}

func TestHintsWaitForATryOrThePause(t *testing.T) {
	s, path := newStore(t)
	d := desk{t: t, Store: s}
	next := func(s *Store, pause time.Duration, want int, waits bool) {
		t.Helper()
		n, wait, err := s.OpenHint(t.Context(), "ada", "os", "one", "t", 4, pause)
		if n != want || (wait > 0) != waits || wait > pause || err != nil {
			t.Errorf("OpenHint = %d, %v, %v; want %d, waits %v", n, wait, err, want, waits)
		}
	}
	next(s, time.Hour, 1, false) // the first is there at once
	next(s, time.Hour, 1, true)
	d.look(stray, true) // no try
	next(s, time.Hour, 1, true)
	d.look(wrong, false)
	next(s, time.Hour, 2, false)
	d.look(wrong, false) // nothing new
	next(s, time.Hour, 2, true)
	next(s, 0, 3, false) // the pause is over
	check(t, s.Close())
	s = open(t, path) // a restart opens nothing
	next(s, time.Hour, 3, true)
	_, err := s.write.Exec("UPDATE progress SET hinted = ?", time.Now().Add(time.Hour).UnixMilli())
	check(t, err)
	next(s, time.Hour, 4, false) // the clock was set back
	if _, _, err := s.OpenHint(t.Context(), "ada", "os", "one", "t", 4, 0); !errors.Is(err, ErrNoHint) {
		t.Errorf("one more than there are: %v", err)
	}
}

func TestWhyIsForThoseWhoPassed(t *testing.T) {
	s, _ := newStore(t)
	d := desk{t: t, Store: s}
	d.look(wrong, false)
	if err := s.SaveWhy(t.Context(), "ada", "os", "one", "t", "Because."); !errors.Is(err, ErrNotPassed) {
		t.Errorf("before the pass: %v", err)
	}
	d.look(passed, false)
	check(t, s.SaveWhy(t.Context(), "ada", "os", "one", "t", "Because."))
	check(t, s.SaveWhy(t.Context(), "ada", "os", "one", "t", "Since."))
	if p := d.progress(); p.Why != "Since." {
		t.Errorf("%+v", p)
	}
}

func TestRecordHasAllOfALearner(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	began := time.Now().Add(-10 * time.Hour).Truncate(time.Millisecond).UTC()
	at := func(hours float64) int64 { return began.Add(time.Duration(hours * float64(time.Hour))).UnixMilli() }
	for i, had := range []struct {
		lab         string
		start, ends float64
	}{{"one", 0, 1}, {"one", 5, 7}, {"one", 9, -1}, {"two", 0, 9}} {
		id := fmt.Sprint("s", i)
		check(t, s.SaveAttempt(ctx, Attempt{Sandbox: id, Learner: "ada", Module: "os", Lab: had.lab}))
		ended := at(had.ends)
		if had.ends < 0 {
			ended = 0
		}
		_, err := s.write.Exec("UPDATE attempt SET started = ?, ended = ? WHERE sandbox = ?", at(had.start), ended, id)
		check(t, err)
	}
	for _, pass := range []struct {
		task  string
		hours float64
	}{{"first", 0.5}, {"second", 6}, {"third", 9.25}} {
		save(t, s, Look{Learner: "ada", Module: "os", Lab: "one", Result: labs.Result{Task: pass.task, Status: labs.Pass, Message: "Passed."}})
		_, err := s.write.Exec("UPDATE progress SET passed = ? WHERE task = ?", at(pass.hours), pass.task)
		check(t, err)
	}
	for i := range keptResults + 5 {
		r := labs.Result{Task: "fourth", Status: labs.Fail, Attempted: true, Message: fmt.Sprint("Not ", i)}
		save(t, s, Look{Learner: "ada", Module: "os", Lab: "one", Result: r})
	}
	save(t, s, Look{Learner: "bob", Module: "os", Lab: "one", Result: labs.Result{Task: "first", Status: labs.Pass, Message: "x"}})

	record, err := s.Record(ctx, "ada")
	check(t, err)
	if len(record) != 2 || record[0].Lab != "one" || record[1].Lab != "two" {
		t.Fatalf("record is %+v", record)
	}
	one := record[0]
	if one.Sandboxes != 3 || !one.Begun.Equal(began) || len(one.Tasks) != 4 {
		t.Errorf("lab one: %+v", one)
	}
	// Only the time with a sandbox counts: 0.5 h; 0.5 h and 1 h; 1 h and 0.25 h.
	for task, want := range map[string]time.Duration{"first": 30 * time.Minute, "second": 90 * time.Minute, "third": 75 * time.Minute, "fourth": 0} {
		if got := one.Tasks[task].Took; got != want {
			t.Errorf("%s took %v, want %v", task, got, want)
		}
	}
	fourth := one.Tasks["fourth"]
	if got := fourth.Results; len(got) != keptResults || got[0].Result.Message != "Not 5" || got[keptResults-1].Result.Message != "Not 24" || got[0].At.IsZero() {
		t.Errorf("results of fourth: %+v", got)
	}
	if fourth.Tries != keptResults+5 || len(one.Tasks["first"].Results) != 1 {
		t.Errorf("fourth %+v, first %+v", fourth, one.Tasks["first"])
	}
	if record, err := s.Record(ctx, "nobody"); len(record) != 0 || err != nil {
		t.Errorf("record of nobody: %v, %v", record, err)
	}
}

// A store of the first released format keeps what it holds, and forgets looks that
// saw no attempt.
func TestStoreOfFormat1IsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sysnerd.db")
	now := migrations
	defer func() { migrations = now }()
	migrations = migrations[:1]
	s := open(t, path)
	for task, last := range map[string]string{
		"open":    `{"task":"open","status":"fail","attempted":false,"message":"Nothing yet.","ms":1}`,
		"not-yet": `{"task":"not-yet","status":"fail","attempted":true,"message":"Not so.","ms":1}`,
		"passed":  `{"task":"passed","status":"pass","attempted":true,"message":"Passed.","ms":1}`,
		"none":    "",
	} {
		_, err := s.write.Exec("INSERT INTO progress (learner, module, lab, task, last, passed) VALUES ('ada', 'os', 'one', ?, ?, ?)", task, last, 7)
		check(t, err)
	}
	check(t, s.Close())
	migrations = now
	s = open(t, path)
	all, err := s.Progress(t.Context(), "ada", "os", "one")
	check(t, err)
	if all["open"].Last != nil || all["none"].Last != nil || all["not-yet"].Last.Message != "Not so." || all["passed"].Last.Message != "Passed." {
		t.Errorf("%+v", all)
	}
	var version int
	if err := s.read.QueryRow("PRAGMA user_version").Scan(&version); err != nil || version != len(migrations) {
		t.Errorf("format %d, %v", version, err)
	}
}
