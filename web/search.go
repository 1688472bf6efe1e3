package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"

	"sysnerd/labs"
)

// foundHere is one entry of a module's search: the page looks for words in it without
// asking the server.
type foundHere struct {
	Title   string `json:"title"`
	Path    string `json:"path"`
	Section string `json:"section"` // what it belongs to, in words
	Text    string `json:"text"`
}

// searchOf is all that can be found in a module: each part of each section, terms,
// labs and interview questions.
func searchOf(m *labs.Module) []foundHere {
	all := []foundHere{}
	for _, s := range m.Sections {
		name := fmt.Sprintf("%02d %s", s.Number, s.Title)
		for _, part := range s.Parts {
			path := sectionPath(m, s.ID)
			if part.Heading != "" {
				path += "#" + part.Heading
			}
			text := part.Text
			if part.Heading == "" {
				text = s.Summary + " " + text
			}
			all = append(all, foundHere{part.Title, path, name, text})
		}
	}
	for _, t := range m.Terms {
		all = append(all, foundHere{t.Term, "/" + m.ID + "/terms#" + t.Anchor(), "Terms", t.Means})
	}
	for i, l := range m.Labs {
		all = append(all, foundHere{l.Title, "/" + m.ID + "/labs/" + l.ID, fmt.Sprintf("Lab %d", i+1), l.Summary})
	}
	for _, q := range m.Gauntlet {
		all = append(all, foundHere{q.Question, "/" + m.ID + "/gauntlet#" + q.ID, "Interview gauntlet", q.Probing})
	}
	return all
}

// search answers what can be found in a module. It is asked for again only when the
// content has changed.
func (s *Server) search(w http.ResponseWriter, r *http.Request, m *labs.Module) error {
	text, err := json.Marshal(searchOf(m))
	if err != nil {
		return fmt.Errorf("encode search: %w", err)
	}
	sum := sha256.Sum256(text)
	tag := `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	sendText(w, r, http.StatusOK, text)
	return nil
}
