package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

const (
	subprotocol = "sysnerd.terminal.v1"
	joinTime    = 10 * time.Second // for the terminal to be there
	pingEvery   = 30 * time.Second
	pongTime    = 5 * time.Minute // a closed lid is no reason to go
	partingTime = time.Second     // for a client to take the reason of a close
	partingSize = 4 << 20         // of what it may still send meanwhile
)

// terminalConn is one WebSocket on one terminal. Its writer, serve, alone writes
// messages; its reader, read, alone reads them. Pings and closes are control
// frames, which either may send.
type terminalConn struct {
	socket *websocket.Conn
	view   *sandbox.View
	since  int64        // where the client wants to go on; negative when it has nothing yet
	in     bytes.Buffer // the message that was read last

	skipped prometheus.Counter
}

// terminal opens a WebSocket on a shell of the sandbox. It takes the view first,
// so that what goes wrong is still told as a problem.
func (s *Server) terminal(w http.ResponseWriter, r *http.Request) error {
	join, err := parseJoining(r.URL.Query())
	if err != nil {
		return err
	}
	if !websocket.IsWebSocketUpgrade(r) {
		w.Header().Set("Upgrade", "websocket")
		return newProblem(http.StatusUpgradeRequired, "upgrade", "A WebSocket is needed",
			"A terminal is a WebSocket, and this request asks for none.", "Connect by WebSocket, with subprotocol "+subprotocol+".")
	}
	if !slices.Contains(websocket.Subprotocols(r), subprotocol) {
		return problemRequest("The WebSocket does not ask for the subprotocol "+subprotocol+".", "Name it in Sec-WebSocket-Protocol.")
	}
	box := callerOf(r).sandbox
	e := s.session(box)
	if e == nil || !s.begin() {
		return problemClosing
	}
	defer s.work.Done()
	if err := e.open(); err != nil {
		return err
	}
	defer e.close()

	joining, cancel := context.WithTimeout(r.Context(), joinTime)
	join.Prompt = true
	view, err := box.Terminal(join.tab).View(joining, join.ViewOptions)
	cancel()
	if err != nil {
		return err
	}
	defer view.Close()
	upgrader := websocket.Upgrader{
		Subprotocols: []string{subprotocol},
		CheckOrigin:  func(*http.Request) bool { return true }, // the route's row asks for it
		Error: func(w http.ResponseWriter, r *http.Request, status int, reason error) {
			s.refuse(w, r, newProblem(status, "handshake", "WebSocket refused", reason.Error()+".", "Use a WebSocket client (RFC 6455, version 13)."))
		},
	}
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil // it has answered
	}
	s.metrics.terminals.Inc()
	defer s.metrics.terminals.Dec()
	(&terminalConn{socket: socket, view: view, since: join.Since, skipped: s.metrics.skipped}).serve(e)
	return nil
}

// serve is the writer. It returns when the socket is closed and the reader gone.
func (c *terminalConn) serve(e *session) {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	c.socket.SetReadLimit(16 * maxMessage)
	_ = c.socket.SetReadDeadline(time.Now().Add(pongTime))
	c.socket.SetPongHandler(func(string) error {
		return c.socket.SetReadDeadline(time.Now().Add(pongTime))
	})
	ping := c.ping()
	defer ping.Stop()

	ended := make(chan error, 1) // why the reader ended
	go func() {
		ended <- c.read(ctx) // before cancel, which lets the writer ask for it
		cancel()
	}()
	err := c.write(ctx)
	cancel()

	// A client that is told why must have the time to read it: closing a TCP
	// connection with unread input throws away what was sent.
	hurry := time.AfterFunc(partingTime, func() { c.socket.Close() })
	defer hurry.Stop()
	select {
	case readErr := <-ended:
		var broke *violation
		if errors.As(readErr, &broke) {
			c.part(broke.code, broke.reason)
		}
		if !errors.As(readErr, new(*websocket.CloseError)) {
			_, _ = io.CopyN(io.Discard, c.socket.NetConn(), partingSize)
		}
	default:
		switch {
		case errors.Is(e.why(), problemEnded):
			c.part(websocket.CloseNormalClosure, "sandbox has ended")
		case e.ctx.Err() != nil:
			c.part(websocket.CloseServiceRestart, "server is restarting")
		case errors.Is(err, io.EOF):
			c.part(websocket.CloseNormalClosure, "terminal is over")
		case errors.As(err, new(*lost)):
			c.socket.Close()
		default:
			e.s.Log.Error("terminal", "sandbox", e.box.ID(), "error", err)
			c.part(websocket.CloseInternalServerErr, "terminal was lost")
		}
		<-ended
	}
	c.socket.Close()
}

// ping asks the client for a sign of life now and then, so that proxies keep the
// connection and a client that is gone is noticed.
func (c *terminalConn) ping() *time.Timer {
	var timer *time.Timer
	ready := make(chan struct{})
	timer = time.AfterFunc(pingEvery, func() {
		<-ready
		if c.socket.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)) == nil {
			timer.Reset(pingEvery)
		}
	})
	close(ready)
	return timer
}

// part says why the socket is closed.
func (c *terminalConn) part(code int, reason string) {
	_ = c.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(partingTime))
}

// lost says that the client did not take what was written.
type lost struct{ error }

// write shows the client what the view has, until either is over.
func (c *terminalConn) write(ctx context.Context) error {
	offset, writer := c.view.Start()
	if c.since >= 0 {
		offset = min(offset, c.since) // what was lost in between is told right before the data
	}
	err := c.say(map[string]any{"type": "hello", "offset": offset, "head": c.view.End(), "writer": writer})
	for err == nil {
		var out sandbox.Output
		if out, err = c.view.Next(ctx); err != nil {
			return err
		}
		switch {
		case out.Data != nil:
			if out.Redraw != nil {
				c.skipped.Add(float64(out.Skipped))
				err = c.say(map[string]any{"type": "notice", "code": "skipped", "bytes": out.Skipped,
					"offset": out.Offset, "redraw": out.Redraw, "head": out.Head})
			}
			if err == nil {
				err = c.send(websocket.BinaryMessage, out.Data)
			}
		case out.Writer != nil:
			err = c.say(map[string]any{"type": "writer", "writer": *out.Writer})
		case out.Exit != nil:
			err = c.say(map[string]any{"type": "exit", "status": *out.Exit})
		case out.Notice != nil:
			err = c.say(map[string]any{"type": "notice", "code": out.Notice.Code, "text": out.Notice.Text})
		}
	}
	return &lost{err}
}

func (c *terminalConn) say(message map[string]any) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	return c.send(websocket.TextMessage, text)
}

func (c *terminalConn) send(kind int, p []byte) error {
	_ = c.socket.SetWriteDeadline(time.Now().Add(writeTime))
	return c.socket.WriteMessage(kind, p)
}

// read does what the client says, until the socket is over. What the view can't
// do while its sandbox is lost goes nowhere, as on a line that is down; the writer
// is told of the end.
func (c *terminalConn) read(ctx context.Context) error {
	for {
		kind, p, err := c.message()
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			continue // parting
		}
		if kind == websocket.BinaryMessage {
			if len(p) == 1 && p[0] == 3 {
				_ = c.view.Interrupt(ctx)
			} else if len(p) > 0 {
				_ = c.view.Write(ctx, p)
			}
			continue
		}
		message, err := parseControl(p)
		if err != nil {
			return err
		}
		switch message.Type {
		case "resize":
			_ = c.view.Resize(ctx, sandbox.Size{Cols: message.Cols, Rows: message.Rows})
		case "ack":
			if c.view.Ack(message.Offset) {
				c.confirm()
			}
		case "interrupt":
			_ = c.view.Interrupt(ctx)
		case "writer":
			c.view.Take()
		}
	}
}

// confirm has TCP confirm at once what was read. It would put that off for 40 ms, and
// do it in the middle of reading the next key, if that comes sooner: 20 us and more (an
// acknowledgement of its own at the second small segment, tcp_measure_rcv_mss in Linux).
// An even value leaves delayed acknowledgements as they are. It is done when all was
// shown: behind more output there is a segment that confirms on its way.
func (c *terminalConn) confirm() {
	conn, ok := c.socket.NetConn().(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 2) })
	}
}

// message reads one message, which is valid until the next. The bound is our own:
// gorilla's, which is there for lengths beyond reason, closes without saying why.
func (c *terminalConn) message() (kind int, p []byte, err error) {
	kind, r, err := c.socket.NextReader()
	if c.in.Reset(); c.in.Cap() > maxControl {
		c.in = bytes.Buffer{} // a paste is over
	}
	if err == nil {
		_, err = c.in.ReadFrom(io.LimitReader(r, maxMessage+1))
	}
	p = c.in.Bytes()
	if len(p) > maxMessage || errors.Is(err, websocket.ErrReadLimit) {
		err = &violation{websocket.CloseMessageTooBig, "message larger than 64 KiB"}
	}
	return kind, p, err
}
