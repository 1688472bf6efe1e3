package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"sysnerd/labs"
	"sysnerd/labs/classroom"
)

// What is kept of a learner's reading: where he was, what he read to its end, and which
// recall questions he answered right.

type readingJSON struct {
	ID       string     `json:"id"`
	Number   int        `json:"number"`
	Read     bool       `json:"read"`              // to its end
	SeenAt   *time.Time `json:"seen_at,omitempty"` // the last time
	Heading  string     `json:"heading,omitempty"` // where he was then
	Recalled []string   `json:"recalled"`          // recall questions answered right once
	Missed   []string   `json:"missed"`            // answered, and never right
	Recall   int        `json:"recall"`            // questions that there are
	LabsDone int        `json:"labs_done"`
	Labs     int        `json:"labs"` // labs and tasks that it leads to
}

// standing is how far a learner is in a module.
type standing struct {
	sections map[string]classroom.Reading
	labs     map[string]map[string]classroom.Progress // by lab, then task
}

// standing asks the store. The learner may be "".
func (s *Server) standing(ctx context.Context, learner string, m *labs.Module) (standing, error) {
	out := standing{labs: map[string]map[string]classroom.Progress{}}
	var err error
	if out.sections, err = s.Store.Readings(ctx, learner, m.ID); err != nil {
		return out, err
	}
	for _, lab := range m.Labs {
		if out.labs[lab.ID], err = s.Store.Progress(ctx, learner, m.ID, lab.ID); err != nil {
			return out, err
		}
	}
	return out, nil
}

// done tells whether a task, or each task of a lab, was passed once.
func (st standing) done(m *labs.Module, p labs.Place) bool {
	lab, ok := m.Lab(p.Lab)
	if !ok {
		return false
	}
	for _, task := range lab.Tasks {
		if (p.Task == "" || p.Task == task.ID) && st.labs[p.Lab][task.ID].Passed.IsZero() {
			return false
		}
	}
	return true
}

// reading is a learner's standing in a section. What he answered to questions that are
// there no more does not count.
func (st standing) reading(m *labs.Module, section *labs.Section) readingJSON {
	r := st.sections[section.ID]
	out := readingJSON{ID: section.ID, Number: section.Number, Read: !r.Read.IsZero(), Heading: r.Heading, Recalled: []string{}, Missed: []string{},
		Recall: len(section.Recalls), Labs: len(section.Labs)}
	if !r.Seen.IsZero() {
		out.SeenAt = &r.Seen
	}
	for _, id := range section.Recalls {
		switch {
		case slices.Contains(r.Recalled, id):
			out.Recalled = append(out.Recalled, id)
		case slices.Contains(r.Missed, id):
			out.Missed = append(out.Missed, id)
		}
	}
	for _, place := range section.Labs {
		if st.done(m, place) {
			out.LabsDone++
		}
	}
	return out
}

func (s *Server) getReading(w http.ResponseWriter, r *http.Request) error {
	m, err := s.findModule(r)
	if err != nil {
		return err
	}
	st, err := s.standing(r.Context(), callerOf(r).learner, m)
	if err != nil {
		return err
	}
	all := []readingJSON{}
	for _, section := range m.Sections {
		all = append(all, st.reading(m, section))
	}
	return reply(w, http.StatusOK, map[string]any{"sections": all})
}

// findSection is the section that a request names.
func (s *Server) findSection(r *http.Request) (*labs.Module, *labs.Section, error) {
	m, err := s.findModule(r)
	if err != nil {
		return nil, nil, err
	}
	section, ok := m.Section(r.PathValue("section"))
	if !ok {
		return nil, nil, newProblem(http.StatusNotFound, "no-section", "No such section",
			"There is no section of this name.", "GET /api/v1/modules/"+m.ID+"/reading lists what there is.")
	}
	return m, section, nil
}

// putRead keeps where in a section the learner is; without a heading, at its end.
func (s *Server) putRead(w http.ResponseWriter, r *http.Request) error {
	m, section, err := s.findSection(r)
	if err != nil {
		return err
	}
	var body struct {
		Heading *string `json:"heading"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	heading := ""
	if body.Heading != nil {
		heading = *body.Heading
		known := slices.ContainsFunc(section.Headings, func(h labs.Heading) bool { return h.ID == heading })
		if heading != "" && !known {
			return problemRequest("The section has no heading of this id.", "Name one of its headings, or leave it out at the end.")
		}
	}
	if err := s.Store.SeeSection(r.Context(), callerOf(r).learner, m.ID, section.ID, heading, body.Heading == nil); err != nil {
		return err
	}
	return s.replyReading(w, r, m, section)
}

func (s *Server) postRecall(w http.ResponseWriter, r *http.Request) error {
	m, section, err := s.findSection(r)
	if err != nil {
		return err
	}
	var body struct {
		Question string `json:"question"`
		Right    *bool  `json:"right"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	if body.Right == nil {
		return problemRequest("The body does not say whether the answer was right.", "Send right: true or false.")
	}
	if !slices.Contains(section.Recalls, body.Question) {
		return problemRequest(fmt.Sprintf("The section has no recall question %q.", shorten(body.Question)), "Name one of these: "+strings.Join(section.Recalls, ", ")+".")
	}
	if err := s.Store.SaveRecall(r.Context(), callerOf(r).learner, m.ID, section.ID, body.Question, *body.Right); err != nil {
		return err
	}
	return s.replyReading(w, r, m, section)
}

func (s *Server) replyReading(w http.ResponseWriter, r *http.Request, m *labs.Module, section *labs.Section) error {
	st, err := s.standing(r.Context(), callerOf(r).learner, m)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, st.reading(m, section))
}
