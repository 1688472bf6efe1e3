package guest

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/link"
)

const (
	// outputRoom is how much may wait in a link's queue before terminals hold back.
	outputRoom = 128 << 10
	// farEndPause is how long to wait before looking again whether somebody is there.
	farEndPause = 50 * time.Millisecond
	// maxQueue is where a link counts as stuck: what comes then is dropped.
	maxQueue = 8 << 20
)

// conn is the guest's end of one link. A frame is written at once by whoever
// sends it when the far end takes it; what it does not take waits in a queue of
// this link, so that a stuck link stops nobody.
type conn struct {
	in, out  int
	accepted bool   // a socket of its own, in and out alike, over which descriptors may go; not stdio
	drained  func() // called when the queue has room again

	mu     sync.Mutex
	over   bool // closed: in and out may be others by now
	queue  []byte
	rights []rights      // that go with bytes of the queue, in order
	buf    []byte        // for the frame being coded
	ready  chan struct{} // the queue is not empty
}

func newConn(in, out int, drained func()) (*conn, error) {
	if err := unix.SetNonblock(out, true); err != nil {
		return nil, err
	}
	return &conn{in: in, out: out, drained: drained, ready: make(chan struct{}, 1)}, nil
}

// acceptedConn is the link on a connection that was accepted.
func acceptedConn(fd int, drained func()) *conn {
	return &conn{in: fd, out: fd, accepted: true, drained: drained, ready: make(chan struct{}, 1)}
}

// writeWith writes what the far end takes at once; descriptors go with the first byte.
// The caller holds mu.
func (c *conn) writeWith(p []byte, fds []int) (int, error) {
	return retry(func() (int, error) {
		if c.accepted { // it blocks its reader, and nobody else
			var oob []byte
			if len(fds) > 0 {
				oob = unix.UnixRights(fds...)
			}
			return unix.SendmsgN(c.out, p, oob, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		}
		return unix.Write(c.out, p)
	})
}

// cut makes the link's end come soon: at once when nothing is handed over on it, else
// when the far end has closed it and reads no pty any more, or has not in time. Stdio
// stays: it is there for the sandbox's life.
func (c *conn) cut(lent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.accepted || c.over:
	case lent:
		_ = unix.Shutdown(c.in, unix.SHUT_WR)
		time.AfterFunc(returnTime, func() { c.cut(false) })
	default:
		_ = unix.Shutdown(c.in, unix.SHUT_RDWR)
	}
}

// close closes a connection that was accepted. Only its reader may: nobody else
// knows that no read is under way.
func (c *conn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	c.dropQueue()
	close(c.ready)
	unix.Close(c.in)
}

// room says whether terminals may send.
func (c *conn) room() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue) < outputRoom
}

// send sends a frame; it never blocks.
func (c *conn) send(f link.Frame) {
	c.code(func(dst []byte) ([]byte, error) { return link.Append(dst, f) })
}

func (c *conn) sendJSON(k link.Kind, stream uint32, v any) {
	c.code(func(dst []byte) ([]byte, error) { return link.AppendJSON(dst, k, stream, v) })
}

func (c *conn) sendOffset(k link.Kind, stream uint32, offset int64, data []byte) {
	c.code(func(dst []byte) ([]byte, error) { return link.AppendOffset(dst, k, stream, offset, data) })
}

// begin ends whatever a former writer of this stream left unfinished.
func (c *conn) begin() {
	c.code(func(dst []byte) ([]byte, error) { return append(dst, link.End), nil })
}

func (c *conn) code(appendTo func([]byte) ([]byte, error)) { c.codeWith(nil, appendTo) }

// codeWith sends what appendTo makes, and descriptors with it.
func (c *conn) codeWith(fds []int, appendTo func([]byte) ([]byte, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || len(c.queue) > maxQueue {
		return
	}
	frame, err := appendTo(c.buf[:0])
	c.buf = frame[:0]
	if err != nil {
		return // larger than a frame: its maker bounds it, so this does not come
	}
	if len(c.queue) == 0 {
		for len(frame) > 0 {
			n, err := c.writeWith(frame, fds)
			if n > 0 {
				frame, fds = frame[n:], nil
			}
			if err != nil {
				if !errors.Is(err, unix.EAGAIN) {
					return // nobody at the far end; he says hello when he is back
				}
				break
			}
		}
	}
	if len(frame) > 0 {
		if !c.keepRights(fds) {
			return
		}
		c.queue = append(c.queue, frame...)
		select {
		case c.ready <- struct{}{}:
		default:
		}
	}
}

// drain writes the queue out until the link is over.
func (c *conn) drain() {
	for range c.ready {
		for c.flush() {
		}
	}
}

func (c *conn) flush() (more bool) {
	poll := []unix.PollFd{{Fd: int32(c.out), Events: unix.POLLOUT}}
	if _, err := retry(func() (int, error) { return unix.Poll(poll, 1000) }); err != nil {
		return false
	}
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return false
	}
	n, err := c.writeQueue()
	if n > 0 {
		c.queue = append(c.queue[:0], c.queue[n:]...)
	}
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		c.dropQueue()
	}
	if len(c.queue) == 0 && cap(c.queue) > 1<<20 {
		c.queue = nil
	}
	left := len(c.queue)
	c.mu.Unlock()
	if left < outputRoom {
		c.drained()
	}
	return left > 0
}

// receive hands every frame that arrives to f. On stdio it does so for as long as
// the guest lives: a far end that is gone may come back. A connection that was
// accepted ends.
func (c *conn) receive(f func(link.Frame)) {
	var d link.Decoder
	buf := make([]byte, 32<<10)
	for {
		n, err := retry(func() (int, error) { return unix.Read(c.in, buf) })
		if errors.Is(err, unix.EAGAIN) { // in and out are one socket, and out must not block
			poll := []unix.PollFd{{Fd: int32(c.in), Events: unix.POLLIN}}
			_, _ = retry(func() (int, error) { return unix.Poll(poll, -1) })
			continue
		}
		if err != nil || n == 0 && c.accepted {
			return
		}
		if n == 0 { // a FIFO without a writer, until the next server comes
			time.Sleep(farEndPause)
			continue
		}
		_ = d.Feed(buf[:n], func(fr link.Frame) error { f(fr); return nil })
	}
}
