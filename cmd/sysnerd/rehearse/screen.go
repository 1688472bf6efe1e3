package rehearse

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	subprotocol = "sysnerd.terminal.v1"
	joinTime    = 20 * time.Second // for a terminal to be there, and up to date
	maxSeen     = 256 << 10        // of output that nobody has looked at yet
)

// errCut says that the socket ended, and not by us.
var errCut = errors.New("socket was cut")

// screen is a terminal as its learner sees it. One goroutine uses it; another
// one, read, takes in what the server says.
type screen struct {
	r *record

	mu      sync.Mutex
	socket  *websocket.Conn
	done    chan struct{} // closed when read has ended; nil while not attached
	leaving bool          // we end the socket
	began   bool          // there was a hello
	hello   bool          // of this socket
	offset  int64         // of the next byte
	head    int64         // what was newest when the socket began
	seen    []byte        // not looked at yet
	at      time.Time     // when the newest of it came
	changed chan struct{} // room for one
}

func newScreen(r *record) *screen { return &screen{r: r, changed: make(chan struct{}, 1)} }

// attach opens the socket, and returns when the screen shows what is newest.
func (s *screen) attach(ctx context.Context, p *person, b box) error {
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	address := "ws" + strings.TrimPrefix(p.url, "http") + b.Terminal + "?tab=1&cols=200&rows=40"
	s.mu.Lock()
	if s.began {
		address += fmt.Sprintf("&since=%d", s.offset)
	}
	s.mu.Unlock()
	dialer := websocket.Dialer{Jar: p.client.Jar, Subprotocols: []string{subprotocol}}
	socket, response, err := dialer.DialContext(ctx, address, http.Header{"Origin": {p.url}})
	if err != nil {
		if response != nil {
			text, _ := io.ReadAll(io.LimitReader(response.Body, maxBody))
			refusal := &problem{}
			_ = json.Unmarshal(text, refusal)
			refusal.Status = response.StatusCode
			return fmt.Errorf("attach terminal: %w", refusal)
		}
		return fmt.Errorf("attach terminal: %w", err)
	}
	done := make(chan struct{})
	s.mu.Lock()
	s.socket, s.done, s.leaving, s.hello = socket, done, false, false
	s.mu.Unlock()
	go func() {
		defer close(done)
		s.read(socket)
	}()
	if _, err := s.wait(ctx, func() bool { return s.hello && s.offset >= s.head }); err != nil {
		s.drop()
		return fmt.Errorf("attach terminal: %w", err)
	}
	return nil
}

// drop ends the socket as a lost network does, without a word.
func (s *screen) drop() {
	s.mu.Lock()
	socket, done := s.socket, s.done
	s.leaving = true
	s.mu.Unlock()
	if done == nil {
		return
	}
	_ = socket.NetConn().Close()
	<-done
	s.mu.Lock()
	s.socket, s.done = nil, nil
	s.mu.Unlock()
}

// read takes in messages until the socket is over.
func (s *screen) read(socket *websocket.Conn) {
	for {
		kind, p, err := socket.ReadMessage()
		now := time.Now()
		s.mu.Lock()
		if err != nil {
			if !s.leaving {
				s.r.count(func(c *Counts) { c.Cut++ })
			}
			s.leaving = true
			s.poke()
			s.mu.Unlock()
			socket.Close()
			return
		}
		if kind == websocket.BinaryMessage {
			s.offset += int64(len(p))
			s.seen = append(s.seen, p...)
			if len(s.seen) > 2*maxSeen { // a flood
				s.seen = append(s.seen[:0], s.seen[len(s.seen)-maxSeen:]...)
			}
			s.at = now
			s.r.count(func(c *Counts) { c.Bytes += int64(len(p)) })
			text := fmt.Appendf(nil, `{"type":"ack","offset":%d}`, s.offset)
			_ = socket.WriteMessage(websocket.TextMessage, text) // its reader notices
		} else {
			s.told(p)
		}
		s.poke()
		s.mu.Unlock()
	}
}

// told takes in what the server says beside output. Under mu.
func (s *screen) told(text []byte) {
	var m struct {
		Type   string `json:"type"`
		Code   string `json:"code"`
		Offset int64  `json:"offset"`
		Head   int64  `json:"head"`
		Bytes  int64  `json:"bytes"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		s.r.failed(fmt.Errorf("the terminal said %.80q: %w", text, err))
		return
	}
	switch {
	case m.Type == "hello":
		if s.began {
			gap := m.Offset - s.offset
			s.r.count(func(c *Counts) { c.Lost += max(0, gap); c.Repeated += max(0, -gap) })
		}
		s.began, s.hello, s.offset, s.head = true, true, m.Offset, m.Head
	case m.Code == "skipped":
		s.r.count(func(c *Counts) { c.Lost += m.Bytes })
		s.offset = m.Offset
	case m.Type == "exit":
		s.r.failed(errors.New("the shell ended by itself"))
	}
}

// poke wakes who waits. Under mu.
func (s *screen) poke() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// wait returns when is says so, which is called under mu, with when the newest
// output came. Errors: errCut, the context's.
func (s *screen) wait(ctx context.Context, is func() bool) (time.Time, error) {
	for {
		s.mu.Lock()
		ok, at, cut := is(), s.at, s.leaving
		s.mu.Unlock()
		switch {
		case ok:
			return at, nil
		case cut:
			return at, errCut
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
}

// until waits for mark and returns what came before it; both are forgotten.
func (s *screen) until(ctx context.Context, mark []byte) (before []byte, at time.Time, err error) {
	at, err = s.wait(ctx, func() bool {
		i := bytes.Index(s.seen, mark)
		if i < 0 {
			return false
		}
		before = bytes.Clone(s.seen[:i])
		s.seen = append(s.seen[:0], s.seen[i+len(mark):]...)
		return true
	})
	return before, at, err
}

// take waits for n bytes and returns them; they are forgotten.
func (s *screen) take(ctx context.Context, n int) (p []byte, at time.Time, err error) {
	at, err = s.wait(ctx, func() bool {
		if len(s.seen) < n {
			return false
		}
		p = bytes.Clone(s.seen[:n])
		s.seen = append(s.seen[:0], s.seen[n:]...)
		return true
	})
	return p, at, err
}

// typed sends what a learner types.
func (s *screen) typed(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket == nil || s.leaving {
		return errCut
	}
	if err := s.socket.WriteMessage(websocket.BinaryMessage, []byte(text)); err != nil {
		return errCut
	}
	return nil
}
