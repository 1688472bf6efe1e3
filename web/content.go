package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"sysnerd/labs"
)

// Content is what is served, as one who changes it wants to know it.
type Content struct {
	Version  int64 // another one whenever a page would look different; unique among servers
	Revision int64 // another one whenever anything here does
	Problems []labs.Problem
}

// text is the version as pages know it.
func (c Content) text() string { return strconv.FormatInt(c.Version, 36) }

// Watch tells of content that changes while it is served.
type Watch interface {
	Content() Content
	// Changed waits for content of another revision. Errors: the context's.
	Changed(ctx context.Context, revision int64) (Content, error)
}

type problemJSON struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Reason string `json:"reason"`
	Cure   string `json:"cure,omitempty"`
}

// contentEvents streams each change of the content, first what it is now. Only a
// server that watches its content has it.
func (s *Server) contentEvents(w http.ResponseWriter, r *http.Request) error {
	if s.Watch == nil {
		return s.missing(r)
	}
	if !s.begin() {
		return problemClosing
	}
	defer s.work.Done()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	control := http.NewResponseController(w)
	send := func(message []byte) bool {
		_ = control.SetWriteDeadline(time.Now().Add(writeTime))
		_, err := w.Write(message)
		return err == nil && control.Flush() == nil
	}
	for content := s.Watch.Content(); ; {
		problems := []problemJSON{}
		for _, p := range content.Problems {
			problems = append(problems, problemJSON{p.File, p.Line, p.Reason, p.Cure})
		}
		// The version is text: it has more digits than a number in a script.
		if !send(eventOf("reload", map[string]any{"version": content.text(), "problems": problems})) {
			return nil
		}
		for changed := false; !changed; {
			wait, stop := context.WithTimeout(ctx, keepAlive)
			next, err := s.Watch.Changed(wait, content.Revision)
			stop()
			switch {
			case err == nil:
				content, changed = next, true
			case ctx.Err() != nil, !send([]byte(": still here\n\n")):
				return nil
			}
		}
	}
}
