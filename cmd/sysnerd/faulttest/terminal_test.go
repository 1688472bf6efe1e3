package faulttest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// terminal is a client that comes back by offset, and remembers all it saw.
type terminal struct {
	t    *testing.T
	b    *box
	path string
	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	deaf    bool          // acknowledges nothing
	news    chan struct{} // closed when something came
	socket  *websocket.Conn
	hellos  []time.Time
	start   int64  // offset of seen[0]
	seen    []byte // what was skipped stands in it as zeros
	skipped []span
	mark    int // of seen: what is before it was waited for
	exits   int
	closes  []int    // codes with which the server closed
	wrong   []string // what breaks the protocol or the history
}

type span struct{ from, to int64 }

func (b *box) terminal(query string) *terminal {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := &terminal{t: b.t, b: b, path: b.Terminal + query, stop: cancel, done: make(chan struct{}), news: make(chan struct{}), start: -1}
	go func() {
		defer close(c.done)
		for wait := 50 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, time.Second) {
			if c.attend(ctx) {
				wait = 50 * time.Millisecond
			}
			pause(ctx, wait)
		}
	}()
	b.t.Cleanup(c.close)
	return c
}

func (c *terminal) close() {
	c.stop()
	c.drop()
	<-c.done
}

// drop closes the socket without a word.
func (c *terminal) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.socket != nil {
		c.socket.NetConn().Close()
	}
}

// attend connects once and reads until the end; it says whether it was let in.
func (c *terminal) attend(ctx context.Context) bool {
	c.mu.Lock()
	since := "since=0"
	if c.start >= 0 {
		since = "since=" + strconv.FormatInt(c.start+int64(len(c.seen)), 10)
	}
	c.mu.Unlock()
	separator := "?"
	if bytes.ContainsRune([]byte(c.path), '?') {
		separator = "&"
	}
	d := websocket.Dialer{Jar: c.b.jar, Subprotocols: []string{"sysnerd.terminal.v1"}, NetDialContext: c.b.dial, HandshakeTimeout: 15 * time.Second}
	socket, response, err := d.DialContext(ctx, "ws://"+c.b.server+c.path+separator+since, http.Header{"Origin": {"http://" + c.b.server}})
	if response != nil {
		response.Body.Close()
	}
	if err != nil {
		return false
	}
	defer socket.Close()
	greeted := false
	for {
		kind, p, err := socket.ReadMessage()
		c.mu.Lock()
		if err != nil {
			c.socket = nil
			if e, ok := err.(*websocket.CloseError); ok {
				c.closes = append(c.closes, e.Code)
			}
		} else if kind == websocket.BinaryMessage {
			c.seen = append(c.seen, p...)
			if !greeted {
				c.wrong = append(c.wrong, "bytes before hello")
			}
		} else if c.told(p) {
			greeted, c.socket = true, socket
			c.hellos = append(c.hellos, time.Now())
		}
		end := c.start + int64(len(c.seen))
		if err == nil && kind == websocket.BinaryMessage && !c.deaf {
			_ = socket.WriteJSON(map[string]any{"type": "ack", "offset": end})
		}
		close(c.news)
		c.news = make(chan struct{})
		c.mu.Unlock()
		if err != nil {
			return greeted
		}
	}
}

// told takes in a control message, and says whether it was hello.
func (c *terminal) told(p []byte) (hello bool) {
	var m struct {
		Type, Code    string
		Offset, Bytes int64
	}
	if err := json.Unmarshal(p, &m); err != nil {
		c.wrong = append(c.wrong, fmt.Sprintf("control message %q", p))
	}
	end := c.start + int64(len(c.seen))
	switch {
	case m.Type == "hello" && c.start < 0:
		c.start = m.Offset
	case m.Type == "hello" && m.Offset != end:
		c.wrong = append(c.wrong, fmt.Sprintf("hello at %d, we have all up to %d", m.Offset, end))
	case m.Type == "notice" && m.Code == "skipped":
		if m.Offset != end+m.Bytes || m.Bytes <= 0 {
			c.wrong = append(c.wrong, fmt.Sprintf("%d bytes skipped up to %d, we had all up to %d", m.Bytes, m.Offset, end))
			break
		}
		c.skipped = append(c.skipped, span{end, m.Offset})
		c.seen = append(c.seen, make([]byte, m.Bytes)...)
	case m.Type == "exit":
		c.exits++
	}
	return m.Type == "hello"
}

// waits until so, called under mu, is true.
func (c *terminal) waits(within time.Duration, so func() bool) bool {
	late := time.NewTimer(within)
	defer late.Stop()
	for {
		c.mu.Lock()
		news, yes := c.news, so()
		c.mu.Unlock()
		if yes {
			return true
		}
		select {
		case <-news:
		case <-late.C:
			return false
		}
	}
}

// sees waits for text after what was waited for last.
func (c *terminal) sees(text string, within time.Duration) bool {
	c.t.Helper()
	from := 0 // before it, it is not
	ok := c.waits(within, func() bool {
		from = max(from, c.mark)
		at := bytes.Index(c.seen[from:], []byte(text))
		if at >= 0 {
			c.mark = from + at + len(text)
		}
		from = max(from, len(c.seen)-len(text))
		return at >= 0
	})
	if !ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.t.Errorf("terminal of %s did not show %q within %s; it ends with %q", c.b.ID, text, within, c.seen[max(c.mark, len(c.seen)-300):])
	}
	return ok
}

// types sends what a learner types, once the socket is there.
func (c *terminal) types(text string) {
	c.t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); {
		c.waits(time.Until(end), func() bool { return c.socket != nil })
		if c.send(websocket.BinaryMessage, []byte(text)) == nil {
			return
		}
	}
	c.t.Errorf("terminal of %s takes no input", c.b.ID)
}

func (c *terminal) say(message map[string]any) error {
	p, err := json.Marshal(message)
	if err != nil {
		return err
	}
	return c.send(websocket.TextMessage, p)
}

func (c *terminal) send(kind int, p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.socket == nil {
		return websocket.ErrCloseSent
	}
	return c.socket.WriteMessage(kind, p)
}

// runs types a command line and waits for a word that it prints at its end. The
// quotes keep what is typed from looking like what it prints.
func (c *terminal) runs(line string, within time.Duration) bool {
	c.t.Helper()
	c.types(line + "; echo do''ne-$?\n")
	return c.sees("done-0\r\n", within)
}

// backSince says whether the terminal was attached anew after t.
func (c *terminal) backSince(t time.Time, within time.Duration) bool {
	return c.waits(within, func() bool {
		return len(c.hellos) > 0 && c.hellos[len(c.hellos)-1].After(t) && c.socket != nil
	})
}

// size is how many bytes have come, or were skipped.
func (c *terminal) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// acknowledges says whether it tells the server what it has shown.
func (c *terminal) acknowledges(yes bool) {
	c.mu.Lock()
	c.deaf = !yes
	end := c.start + int64(len(c.seen))
	c.mu.Unlock()
	if yes {
		_ = c.say(map[string]any{"type": "ack", "offset": end})
	}
}

// number says how often the loop of counting had printed when asked.
func (c *terminal) number() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := counted.FindAllSubmatch(c.seen[max(0, len(c.seen)-4096):], -1)
	if len(all) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(string(all[len(all)-1][1]))
	return n
}

// counting is a running program that costs next to nothing: a number each 50 ms.
const counting = "exec 9<> <(:); for ((i = 1; ; i++)); do echo \"n=$i\"; read -rt 0.05 -u 9; done\n"

var counted = regexp.MustCompile(`n=(\d+)\r\n`)

// judge holds the history against what must be true of any.
func (c *terminal) judge() {
	c.t.Helper()
	c.mu.Lock()
	end := c.start + int64(len(c.seen))
	c.mu.Unlock()
	witness := c.b.witness(c.path, end)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.wrong {
		c.t.Errorf("terminal of %s: %s", c.b.ID, w)
	}
	if len(c.skipped) == 0 { // numbers of a loop follow each other
		last := 0
		for _, m := range counted.FindAllSubmatch(c.seen, -1) {
			n, _ := strconv.Atoi(string(m[1]))
			if n != last+1 && n != 1 {
				c.t.Errorf("terminal of %s: after number %d came %d", c.b.ID, last, n)
			}
			last = n
		}
	}
	if witness == nil {
		return
	}
	// What the sandbox kept is what was seen, byte for byte.
	low, high := max(c.start, witness.start), min(c.start+int64(len(c.seen)), witness.start+int64(len(witness.seen)))
	for at := low; at < high; at++ {
		if got := c.seen[at-c.start]; got != witness.seen[at-witness.start] && !c.isSkipped(at) && !witness.isSkipped(at) {
			c.t.Errorf("terminal of %s: byte %d is %q, and the sandbox has %q there", c.b.ID, at,
				c.seen[at-c.start:min(at-c.start+40, int64(len(c.seen)))], witness.seen[at-witness.start:min(at-witness.start+40, int64(len(witness.seen)))])
			return
		}
	}
}

func (c *terminal) isSkipped(at int64) bool {
	for _, s := range c.skipped {
		if at >= s.from && at < s.to {
			return true
		}
	}
	return false
}

// witness reads what the sandbox has kept of a terminal's output up to an offset.
func (b *box) witness(path string, end int64) *terminal {
	b.t.Helper()
	c := &terminal{t: b.t, b: b, path: path, news: make(chan struct{}), start: -1}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { c.attend(ctx); close(done) }()
	all := c.waits(10*time.Second, func() bool { return c.start >= 0 && c.start+int64(len(c.seen)) >= end })
	cancel()
	c.drop()
	<-done
	if !all {
		b.t.Errorf("terminal of %s could not be read again up to %d", b.ID, end)
		return nil
	}
	return c
}
