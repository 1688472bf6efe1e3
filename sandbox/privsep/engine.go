package privsep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

const (
	// greetTime is how long a helper may take to open its engine.
	greetTime = 30 * time.Second
	// giveUpTime is how long a call whose context has ended waits for what became of
	// it. An engine may outwait a cancelled Create for 30 s, to leave nothing behind.
	giveUpTime = 35 * time.Second
)

// Engine is a [sandbox.Engine] whose work is done by a helper in another process.
type Engine struct {
	conn  *net.UnixConn
	ended chan struct{} // the reader has

	sending sync.Mutex
	mu      sync.Mutex
	closed  bool
	reason  error // why no call can succeed any more; nil while some can
	last    uint64
	waiting map[uint64]*call
}

var _ sandbox.Engine = (*Engine)(nil)

// call is a request under way.
type call struct {
	listed []sandbox.Listed // of the packets so far; the reader's until done
	done   chan result      // has room for one, so that the reader never waits
}

// result is the last packet of an answer, and the descriptor that came with it or -1.
type result struct {
	answer
	fd int
}

// Pair returns both ends of what helper and server talk over.
func Pair() (helper, server *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "helper's end"), os.NewFile(uintptr(fds[1]), "server's end"), nil
}

// Conn makes a connection of one end of a Pair, which it closes.
func Conn(end *os.File) (*net.UnixConn, error) {
	defer end.Close()
	conn, err := net.FileConn(end)
	if err != nil {
		return nil, err
	}
	u, ok := conn.(*net.UnixConn)
	if !ok || u.LocalAddr().Network() != "unixpacket" {
		_ = conn.Close()
		return nil, fmt.Errorf("%s is no socket of packets", end.Name())
	}
	return u, nil
}

// Connect waits until the helper at the other end has opened its engine. It takes
// conn, and closes it with the Engine. Errors: what the helper says, such as
// [sandbox.ErrUnavailable].
func Connect(ctx context.Context, conn *net.UnixConn, instance string) (*Engine, error) {
	ctx, cancel := context.WithTimeout(ctx, greetTime)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	var g greeting
	packet, _, err := receive(conn, nil)
	switch {
	case !stop() && ctx.Err() != nil:
		err = fmt.Errorf("%w: its helper did not greet: %w", sandbox.ErrUnavailable, ctx.Err())
	case errors.Is(err, io.EOF), errors.Is(err, unix.ECONNRESET):
		err = fmt.Errorf("%w: its helper ended at once; its log says why", sandbox.ErrUnavailable)
	case err == nil:
		if err = decode(packet, &g); err == nil {
			err = received(g.Errors, g.Text)
		}
	}
	if err == nil && (g.Version != version || g.Instance != instance) {
		err = fmt.Errorf("helper has protocol %d and instance %q, this server %d and %q; start both from one build", g.Version, g.Instance, version, instance)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	e := &Engine{conn: conn, ended: make(chan struct{}), waiting: map[uint64]*call{}}
	go e.read()
	return e, nil
}

// Close ends the helper, which leaves the sandboxes as they are, and waits until
// nothing of this engine runs here.
func (e *Engine) Close() error {
	e.mu.Lock()
	closed := e.closed
	e.closed = true
	e.mu.Unlock()
	var err error
	if !closed {
		err = e.conn.Close()
	}
	<-e.ended
	return err
}

// Ended is closed when the helper has ended, or Close was called.
func (e *Engine) Ended() <-chan struct{} { return e.ended }

var errEnded = fmt.Errorf("%w: the helper that runs the sandboxes has ended; they live on: start the server again", sandbox.ErrUnavailable)

// read hands answers to those who wait for them until the socket ends.
func (e *Engine) read() {
	room := make([]byte, unix.CmsgSpace(4)) // of one descriptor
	for {
		packet, fd, err := receive(e.conn, room)
		var a answer
		if err == nil {
			err = decode(packet, &a)
		}
		if err != nil {
			closeFD(fd)
			break
		}
		e.mu.Lock()
		c := e.waiting[a.Number]
		if !a.More {
			delete(e.waiting, a.Number)
		}
		e.mu.Unlock()
		if c == nil { // who asked has left
			closeFD(fd)
			continue
		}
		c.listed = append(c.listed, a.Listed...)
		if a.More {
			closeFD(fd)
			continue
		}
		a.Listed = c.listed
		c.done <- result{a, fd}
	}
	_ = e.conn.Close() // also when the helper sent nonsense
	e.mu.Lock()
	e.reason = errEnded
	waiting := e.waiting
	e.waiting = nil
	e.mu.Unlock()
	for _, c := range waiting {
		close(c.done)
	}
	close(e.ended)
}

func closeFD(fd int) {
	if fd >= 0 {
		_ = unix.Close(fd)
	}
}

// ask sends a request and waits for the end of its answer.
func (e *Engine) ask(ctx context.Context, r request) (result, error) {
	if err := ctx.Err(); err != nil {
		return result{}, err
	}
	if end, ok := ctx.Deadline(); ok {
		r.Timeout = max(time.Until(end), 1)
	}
	c := &call{done: make(chan result, 1)}
	e.mu.Lock()
	if e.reason != nil {
		e.mu.Unlock()
		return result{}, e.reason
	}
	e.last++
	r.Number = e.last
	e.waiting[r.Number] = c
	e.mu.Unlock()
	if err := e.send(r); err != nil {
		e.forget(r.Number)
		return result{}, err
	}
	select {
	case got, ok := <-c.done:
		return e.judge(got, ok)
	case <-ctx.Done():
	}
	// The helper has the deadline, too, and tells of it itself.
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		if err := e.send(request{Number: r.Number, Verb: verbGiveUp}); err != nil {
			e.forget(r.Number)
			return result{}, err
		}
	}
	patience := time.NewTimer(giveUpTime)
	defer patience.Stop()
	select {
	case got, ok := <-c.done:
		return e.judge(got, ok)
	case <-patience.C:
	}
	if e.forget(r.Number) {
		return result{}, fmt.Errorf("%w: its helper does not answer: %w", sandbox.ErrUnavailable, ctx.Err())
	}
	got, ok := <-c.done
	return e.judge(got, ok)
}

// judge takes a result for what it is. ok is false when the helper ended before it.
func (e *Engine) judge(got result, ok bool) (result, error) {
	if !ok {
		return result{}, errEnded
	}
	err := received(got.Errors, got.Text)
	if err != nil {
		closeFD(got.fd)
	}
	return got, err
}

// forget says whether there is no result yet, and then there never will be.
func (e *Engine) forget(number uint64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, waits := e.waiting[number]
	delete(e.waiting, number)
	return waits
}

func (e *Engine) send(r request) error {
	e.sending.Lock()
	defer e.sending.Unlock()
	err := send(e.conn, r, nil)
	if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, net.ErrClosed) {
		return errEnded
	}
	return err
}

// Image returns the image that sandboxes run, in the engine's words: the one for a
// Spec. Errors: [sandbox.ErrImageMissing], [sandbox.ErrUnavailable].
func (e *Engine) Image(ctx context.Context) (string, error) {
	got, err := e.ask(ctx, request{Verb: verbImage})
	return got.Image, err
}

// Create has the helper make and start a sandbox, of an image that Image returned.
func (e *Engine) Create(ctx context.Context, spec sandbox.Spec) error {
	_, err := e.ask(ctx, request{Verb: verbCreate, Spec: &spec})
	return err
}

// Attach returns a [*net.UnixConn] where the engine does, so that descriptors can come
// along with frames.
func (e *Engine) Attach(ctx context.Context, id string) (io.ReadWriteCloser, error) {
	got, err := e.ask(ctx, request{Verb: verbAttach, ID: id})
	if err != nil {
		return nil, err
	}
	if got.fd < 0 {
		return nil, fmt.Errorf("attach to sandbox %.40q: no descriptor came with the answer", id)
	}
	conn, err := connOf(got.fd)
	if err != nil {
		return nil, fmt.Errorf("attach to sandbox %.40q: %w", id, err)
	}
	if got.Direct {
		return conn, nil
	}
	return &copied{conn}, nil
}

// Update has the helper change the limits of a running sandbox.
func (e *Engine) Update(ctx context.Context, id string, limits sandbox.Limits) error {
	_, err := e.ask(ctx, request{Verb: verbUpdate, ID: id, Limits: &limits})
	return err
}

// List has the helper list the sandboxes of its instance.
func (e *Engine) List(ctx context.Context) ([]sandbox.Listed, error) {
	got, err := e.ask(ctx, request{Verb: verbList})
	return got.Listed, err
}

// Remove has the helper end and remove a sandbox.
func (e *Engine) Remove(ctx context.Context, id string) error {
	_, err := e.ask(ctx, request{Verb: verbRemove, ID: id})
	return err
}
