package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"sysnerd/labs"
	"sysnerd/labs/classroom"
)

// courseScript is the bundle's entry for pages that are read.
const courseScript = "course.js"

// homeView is the map: every course, its sections and labs, and how far the learner is.
type homeView struct{ Courses []courseView }

// Heading is the page's title in the browser.
func (homeView) Heading() string { return "sysnerd" }

// Script is the page's entry in the bundle.
func (homeView) Script() string { return courseScript }

// courseView is a module as one learner sees it.
type courseView struct {
	*labs.Module
	Level    string // the levels of its labs
	Sections []sectionLine
	Layers   []layerView // the sections where they stand on the map, from the top down
	Labs     []labView
	Continue *continueView // nil when all is done
	Due      int           // questions of the gauntlet that are due today
}

// layerView is a part of the map.
type layerView struct {
	Name     string
	Sections []sectionLine
}

// sectionLine is a section in a list.
type sectionLine struct {
	Number  int
	ID      string
	Title   string
	Path    string // "" for one that has no text yet
	Summary string
	Minutes int
	Layer   string
	State   string // a glyph
	Says    string // the word beside it
	Reading readingJSON
	Labs    []placeView
}

// placeView is a lab, or a task of one.
type placeView struct {
	Title, Path string
	Done        bool
}

// continueView is where the learner goes on.
type continueView struct {
	Path    string
	Begun   bool
	Words   string
	Minutes int
}

// saysOfSection is the word beside the glyph of a section.
var saysOfSection = map[string]string{"open": "new", "predicted": "begun", "passed": "recalled", "locked": "not written yet"}

func sectionPath(m *labs.Module, section string) string { return "/" + m.ID + "/sections/" + section }

// sectionOf is the address and the title of a section; no address when it has no text.
func sectionOf(m *labs.Module, number int) (path, title string) {
	for _, p := range m.Outline {
		if p.Number == number {
			title = p.Title
		}
	}
	for _, s := range m.Sections {
		if s.Number == number {
			return sectionPath(m, s.ID), s.Title
		}
	}
	return "", title
}

func viewPlace(m *labs.Module, p labs.Place, st standing) placeView {
	view := placeView{Path: "/" + m.ID + "/labs/" + p.Lab, Title: p.Lab, Done: st.done(m, p)}
	lab, ok := m.Lab(p.Lab)
	if !ok {
		return view
	}
	view.Title = fmt.Sprintf("Lab %d %s", 1+slices.Index(m.Labs, lab), lab.Title)
	if task, ok := lab.Task(p.Task); ok {
		view.Title += ", " + task.Title
		view.Path += "#task-" + task.ID
	}
	return view
}

// viewSections lists all sections that a module promises, in order.
func viewSections(m *labs.Module, st standing) (all []sectionLine) {
	for _, p := range m.Outline {
		line := sectionLine{Number: p.Number, ID: p.ID, Title: p.Title, State: "locked"}
		at := slices.IndexFunc(m.Sections, func(s *labs.Section) bool { return s.Number == p.Number })
		if at >= 0 {
			s := m.Sections[at]
			line.ID, line.Path, line.Summary, line.Minutes, line.Layer = s.ID, sectionPath(m, s.ID), s.Summary, s.Minutes, s.Layer
			line.Reading = st.reading(m, s)
			line.State = line.Reading.state()
			for _, place := range s.Labs {
				line.Labs = append(line.Labs, viewPlace(m, place, st))
			}
		}
		line.Says = saysOfSection[line.State]
		all = append(all, line)
	}
	return all
}

// state is the glyph of a section.
func (r readingJSON) state() string {
	switch {
	case r.Recall > 0 && len(r.Recalled) == r.Recall:
		return "passed"
	case r.SeenAt != nil || len(r.Recalled)+len(r.Missed) > 0:
		return "predicted"
	}
	return "open"
}

// viewCourse is a module as a learner sees it on that day.
func viewCourse(m *labs.Module, st standing, gauntlet gauntletJSON, day string) courseView {
	view := courseView{Module: m, Sections: viewSections(m, st), Due: gauntlet.due(day)}
	for i, lab := range m.Labs {
		view.Labs = append(view.Labs, viewLab(m, i+1, lab, st.labs[lab.ID]))
		if !strings.Contains(view.Level, lab.Level) {
			view.Level = strings.TrimPrefix(view.Level+", "+lab.Level, ", ")
		}
	}
	for _, layer := range []string{"user", "line", "kernel", "hardware"} {
		all := layerView{Name: layer}
		for _, line := range view.Sections {
			if line.Layer == layer {
				all.Sections = append(all.Sections, line)
			}
		}
		view.Layers = append(view.Layers, all)
	}
	view.Continue = view.next(st)
	return view
}

// next is where the learner goes on: in the section that he was in last, unless he came
// to its end; else in the first that he has not read; then in the first lab with
// something left.
func (v courseView) next(st standing) *continueView {
	var on *labs.Section
	var last time.Time
	for _, s := range v.Module.Sections {
		r := st.sections[s.ID]
		if r.Read.IsZero() && r.Seen.After(last) {
			on, last = s, r.Seen
		}
	}
	for _, s := range v.Module.Sections {
		if on == nil && st.sections[s.ID].Read.IsZero() {
			on = s
		}
	}
	if on != nil {
		return continueIn(v.Module, on, st.sections[on.ID])
	}
	for _, lab := range v.Labs {
		if !lab.done() {
			words := fmt.Sprintf("Lab %d %s", lab.Number, lab.Lab.Title)
			if lab.Next != "" {
				words += ", “" + lab.Next + "”"
			}
			return &continueView{lab.Path, lab.Begun, words, lab.Minutes}
		}
	}
	return nil
}

// continueIn goes on in a section, at the heading where the learner was; the minutes are
// those of what is left.
func continueIn(m *labs.Module, s *labs.Section, r classroom.Reading) *continueView {
	view := &continueView{sectionPath(m, s.ID), !r.Seen.IsZero(), fmt.Sprintf("%02d %s", s.Number, s.Title), s.Minutes}
	at := slices.IndexFunc(s.Headings, func(h labs.Heading) bool { return h.ID == r.Heading })
	if at >= 0 {
		view.Path += "#" + r.Heading
		view.Words += ", “" + s.Headings[at].Title + "”"
		left := len(s.Headings) - at
		view.Minutes = max(1, (s.Minutes*left+len(s.Headings)/2)/(len(s.Headings)+1))
	}
	return view
}

// course is a module as the caller sees it now.
func (s *Server) course(r *http.Request, m *labs.Module) (courseView, standing, error) {
	who := callerOf(r).learner
	st, err := s.standing(r.Context(), who, m)
	if err != nil {
		return courseView{}, st, err
	}
	marks, err := s.Store.Gauntlet(r.Context(), who, m.ID)
	if err != nil {
		return courseView{}, st, err
	}
	gauntlet, err := s.gauntlet(r.Context(), who, m, marks)
	if err != nil {
		return courseView{}, st, err
	}
	return viewCourse(m, st, gauntlet, time.Now().Format(classroom.Day)), st, nil
}

// home is the page that greets.
func (s *Server) home(w http.ResponseWriter, r *http.Request) {
	var view homeView
	for _, m := range s.Library().Modules {
		course, _, err := s.course(r, m)
		if err != nil {
			s.refuse(w, r, fmt.Errorf("read progress in %s: %w", m.ID, err))
			return
		}
		view.Courses = append(view.Courses, course)
	}
	s.show(w, r, http.StatusOK, "home", view)
}

// moduleView is the page of one course.
type moduleView struct{ courseView }

// Heading is the page's title in the browser.
func (v moduleView) Heading() string { return v.Title + " · sysnerd" }

// Script is the page's entry in the bundle.
func (moduleView) Script() string { return courseScript }

func (s *Server) modulePage(w http.ResponseWriter, r *http.Request) {
	m, ok := s.Library().Module(r.PathValue("module"))
	if !ok {
		s.nothing(w, r, "page")
		return
	}
	course, _, err := s.course(r, m)
	if err != nil {
		s.refuse(w, r, fmt.Errorf("read progress in %s: %w", m.ID, err))
		return
	}
	s.show(w, r, http.StatusOK, "module", moduleView{course})
}

// coursePage is one of the pages that belong to a module as a whole.
func (s *Server) coursePage(w http.ResponseWriter, r *http.Request) error {
	m, ok := s.Library().Module(r.PathValue("module"))
	if !ok {
		s.nothing(w, r, "page")
		return nil
	}
	switch r.PathValue("page") {
	case "search.json":
		return s.search(w, r, m)
	case "terms":
		s.show(w, r, http.StatusOK, "terms", viewTerms(m))
	case "gauntlet":
		st, err := s.standing(r.Context(), callerOf(r).learner, m)
		if err != nil {
			return err
		}
		s.show(w, r, http.StatusOK, "gauntlet", viewGauntlet(m, st))
	default:
		s.nothing(w, r, "page")
	}
	return nil
}

// termsView is the page of a module's terms.
type termsView struct {
	*labs.Module
	Terms []termView
}

type termView struct {
	labs.Term
	SectionPath, SectionTitle string
}

// Heading is the page's title in the browser.
func (v termsView) Heading() string { return "Terms · " + v.Title + " · sysnerd" }

// Script is the page's entry in the bundle.
func (termsView) Script() string { return courseScript }

// Here is the page's name in its own trail.
func (termsView) Here() string { return "Terms" }

func viewTerms(m *labs.Module) termsView {
	view := termsView{Module: m}
	for _, t := range m.Terms {
		term := termView{Term: t}
		term.SectionPath, term.SectionTitle = sectionOf(m, t.Section)
		for _, s := range m.Sections {
			if s.Number == t.Section && s.Defines(t) {
				term.SectionPath += "#" + t.Anchor()
			}
		}
		view.Terms = append(view.Terms, term)
	}
	slices.SortStableFunc(view.Terms, func(a, b termView) int {
		return strings.Compare(strings.ToLower(a.Term.Term), strings.ToLower(b.Term.Term))
	})
	return view
}

// galleryView is the page that shows every state of every screen to who works on them.
type galleryView struct{}

// Heading is the page's title in the browser.
func (galleryView) Heading() string { return "Gallery · sysnerd" }

// Script is the page's entry in the bundle.
func (galleryView) Script() string { return "gallery.js" }

// gallery is there only while content is being written.
func (s *Server) gallery(w http.ResponseWriter, r *http.Request) {
	if s.Watch == nil || !s.pages.has(galleryView{}.Script()) {
		s.nothing(w, r, "page")
		return
	}
	s.show(w, r, http.StatusOK, "gallery", galleryView{})
}
