package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"sysnerd/labs"
	"sysnerd/labs/classroom"
)

// What the API and the page show of a learner to himself: each lab of the course,
// also those that he has not begun.

type recordJSON struct {
	Passed  int                `json:"passed"` // tasks
	Tasks   int                `json:"tasks"`
	Modules []moduleRecordJSON `json:"modules"`
}

type moduleRecordJSON struct {
	ID    string          `json:"id"`
	Title string          `json:"title"`
	Labs  []labRecordJSON `json:"labs"`
}

type labRecordJSON struct {
	ID        string           `json:"id"`
	Title     string           `json:"title"`
	Path      string           `json:"path"`               // of its page
	BegunAt   *time.Time       `json:"begun_at,omitempty"` // the first sandbox
	Sandboxes int              `json:"sandboxes"`
	Passed    int              `json:"passed"` // tasks
	Tasks     []taskRecordJSON `json:"tasks"`
}

type taskRecordJSON struct {
	ID            string      `json:"id"`
	Title         string      `json:"title"`
	Passed        bool        `json:"passed"` // once
	PassedAt      *time.Time  `json:"passed_at,omitempty"`
	SecondsToPass *int64      `json:"seconds_to_pass,omitempty"` // with a sandbox, since the pass before it or the lab's beginning
	Tries         int         `json:"tries"`                     // that did not pass
	Hints         int         `json:"hints"`
	Revealed      bool        `json:"revealed"`
	ComesBack     bool        `json:"comes_back"`
	Prediction    string      `json:"prediction,omitempty"`
	Outcome       string      `json:"outcome,omitempty"`
	Why           string      `json:"why,omitempty"`
	Results       []foundJSON `json:"results"` // new attempts and the first pass, oldest first
}

type foundJSON struct {
	At       time.Time   `json:"at"`
	Status   labs.Status `json:"status"`
	Message  string      `json:"message"`
	Expected string      `json:"expected,omitempty"`
	Observed string      `json:"observed,omitempty"`
}

// record is all that is known of a learner, in the order of the course. What he
// did in a lab that is no longer there is kept, and not shown.
func (s *Server) record(ctx context.Context, learner string) (recordJSON, error) {
	out := recordJSON{Modules: []moduleRecordJSON{}}
	known, err := s.Store.Record(ctx, learner)
	if err != nil {
		return out, err
	}
	records := map[string]classroom.LabRecord{}
	for _, r := range known {
		records[r.Module+"/"+r.Lab] = r
	}
	for _, m := range s.Library().Modules {
		module := moduleRecordJSON{ID: m.ID, Title: m.Title, Labs: []labRecordJSON{}}
		for _, l := range m.Labs {
			lab := labRecordOf(l, records[m.ID+"/"+l.ID])
			out.Passed += lab.Passed
			out.Tasks += len(lab.Tasks)
			module.Labs = append(module.Labs, lab)
		}
		out.Modules = append(out.Modules, module)
	}
	return out, nil
}

func labRecordOf(l *labs.Lab, r classroom.LabRecord) labRecordJSON {
	out := labRecordJSON{ID: l.ID, Title: l.Title, Path: "/" + l.Module + "/labs/" + l.ID, Sandboxes: r.Sandboxes, Tasks: []taskRecordJSON{}}
	if !r.Begun.IsZero() {
		out.BegunAt = &r.Begun
	}
	for _, t := range l.Tasks {
		task := taskRecordOf(t, r.Tasks[t.ID])
		if task.Passed {
			out.Passed++
		}
		out.Tasks = append(out.Tasks, task)
	}
	return out
}

func taskRecordOf(t *labs.Task, r classroom.TaskRecord) taskRecordJSON {
	out := taskRecordJSON{
		ID: t.ID, Title: t.Title, Passed: !r.Passed.IsZero(), Tries: r.Tries,
		Hints: min(r.Hints, len(t.Hints)), Revealed: r.Revealed, ComesBack: r.ComesBack,
		Prediction: r.Prediction, Outcome: outcomeOf(t, r.Progress), Why: r.Why, Results: []foundJSON{},
	}
	if out.Passed {
		seconds := int64(r.Took.Round(time.Second).Seconds())
		out.PassedAt, out.SecondsToPass = &r.Passed, &seconds
	}
	for _, f := range r.Results {
		out.Results = append(out.Results, foundJSON{f.At, f.Result.Status, f.Result.Message, f.Result.Expected, f.Result.Observed})
	}
	return out
}

func (s *Server) getProgress(w http.ResponseWriter, r *http.Request) error {
	record, err := s.record(r.Context(), callerOf(r).learner)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, record)
}

// progressPage shows a learner what he has done.
func (s *Server) progressPage(w http.ResponseWriter, r *http.Request) {
	record, err := s.record(r.Context(), callerOf(r).learner)
	if err != nil {
		s.refuse(w, r, fmt.Errorf("read record: %w", err))
		return
	}
	s.show(w, r, http.StatusOK, "progress", progressView{record})
}

// progressView is the page of a learner's own record.
type progressView struct{ recordJSON }

// Heading is the page's title in the browser.
func (progressView) Heading() string { return "Progress · sysnerd" }

// Script is the page's entry in the bundle.
func (progressView) Script() string { return "home.js" }

// Begun tells whether the learner did anything in this lab.
func (l labRecordJSON) Begun() bool {
	return l.BegunAt != nil || slices.ContainsFunc(l.Tasks, func(t taskRecordJSON) bool {
		return t.State() != "open" || t.Hints > 0 || t.Revealed
	})
}

// State is the task's glyph.
func (t taskRecordJSON) State() string {
	switch {
	case t.Passed && t.ComesBack:
		return "revealed"
	case t.Passed:
		return "passed"
	case t.Tries > 0:
		return "not-yet"
	case t.Prediction != "":
		return "predicted"
	}
	return "open"
}

// Says is the word beside the glyph.
func (t taskRecordJSON) Says() string { return says[t.State()] }

// Said is how the prediction compares.
func (t taskRecordJSON) Said() string { return said(t.Prediction, t.Outcome, t.Passed) }

// Took is the time to the pass, in words.
func (t taskRecordJSON) Took() string {
	if t.SecondsToPass == nil {
		return ""
	}
	return minutes(time.Duration(*t.SecondsToPass) * time.Second)
}
