package web

import (
	"fmt"
	"net/http"
	"slices"

	"sysnerd/labs"
)

// sectionView is the page of one section.
type sectionView struct {
	*labs.Section
	Course   *labs.Module
	Of       int // sections of the course
	All      []sectionLine
	Places   []placeView  // in the labs
	Previous *sectionLine // with a text; nil at the ends
	Next     *sectionLine
	Lab      string // whose sandbox is opened beside the text; "" for none
	Contents []contentView
	Reading  readingJSON
}

// contentView is a heading of the second level, and those below it.
type contentView struct {
	labs.Heading
	Below []labs.Heading
}

// Heading is the page's title in the browser.
func (v sectionView) Heading() string {
	return fmt.Sprintf("%02d %s · sysnerd", v.Number, v.Title)
}

// Script is the page's entry in the bundle.
func (sectionView) Script() string { return courseScript }

func (s *Server) sectionPage(w http.ResponseWriter, r *http.Request) {
	m, ok := s.Library().Module(r.PathValue("module"))
	if !ok {
		s.nothing(w, r, "section")
		return
	}
	section, ok := m.Section(r.PathValue("section"))
	if !ok {
		s.nothing(w, r, "section")
		return
	}
	st, err := s.standing(r.Context(), callerOf(r).learner, m)
	if err != nil {
		s.refuse(w, r, fmt.Errorf("read progress in %s: %w", m.ID, err))
		return
	}
	s.show(w, r, http.StatusOK, "section", viewSection(m, section, st))
}

func viewSection(m *labs.Module, section *labs.Section, st standing) sectionView {
	view := sectionView{Section: section, Course: m, Of: m.Outline[len(m.Outline)-1].Number, All: viewSections(m, st), Reading: st.reading(m, section)}
	written := slices.DeleteFunc(slices.Clone(view.All), func(l sectionLine) bool { return l.Path == "" })
	at := slices.IndexFunc(written, func(l sectionLine) bool { return l.Number == section.Number })
	if at > 0 {
		view.Previous = &written[at-1]
	}
	if at+1 < len(written) {
		view.Next = &written[at+1]
	}
	view.Places = written[at].Labs
	for _, place := range section.Labs {
		if _, sound := m.Lab(place.Lab); sound && view.Lab == "" {
			view.Lab = place.Lab
		}
	}
	if view.Lab == "" && len(m.Labs) > 0 {
		view.Lab = m.Labs[0].ID
	}
	for _, h := range section.Headings {
		if h.Level == 2 {
			view.Contents = append(view.Contents, contentView{Heading: h})
		} else if n := len(view.Contents); n > 0 {
			view.Contents[n-1].Below = append(view.Contents[n-1].Below, h)
		}
	}
	return view
}
