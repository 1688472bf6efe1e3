package web

import (
	"net/http"
	"time"
)

const (
	keepAlive  = 15 * time.Second // between signs of life of a quiet stream
	writeTime  = time.Minute      // for a client to take what is written
	maxStreams = 32               // of one sandbox, terminals included
)

type timeJSON struct {
	ExpiresAt   time.Time `json:"expires_at"`
	SecondsLeft int64     `json:"seconds_left"`
}

func timeLeft(expires time.Time) timeJSON {
	return timeJSON{ExpiresAt: expires.UTC(), SecondsLeft: max(0, int64(time.Until(expires).Seconds()))}
}

// open counts a stream, and refuses one too many.
func (e *session) open() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.streams >= maxStreams {
		return newProblem(http.StatusTooManyRequests, "streams", "Too many connections",
			"This sandbox has too many open connections.", "Close some of the pages that show it.").again(10 * time.Second)
	}
	e.streams++
	return nil
}

func (e *session) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.streams--
}

// events streams what happens in a sandbox. While somebody listens, checks run by
// themselves; a page that is hidden closes its stream.
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	e := s.session(callerOf(r).sandbox)
	if e == nil {
		return problemClosing
	}
	e.box.Touch()
	return s.stream(w, r, e, e.listeners, func() [][]byte {
		return [][]byte{
			eventOf("state", map[string]any{"state": e.box.State()}),
			eventOf("time", timeLeft(e.box.Expires())),
			eventOf("limits", limitsOf(e.box.Limits())),
		}
	})
}

// stream sends what first returns, and then what the audience is told.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, e *session, to *audience, first func() [][]byte) error {
	if err := e.open(); err != nil {
		return err
	}
	defer e.close()
	if !s.begin() {
		return problemClosing
	}
	defer s.work.Done()

	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	control := http.NewResponseController(w)
	if control.Flush() != nil {
		return nil
	}
	send := func(message []byte) bool {
		_ = control.SetWriteDeadline(time.Now().Add(writeTime))
		_, err := w.Write(message)
		return err == nil && control.Flush() == nil
	}

	l := to.join()
	defer to.leave(l)
	for _, message := range first() {
		if !send(message) {
			return nil
		}
	}
	quiet := time.NewTicker(keepAlive)
	defer quiet.Stop()
	for {
		select {
		case message, ok := <-l.messages:
			if !ok || !send(message) {
				return nil
			}
		case <-quiet.C:
			e.box.Touch() // a page that is hidden closes its streams: somebody reads
			if !send([]byte(": still here\n\n")) {
				return nil
			}
		case <-r.Context().Done():
			return nil
		case <-s.ctx.Done():
			return nil
		}
	}
}
