package web

import (
	"net/http"
	"time"

	"sysnerd/labs"
	"sysnerd/labs/classroom"
)

// What the API shows of the course: never a check, nor a solution that was not
// asked for, nor how many hints are left.

type moduleJSON struct {
	ID       string           `json:"id"`
	Title    string           `json:"title"`
	Summary  string           `json:"summary"`
	Minutes  int              `json:"minutes"`
	Sections []sectionSummary `json:"sections"` // that have a text
	Labs     []labSummary     `json:"labs"`
}

type sectionSummary struct {
	ID      string `json:"id"`
	Number  int    `json:"number"`
	Title   string `json:"title"`
	Summary string `json:"summary"`
	Minutes int    `json:"minutes"`
	Layer   string `json:"layer"`
	Path    string `json:"path"` // of its page
}

type labSummary struct {
	ID           string `json:"id"`
	Module       string `json:"module"`
	Title        string `json:"title"`
	Level        string `json:"level"`
	Summary      string `json:"summary"`
	Minutes      int    `json:"minutes"`
	Section      int    `json:"section"`
	SectionTitle string `json:"section_title"`
}

type labJSON struct {
	labSummary
	IntroHTML string     `json:"intro_html"`
	Tasks     []taskJSON `json:"tasks"`
}

type taskJSON struct {
	ID       string        `json:"id"`
	Title    string        `json:"title"`
	Mode     string        `json:"mode"`
	Needs    []string      `json:"needs"`
	GoalHTML string        `json:"goal_html"`
	Section  int           `json:"section"`
	Answer   bool          `json:"answer"`
	Predict  *predictJSON  `json:"predict,omitempty"`
	Progress *progressJSON `json:"progress,omitempty"` // of the learner who asks
}

type predictJSON struct {
	Question string   `json:"question"`
	Options  []string `json:"options"`
}

type progressJSON struct {
	Passed     bool         `json:"passed"`              // for mode while: when it was looked at last
	PassedAt   *time.Time   `json:"passed_at,omitempty"` // the first pass
	Prediction string       `json:"prediction,omitempty"`
	Outcome    string       `json:"outcome,omitempty"` // what was to be predicted; once passed
	HintsHTML  []string     `json:"hints_html"`        // those opened
	Revealed   bool         `json:"revealed"`
	ComesBack  bool         `json:"comes_back"`              // in the gauntlet: revealed before the pass
	Solution   string       `json:"solution_html,omitempty"` // once revealed
	Why        string       `json:"why,omitempty"`           // the learner's own line
	WhyHTML    string       `json:"why_html,omitempty"`      // the author's, once there is an own one
	Programs   []string     `json:"programs,omitempty"`      // whose source may be read; once passed
	Tries      int          `json:"tries"`
	Last       *labs.Result `json:"last,omitempty"`
}

func summaryOf(l *labs.Lab) labSummary {
	return labSummary{
		ID: l.ID, Module: l.Module, Title: l.Title, Level: l.Level, Summary: l.Summary,
		Minutes: l.Minutes, Section: l.Section, SectionTitle: l.SectionTitle,
	}
}

func moduleOf(m *labs.Module) moduleJSON {
	out := moduleJSON{ID: m.ID, Title: m.Title, Summary: m.Summary, Minutes: m.Minutes, Sections: []sectionSummary{}, Labs: []labSummary{}}
	for _, s := range m.Sections {
		out.Sections = append(out.Sections, sectionSummary{s.ID, s.Number, s.Title, s.Summary, s.Minutes, s.Layer, sectionPath(m, s.ID)})
	}
	for _, l := range m.Labs {
		out.Labs = append(out.Labs, summaryOf(l))
	}
	return out
}

func taskOf(t *labs.Task) taskJSON {
	out := taskJSON{
		ID: t.ID, Title: t.Title, Mode: t.Mode, Needs: append([]string{}, t.Needs...),
		GoalHTML: string(t.Goal), Section: t.Section, Answer: t.Answer,
	}
	if t.Predict != nil {
		out.Predict = &predictJSON{Question: t.Predict.Question, Options: t.Predict.Options}
	}
	return out
}

func progressOf(t *labs.Task, p classroom.Progress) *progressJSON {
	out := &progressJSON{
		Passed: passedNow(t, p), Prediction: p.Prediction, Outcome: outcomeOf(t, p), HintsHTML: []string{},
		Revealed: p.Revealed, ComesBack: p.ComesBack, Why: p.Why, Tries: p.Tries, Last: p.Last,
	}
	if !p.Passed.IsZero() {
		out.PassedAt = &p.Passed
		out.Programs = t.Programs
	}
	if p.Why != "" {
		out.WhyHTML = string(t.Why)
	}
	for _, h := range t.Hints[:min(p.Hints, len(t.Hints))] {
		out.HintsHTML = append(out.HintsHTML, string(h))
	}
	if p.Revealed {
		out.Solution = string(t.Solution)
	}
	return out
}

// passedNow tells whether a task is passed: one of mode while, whether it was when
// it was looked at last.
func passedNow(t *labs.Task, p classroom.Progress) bool {
	return !p.Passed.IsZero() && (t.Mode != labs.While || p.Last != nil && p.Last.Status == labs.Pass)
}

// outcomeOf is what was to be predicted, once the task was passed; "" before.
func outcomeOf(t *labs.Task, p classroom.Progress) string {
	switch {
	case p.Passed.IsZero() || t.Predict == nil:
		return ""
	case t.Predict.Answer != "":
		return t.Predict.Answer
	}
	return p.Outcome
}

func (s *Server) getModules(w http.ResponseWriter, r *http.Request) error {
	all := []moduleJSON{}
	for _, m := range s.Library().Modules {
		all = append(all, moduleOf(m))
	}
	return reply(w, http.StatusOK, map[string]any{"modules": all})
}

func (s *Server) getModule(w http.ResponseWriter, r *http.Request) error {
	m, err := s.findModule(r)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, moduleOf(m))
}

// findModule is the module that a request names.
func (s *Server) findModule(r *http.Request) (*labs.Module, error) {
	m, ok := s.Library().Module(r.PathValue("module"))
	if !ok {
		return nil, newProblem(http.StatusNotFound, "no-module", "No such module",
			"There is no module of this name.", "GET /api/v1/modules lists what there is.")
	}
	return m, nil
}

// findLab looks in the content that is there now.
func (s *Server) findLab(module, lab string) (*labs.Lab, error) {
	if m, ok := s.Library().Module(module); ok {
		if l, ok := m.Lab(lab); ok {
			return l, nil
		}
	}
	return nil, problemNoLab(module, lab)
}

func (s *Server) getLab(w http.ResponseWriter, r *http.Request) error {
	lab, err := s.findLab(r.PathValue("module"), r.PathValue("lab"))
	if err != nil {
		return err
	}
	out := labJSON{labSummary: summaryOf(lab), IntroHTML: string(lab.Intro), Tasks: []taskJSON{}}
	who := callerOf(r).learner
	var progress map[string]classroom.Progress
	if who != "" {
		if progress, err = s.Store.Progress(r.Context(), who, lab.Module, lab.ID); err != nil {
			return err
		}
	}
	for _, t := range lab.Tasks {
		task := taskOf(t)
		if who != "" {
			task.Progress = progressOf(t, progress[t.ID])
		}
		out.Tasks = append(out.Tasks, task)
	}
	return reply(w, http.StatusOK, out)
}
