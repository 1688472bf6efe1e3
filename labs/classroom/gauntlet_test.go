package classroom

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"sysnerd/labs"
)

// The browser's tests read the same file.
func TestSpacing(t *testing.T) {
	text, err := os.ReadFile("testdata/spacing.json")
	check(t, err)
	var rows []struct {
		Day, Chosen, Interview, Due string
		Step, Said, Points, Next    int
	}
	check(t, json.Unmarshal(text, &rows))
	if len(rows) < 20 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, r := range rows {
		next := nextStep(r.Step, r.Said, r.Points)
		if got := due(r.Day, next, r.Chosen, r.Interview); next != r.Next || got != r.Due {
			t.Errorf("%+v: step %d, due %s", r, next, got)
		}
	}
}

// Whatever the steps, a question never comes on the day of the interview or later.
func TestNothingIsDueAfterTheDayBeforeTheInterview(t *testing.T) {
	day := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for ahead := 1; ahead < 100; ahead++ {
		interview := day.AddDate(0, 0, ahead)
		for step := -1; step < 9; step++ {
			got := due(day.Format(Day), step, "", interview.Format(Day))
			if got >= interview.Format(Day) || got != "" && got <= day.Format(Day) || got == "" && ahead > 1 {
				t.Errorf("interview in %d days, step %d: due %q", ahead, step, got)
			}
		}
	}
}

func TestGauntletKeepsMarks(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	at := time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC)
	mark := Mark{Question: "a-out", Points: []int{0, 2, 3}, Of: 4, Marked: at, Day: "2026-11-24"}
	save := func(interview *string, marks ...Mark) Gauntlet {
		t.Helper()
		g, err := s.SaveGauntlet(ctx, "ada", "os", interview, marks)
		check(t, err)
		return g
	}
	one := func(g Gauntlet, step int, due string) {
		t.Helper()
		if len(g.Marks) != 1 || g.Marks[0].Step != step || g.Marks[0].Due != due {
			t.Errorf("gauntlet is %+v, want step %d, due %q", g, step, due)
		}
	}
	one(save(nil, mark), 1, "2026-11-25")
	one(save(nil, mark), 1, "2026-11-25") // the same again is no second answer
	chosen := mark
	chosen.Due = "2026-12-01"
	one(save(nil, chosen), 1, "2026-12-01")
	day := "2026-11-28"
	one(save(&day), 1, "2026-11-27")
	none := ""
	one(save(&none), 1, "2026-12-01")
	again := Mark{Question: "a-out", Points: []int{0, 1, 2, 3}, Of: 4, Marked: at.Add(24 * time.Hour), Day: "2026-11-25"}
	one(save(nil, again), 2, "2026-11-28")
	one(save(nil, mark), 2, "2026-11-28") // older than what is kept
	poor := Mark{Question: "a-out", Of: 4, Marked: at.Add(96 * time.Hour), Day: "2026-11-28"}
	g := save(&day, poor)
	one(g, 0, "2026-11-29") // the interview was on that day
	if g.Interview != day || len(g.Marks[0].Points) != 0 {
		t.Errorf("gauntlet is %+v", g)
	}
	read, err := s.Gauntlet(ctx, "ada", "os")
	check(t, err)
	if len(read.Marks) != 1 || read.Interview != day || !read.Marks[0].Marked.Equal(poor.Marked) {
		t.Errorf("read again: %+v", read)
	}
	if other, err := s.Gauntlet(ctx, "bob", "os"); err != nil || other.Interview != "" || len(other.Marks) != 0 {
		t.Errorf("another learner has %+v, %v", other, err)
	}
}

func TestComingBackIsWhatWasRevealedBeforeThePass(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	check(t, s.Reveal(ctx, "ada", "os", "one", "seen"))
	save(t, s, Look{Learner: "ada", Module: "os", Lab: "one", Result: labs.Result{Task: "own", Status: labs.Pass, Attempted: true}})
	time.Sleep(2 * time.Millisecond) // times are kept in milliseconds
	check(t, s.Reveal(ctx, "ada", "os", "one", "own"))
	all, err := s.ComingBack(ctx, "ada", "os")
	check(t, err)
	if len(all) != 1 || all["one/seen"].IsZero() {
		t.Errorf("coming back: %v", all)
	}
}
