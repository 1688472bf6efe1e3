package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/link"
	"sysnerd/sandbox/pidlink/inlet"
	"sysnerd/sandbox/ptyring"
)

const (
	helloTimeout = 10 * time.Second
	writeTimeout = 10 * time.Second
)

// conn is the server's end of one link. Any goroutine may send; one receives.
type conn struct {
	stream io.ReadWriteCloser
	socket *net.UnixConn // the stream, where descriptors may come over it; else nil
	rights [][]int       // what came and was not asked for yet; the receiver's

	mu  sync.Mutex
	buf []byte
}

func newConn(stream io.ReadWriteCloser) *conn {
	socket, _ := stream.(*net.UnixConn)
	return &conn{stream: stream, socket: socket}
}

// breakOff ends receive. A socket stays open, so that the guest takes back what it
// handed over no sooner than it is let go: the receiver closes it.
func (c *conn) breakOff() {
	if c.socket == nil {
		c.stream.Close()
		return
	}
	_ = c.socket.SetReadDeadline(time.Unix(1, 0))
}

func (c *conn) send(f link.Frame) error {
	return c.code(func(dst []byte) ([]byte, error) { return link.Append(dst, f) })
}

func (c *conn) sendJSON(k link.Kind, stream uint32, v any) error {
	return c.code(func(dst []byte) ([]byte, error) { return link.AppendJSON(dst, k, stream, v) })
}

func (c *conn) sendOffset(k link.Kind, stream uint32, offset int64) error {
	return c.code(func(dst []byte) ([]byte, error) { return link.AppendOffset(dst, k, stream, offset, nil) })
}

func (c *conn) code(appendTo func([]byte) ([]byte, error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	frame, err := appendTo(c.buf[:0])
	c.buf = frame[:0]
	if err != nil {
		return err
	}
	// A guest always reads, so a write that waits this long means that the engine hangs.
	if d, ok := c.stream.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = d.SetWriteDeadline(time.Now().Add(writeTimeout))
	}
	if _, err = c.stream.Write(frame); err != nil {
		c.breakOff() // and the link is made anew
		return fmt.Errorf("%w: write to its guest: %v", ErrNotRunning, err)
	}
	return nil
}

// receive hands every frame to f until the stream ends.
func (c *conn) receive(f func(link.Frame)) {
	var d link.Decoder
	buf := make([]byte, 32<<10)
	defer func() {
		for len(c.rights) > 0 {
			ptyring.CloseAll(c.handed())
		}
	}()
	for {
		n, err := c.read(buf)
		if n > 0 {
			_ = d.Feed(buf[:n], func(fr link.Frame) error { f(fr); return nil })
		}
		if err != nil {
			return
		}
	}
}

// read reads the stream, and keeps the descriptors that come with it: those of one
// terminal at a time, and of no more than there are.
func (c *conn) read(buf []byte) (int, error) {
	if c.socket == nil {
		return c.stream.Read(buf)
	}
	var oob [rightsSpace]byte
	n, space, flags, _, err := c.socket.ReadMsgUnix(buf, oob[:])
	if space > 0 {
		fds := inlet.Rights(oob[:space])
		if flags&unix.MSG_CTRUNC != 0 || len(c.rights) == link.MaxTabs { // more than was agreed
			ptyring.CloseAll(fds)
			fds = nil
		}
		if len(c.rights) < link.MaxTabs {
			c.rights = append(c.rights, fds)
		}
	}
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// rightsSpace has room for the descriptors of one terminal and for no other: the
// kernel closes what does not fit, unix(7). CMSG_SPACE(2*sizeof(int)) on 64 bits.
const rightsSpace = unix.SizeofCmsghdr + 4*ptyring.Descriptors

// handed takes the descriptors that came first.
func (c *conn) handed() (fds []int) {
	if len(c.rights) > 0 {
		fds, c.rights = c.rights[0], c.rights[1:]
	}
	return fds
}

// greet says hello and waits for the guest's welcome. What else arrives before it
// belongs to an older epoch and is dropped. The stream is closed when ctx ends.
func greet(ctx context.Context, stream io.ReadWriteCloser, setup link.Setup) (*conn, link.Welcome, error) {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { stream.Close() })
	defer stop()
	c := newConn(stream)
	hello := link.Hello{Version: link.Version, Epoch: time.Now().UnixNano(), Setup: setup}
	sayHello := func() error {
		return c.code(func(dst []byte) ([]byte, error) {
			// The end mark first: whoever wrote before may have been cut off.
			return link.AppendJSON(append(dst, link.End), link.KindHello, 0, hello)
		})
	}
	if err := sayHello(); err != nil {
		return nil, link.Welcome{}, err
	}
	var (
		d       link.Decoder
		buf     = make([]byte, 4096)
		welcome link.Welcome
		found   = errors.New("found")
	)
	for {
		n, err := stream.Read(buf)
		feedErr := d.Feed(buf[:n], func(f link.Frame) error {
			switch f.Kind {
			case link.KindWelcome:
				if err := f.JSON(&welcome); err != nil {
					return err
				}
				if welcome.Epoch == hello.Epoch {
					return found
				}
			case link.KindRejected:
				var r link.Rejected
				if err := f.JSON(&r); err != nil {
					return err
				}
				if r.Version != link.Version {
					return fmt.Errorf("guest speaks version %d of the link, this server %d", r.Version, link.Version)
				}
				if r.Epoch >= hello.Epoch { // the clock went back since
					hello.Epoch = r.Epoch + 1
					return sayHello()
				}
			}
			return nil
		})
		switch {
		case errors.Is(feedErr, found):
			// The guest sends nothing after its welcome before it is asked, so
			// nothing is lost with this decoder.
			return c, welcome, nil
		case feedErr != nil:
			return nil, welcome, feedErr
		case ctx.Err() != nil:
			return nil, welcome, fmt.Errorf("%w: its guest did not answer within %s", ErrNotRunning, helloTimeout)
		case err != nil:
			return nil, welcome, fmt.Errorf("%w: %v", ErrNotRunning, err)
		}
	}
}
