package web

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestTerminalRefusesBeforeUpgrade(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	for _, test := range []struct {
		name, query string
		change      func(http.Header)
		want        int
	}{
		{"foreign origin", "", func(h http.Header) { h.Set("Origin", "http://evil.example") }, 403},
		{"no origin", "", func(h http.Header) { h.Del("Origin") }, 403},
		{"other subprotocol", "", func(h http.Header) { h.Set("Sec-Websocket-Protocol", "chat") }, 400},
		{"tab 0", "?tab=0", nil, 400},
		{"tab 10", "?tab=10", nil, 400},
		{"tab x", "?tab=x", nil, 400},
		{"two tabs", "?tab=1&tab=2", nil, 400},
		{"negative since", "?since=-1", nil, 400},
		{"huge since", "?since=99999999999999999999", nil, 400},
		{"cols x", "?cols=1e3", nil, 400},
	} {
		change := test.change
		if change == nil {
			change = func(http.Header) {}
		}
		socket, response, err := p.dial(box.Terminal+test.query, change)
		if err == nil {
			socket.Close()
			t.Errorf("%s: was let in", test.name)
			continue
		}
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != test.want {
			t.Errorf("%s = %d %s, want %d", test.name, response.StatusCode, body, test.want)
		}
		answer{t, response.StatusCode, response.Header, body}.problem()
	}
	if got := p.call("GET", box.Terminal, nil); got.status != http.StatusUpgradeRequired {
		t.Errorf("GET without upgrade = %d %s", got.status, got.body)
	}
	nobody := h.stranger()
	if _, response, err := nobody.dial(box.Terminal); err == nil || response.StatusCode != http.StatusUnauthorized {
		t.Errorf("stranger's dial = %v, %v; want 401", response, err)
	}
	if _, response, err := h.learner().dial(box.Terminal); err == nil || response.StatusCode != http.StatusNotFound {
		t.Errorf("other learner's dial = %v, %v; want 404", response, err)
	}
}

func TestMalformedMessagesCloseTheSocketAlone(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	bystander := p.terminal(box, "?tab=2")
	bystander.until("$ ")

	text := func(s string) func(*websocket.Conn) error {
		return func(c *websocket.Conn) error { return c.WriteMessage(websocket.TextMessage, []byte(s)) }
	}
	raw := func(b ...byte) func(*websocket.Conn) error {
		return func(c *websocket.Conn) error { _, err := c.NetConn().Write(b); return err }
	}
	for _, test := range []struct {
		name string
		send func(*websocket.Conn) error
		code int
	}{
		{"no JSON", text("hello"), 1007},
		{"empty text", text(""), 1007},
		{"cut off", text(`{"type":"resize"`), 1007},
		{"deep", text(strings.Repeat("[", 2000)), 1007},
		{"deeper", text(strings.Repeat("[", 60000)), 1009},
		{"not UTF-8", text("{\"type\":\"\xff\xfe\"}"), 1007},
		{"a list", text(`[]`), 1008},
		{"a number", text(`1`), 1008},
		{"null", text(`null`), 1008},
		{"unknown type", text(`{"type":"exec"}`), 1008},
		{"type is a number", text(`{"type":1}`), 1008},
		{"cols is text", text(`{"type":"resize","cols":"80","rows":24}`), 1008},
		{"cols too large for a number", text(`{"type":"resize","cols":1e99,"rows":24}`), 1008},
		{"negative ack", text(`{"type":"ack","offset":-1}`), 1008},
		{"giving writer away", text(`{"type":"writer","writer":false}`), 1008},
		{"long control", text(`{"type":"` + strings.Repeat("a", 5000) + `"}`), 1009},
		{"huge binary", func(c *websocket.Conn) error { return c.WriteMessage(websocket.BinaryMessage, make([]byte, 1<<20)) }, 1009},
		{"length far too large", raw(0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4), 1009},
		{"length with the top bit", raw(0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4), 1009},
		{"reserved bits", raw(0xf2, 0x80, 1, 2, 3, 4), 1002},
		{"unknown opcode", raw(0x83, 0x80, 1, 2, 3, 4), 1002},
		{"unmasked", raw(0x82, 0x01, 'x'), 1002},
		{"long ping", raw(0x89, 0xfe, 0x01, 0x00, 1, 2, 3, 4), 1002},
		{"continuation of nothing", raw(0x80, 0x80, 1, 2, 3, 4), 1002},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := p.terminal(box, "")
			s.tb = t
			if err := test.send(s.socket); err != nil {
				t.Fatal(err)
			}
			e := s.closed()
			if e.Code != test.code || e.Text == "" && !strings.HasPrefix(test.name, "length") {
				t.Errorf("closed with %d %q, want %d and a reason", e.Code, e.Text, test.code)
			}
		})
	}
	bystander.typed("echo still$((1))here\n")
	bystander.until("still1here")
	s := p.terminal(box, "")
	s.say(map[string]any{"type": "writer", "writer": true})
	s.typed("echo alive$((1))too\n")
	s.until("alive1too")
}

func TestTerminalPassesAnyBytes(t *testing.T) {
	h := build(t)
	p := h.learner()
	s := p.terminal(p.claim("one"), "")
	s.until("$ ")
	s.typed("printf 'a\\377\\000\\200z'; stty raw -echo; echo re$((1))ady; head -c 259 | od -An -v -tx1 | tr -d ' \\n'; stty sane\n")
	s.until("a\xff\x00\x80z")
	s.until("re1ady")
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	s.typed(string(all) + "\xff\xfe\x80")
	s.until(fmt.Sprintf("%x", all) + "fffe80")
}

func TestTerminalResumesWithoutGap(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	s := p.terminal(box, "")
	s.until("$ ")
	s.typed("for i in {1..20000}; do echo line $i; [ $((i % 100)) = 0 ] && sleep 0.01; done; echo the$((1))end\n")
	s.until("line 1\r\n")
	var all bytes.Buffer
	all.WriteString("line 1\r\n")
	for drops := 0; !bytes.Contains(s.seen.Bytes(), []byte("the1end")); {
		s.next()
		if s.seen.Len() < 4000 {
			continue
		}
		all.Write(s.seen.Bytes())
		at := s.offset
		s.socket.NetConn().Close() // without a word
		s = p.terminal(box, "?since="+strconv.FormatInt(at, 10))
		if s.offset != at {
			t.Fatalf("resumed at %d, want %d", s.offset, at)
		}
		drops++
	}
	all.Write(s.seen.Bytes())
	lines := strings.Split(all.String(), "\r\n")
	for i := range 20000 {
		if want := fmt.Sprintf("line %d", i+1); lines[i] != want {
			t.Fatalf("line %d is %q", i+1, lines[i])
		}
	}
}

func TestGapIsToldBeforeTheData(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	s := p.terminal(box, "")
	s.until("$ ")
	at := s.offset
	other := p.terminal(box, "")
	s.socket.Close()
	other.hears(map[string]any{"type": "writer", "writer": true})
	other.typed("head -c 600000 /dev/zero | tr '\\0' x; echo; echo out$((1))put\n")
	other.until("out1put")

	s = p.terminal(box, "?since="+strconv.FormatInt(at, 10))
	if s.offset != at {
		t.Fatalf("hello has offset %d, want %d", s.offset, at)
	}
	for len(s.told) == 0 {
		if s.seen.Len() > 0 {
			t.Fatal("data came before the gap was told")
		}
		s.next()
	}
	gap := s.told[0]
	if gap["type"] != "notice" || gap["code"] != "skipped" || gap["offset"].(float64) != float64(at)+gap["bytes"].(float64) || gap["bytes"].(float64) < 300000 {
		t.Errorf("told %v after %d", gap, at)
	}
	if redraw, err := base64.StdEncoding.DecodeString(gap["redraw"].(string)); err != nil || !bytes.HasPrefix(redraw, []byte("\x18\x1b[!p")) {
		t.Errorf("the redraw is %q, %v", redraw, err)
	}
	if gap["head"].(float64) <= gap["offset"].(float64) {
		t.Errorf("told %v: the head is not behind the offset", gap)
	}
	s.until("out1put")
	// Either may have read on, to the prompt.
	if here, there := s.offset-int64(s.seen.Len()), other.offset-int64(other.seen.Len()); here != there {
		t.Errorf("the same output ends at %d and at %d", here, there)
	}
}

func TestInterruptOvertakesPaste(t *testing.T) {
	h := build(t)
	p := h.learner()
	for _, test := range []struct {
		tab       string
		interrupt func(*screen)
	}{
		{"?tab=3", func(s *screen) { s.say(map[string]any{"type": "interrupt"}) }},
		{"?tab=4", func(s *screen) { s.typed("\x03") }},
	} {
		box := p.claim("one")
		s := p.terminal(box, test.tab)
		s.until("$ ")
		// Once it says so it runs: before that, bash may take the interrupt for itself.
		s.typed("sh -c 'echo slee\"\"ps; exec sleep 1000'\n")
		s.until("sleeps\r\n")
		line := strings.Repeat("y", 99) + "\n"
		for range 16 {
			s.typed(strings.Repeat(line, 650)) // 1 MB into a program that reads nothing
		}
		test.interrupt(s)
		s.until("^C")
		s.until("$ ") // what is typed before the prompt, bash may drop
		s.typed("echo back$((1))again\n")
		s.until("back1again")
		s.typed("yes\n")
		s.until("y\r\ny\r\n")
		test.interrupt(s)
		s.until("$ ")
		s.typed("echo no$((1))yes\n")
		s.until("no1yes")
	}
}

func TestOneWriterAnyNumberOfViewers(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	writer := p.terminal(box, "")
	writer.until("$ ")
	viewer := p.terminal(box, "")
	if viewer.hello["writer"] != false || writer.hello["writer"] != true {
		t.Fatalf("hello: %v, %v", writer.hello, viewer.hello)
	}
	viewer.typed("echo view$((1))er\n")
	viewer.say(map[string]any{"type": "interrupt"})
	viewer.say(map[string]any{"type": "resize", "cols": 33, "rows": 11})
	viewer.say(map[string]any{"type": "writer", "writer": true})
	viewer.hears(map[string]any{"type": "writer", "writer": true})
	writer.hears(map[string]any{"type": "writer", "writer": false})
	viewer.typed("stty size; echo now$((1))mine\n")
	viewer.until("24 80")
	viewer.until("now1mine")
	writer.until("now1mine")
	if bytes.Contains(writer.seen.Bytes(), []byte("view1er")) {
		t.Error("a viewer's input reached the shell")
	}
	viewer.socket.Close()
	writer.hears(map[string]any{"type": "writer", "writer": true})
	writer.say(map[string]any{"type": "resize", "cols": 100000, "rows": -5})
	writer.typed("stty size\n")
	writer.until("1 500")
}

func TestShellExitIsTold(t *testing.T) {
	h := build(t)
	p := h.learner()
	s := p.terminal(p.claim("one"), "")
	s.until("$ ")
	s.typed("exit 7\n")
	s.hears(map[string]any{"type": "exit", "status": 7})
	s.until("$ ")
}

func TestClientThatNeverAcknowledgesIsBounded(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	socket, _, err := p.dial(box.Terminal)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := socket.WriteMessage(websocket.BinaryMessage, []byte("yes\n")); err != nil {
		t.Fatal(err)
	}
	got := 0
	for {
		_ = socket.SetReadDeadline(time.Now().Add(time.Second))
		kind, data, err := socket.ReadMessage()
		if err != nil {
			break // a second of silence
		}
		if kind == websocket.BinaryMessage {
			got += len(data)
		}
	}
	if got == 0 || got > 256<<10 {
		t.Errorf("got %d bytes without acknowledging one, want at most 256 KiB", got)
	}
}

func TestSandboxOutlivesServer(t *testing.T) {
	first := build(t)
	p := first.learner()
	box := p.claim("one")
	s := p.terminal(box, "")
	s.until("$ ")
	s.typed("mark=kept; echo re$((1))ady\n")
	s.until("re1ady")
	s.until("$ ")
	at := s.offset
	closed := make(chan *websocket.CloseError, 1)
	go func() { closed <- s.closed() }()
	p.house = first.restart()
	if e := <-closed; e.Code != websocket.CloseServiceRestart {
		t.Errorf("closed with %v, want 1012", e)
	}

	s = p.terminal(box, "?since="+strconv.FormatInt(at, 10))
	s.typed("echo $mark-$((1))\n")
	s.until("kept-1")
	if again := p.claim("one"); again.ID != box.ID {
		t.Errorf("claim after the restart gave %s, want %s", again.ID, box.ID)
	}
}
