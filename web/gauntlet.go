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

type gauntletJSON struct {
	Interview string     `json:"interview"` // YYYY-MM-DD; "" for none
	Marks     []markJSON `json:"marks"`
	ComesBack []string   `json:"comes_back"` // questions whose lab task was passed with the solution shown, and not marked since
}

type markJSON struct {
	Question string    `json:"question"`
	Points   []int     `json:"points"` // those that were said, from 0
	MarkedAt time.Time `json:"marked_at"`
	Due      string    `json:"due"`  // YYYY-MM-DD; "" for not before the interview
	Step     int       `json:"step"` // good answers in a row
}

// gauntlet is a learner's standing, as far as its questions are there.
func (s *Server) gauntlet(ctx context.Context, learner string, m *labs.Module, g classroom.Gauntlet) (gauntletJSON, error) {
	out := gauntletJSON{Interview: g.Interview, Marks: []markJSON{}, ComesBack: []string{}}
	marked := map[string]time.Time{}
	for _, mark := range g.Marks {
		q, ok := m.Question(mark.Question)
		if !ok {
			continue
		}
		points := slices.DeleteFunc(slices.Clone(mark.Points), func(p int) bool { return p >= len(q.Points) })
		marked[q.ID] = mark.Marked
		out.Marks = append(out.Marks, markJSON{q.ID, append([]int{}, points...), mark.Marked, mark.Due, mark.Step})
	}
	shown, err := s.Store.ComingBack(ctx, learner, m.ID)
	if err != nil {
		return out, err
	}
	for _, q := range m.Gauntlet {
		if slices.ContainsFunc(q.See, func(p labs.Place) bool { return shownSince(shown, p, marked[q.ID]) }) {
			out.ComesBack = append(out.ComesBack, q.ID)
		}
	}
	return out, nil
}

// shownSince tells whether a solution at a place was shown after a moment.
func shownSince(shown map[string]time.Time, p labs.Place, since time.Time) bool {
	for task, at := range shown {
		lab, name, _ := strings.Cut(task, "/")
		if lab == p.Lab && (p.Task == "" || p.Task == name) && at.After(since) {
			return true
		}
	}
	return false
}

// due counts the questions that are due on a day, those that come back among them.
func (g gauntletJSON) due(day string) int {
	due := map[string]bool{}
	for _, m := range g.Marks {
		if m.Due != "" && m.Due <= day {
			due[m.Question] = true
		}
	}
	for _, q := range g.ComesBack {
		due[q] = true
	}
	return len(due)
}

func (s *Server) getGauntlet(w http.ResponseWriter, r *http.Request) error {
	m, err := s.findModule(r)
	if err != nil {
		return err
	}
	g, err := s.Store.Gauntlet(r.Context(), callerOf(r).learner, m.ID)
	if err != nil {
		return err
	}
	return s.replyGauntlet(w, r, m, g)
}

func (s *Server) replyGauntlet(w http.ResponseWriter, r *http.Request, m *labs.Module, g classroom.Gauntlet) error {
	out, err := s.gauntlet(r.Context(), callerOf(r).learner, m, g)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, out)
}

// A clock may go wrong by this much before what it says is refused.
const clockOff = 24 * time.Hour

// putGauntlet keeps what changed: the day of the interview, and marks.
func (s *Server) putGauntlet(w http.ResponseWriter, r *http.Request) error {
	m, err := s.findModule(r)
	if err != nil {
		return err
	}
	var body struct {
		Interview *string `json:"interview"`
		Marks     []struct {
			Question string `json:"question"`
			Points   []int  `json:"points"`
			MarkedAt string `json:"marked_at"`
			Due      string `json:"due"`
			Step     int    `json:"step"` // taken, and not looked at
		} `json:"marks"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	if d := body.Interview; d != nil && *d != "" && !isDay(*d) {
		return problemRequest(fmt.Sprintf("The interview %q is no day.", shorten(*d)), "Write it like 2026-12-24, or leave it empty for none.")
	}
	if len(body.Marks) > len(m.Gauntlet) {
		return problemRequest("There are more marks than questions.", "Send one mark for each question at most.")
	}
	var marks []classroom.Mark
	for _, b := range body.Marks {
		q, ok := m.Question(b.Question)
		if !ok {
			return problemRequest(fmt.Sprintf("There is no question %q.", shorten(b.Question)), "Send marks of questions that the page has.")
		}
		points := slices.Compact(slices.Sorted(slices.Values(b.Points)))
		if len(points) != len(b.Points) || len(points) > 0 && (points[0] < 0 || points[len(points)-1] >= len(q.Points)) {
			return problemRequest(fmt.Sprintf("The points of %s are not among its own, or one comes twice.", q.ID), fmt.Sprintf("Send numbers from 0 to %d, each once.", len(q.Points)-1))
		}
		at, err := time.Parse(time.RFC3339, b.MarkedAt)
		if err != nil || at.Year() < 2000 || at.After(time.Now().Add(clockOff)) {
			return problemRequest(fmt.Sprintf("marked_at of %s is no time, or one to come.", q.ID), "Write it like 2026-11-24T20:10:00+02:00, with the offset of where you are.")
		}
		if b.Due != "" && !isDay(b.Due) {
			return problemRequest(fmt.Sprintf("due of %s is no day.", q.ID), "Write it like 2026-12-24, or leave it out.")
		}
		marks = append(marks, classroom.Mark{Question: q.ID, Points: points, Of: len(q.Points), Marked: at, Day: at.Format(classroom.Day), Due: b.Due})
	}
	g, err := s.Store.SaveGauntlet(r.Context(), callerOf(r).learner, m.ID, body.Interview, marks)
	if err != nil {
		return err
	}
	return s.replyGauntlet(w, r, m, g)
}

func isDay(text string) bool {
	day, err := time.Parse(classroom.Day, text)
	return err == nil && day.Year() >= 2000 && day.Year() <= 2200
}

// gauntletView is the page of the interview questions.
type gauntletView struct {
	*labs.Module
	Questions []questionView
}

type questionView struct {
	labs.Question
	SectionPath, SectionTitle string
	Places                    []placeView
}

// Heading is the page's title in the browser.
func (v gauntletView) Heading() string { return "Interview gauntlet · " + v.Title + " · sysnerd" }

// Script is the page's entry in the bundle.
func (gauntletView) Script() string { return courseScript }

// Here is the page's name in its own trail.
func (gauntletView) Here() string { return "Interview gauntlet" }

func viewGauntlet(m *labs.Module, st standing) gauntletView {
	view := gauntletView{Module: m}
	for _, q := range m.Gauntlet {
		question := questionView{Question: q}
		question.SectionPath, question.SectionTitle = sectionOf(m, q.Section)
		for _, place := range q.See {
			question.Places = append(question.Places, viewPlace(m, place, st))
		}
		view.Questions = append(view.Questions, question)
	}
	return view
}
