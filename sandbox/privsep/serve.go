package privsep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

// Helper serves one engine to one server.
type Helper struct {
	Engine   sandbox.Engine
	Instance string // of the engine; no sandbox of another is touched
	// Image names the image that sandboxes run, in the engine's words. A sandbox is
	// made only of an image that it named. Errors: sandbox.ErrImageMissing.
	Image func(ctx context.Context) (string, error)
	Log   *slog.Logger
}

// Refuse tells the server why there is no engine.
func Refuse(conn *net.UnixConn, instance string, reason error) error {
	found, text := failure(reason)
	return send(conn, greeting{Version: version, Instance: instance, Errors: found, Text: text}, nil)
}

// leaveTime is how long calls under way may take once the server has gone.
const leaveTime = time.Second

// Serve answers until the server closes its end, which is no error, or sends what is
// no message. It takes conn, and closes it. Sandboxes live on. It does not wait longer
// than a second for an engine that does not answer: calls that are under way then end
// with the process, and the next server's sweep sees what they left.
func (h *Helper) Serve(conn *net.UnixConn) error {
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{
		Helper: h, conn: conn, ctx: ctx,
		pending: map[uint64]context.CancelFunc{}, images: map[string]bool{}, room: make(chan struct{}, maxPending),
	}
	err := send(conn, greeting{Version: version, Instance: h.Instance}, nil)
	if err == nil {
		err = s.read()
	}
	cancel()
	_ = conn.Close()
	left := make(chan struct{})
	go func() {
		defer close(left)
		s.work.Wait()
	}()
	select {
	case <-left:
	case <-time.After(leaveTime):
		h.Log.Warn("the engine did not end its work in time; the next start cleans up", "after", leaveTime)
	}
	if err != nil {
		return fmt.Errorf("serve the engine to the server: %w", err)
	}
	return nil
}

// session is one call of Serve.
type session struct {
	*Helper
	conn *net.UnixConn
	ctx  context.Context // ends with the socket
	work sync.WaitGroup
	room chan struct{} // has one entry for each request under way

	sending sync.Mutex
	mu      sync.Mutex
	pending map[uint64]context.CancelFunc
	images  map[string]bool // that Image named
}

// read takes requests until the socket ends.
func (s *session) read() error {
	for {
		// No room for control messages: the kernel drops descriptors that come along.
		packet, _, err := receive(s.conn, nil)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, unix.ECONNRESET):
			return nil
		case err != nil:
			return err
		}
		r, err := decodeRequest(packet)
		if err != nil {
			return err
		}
		if r.Verb == verbGiveUp {
			s.mu.Lock()
			if giveUp := s.pending[r.Number]; giveUp != nil {
				giveUp()
			}
			s.mu.Unlock()
			continue
		}
		s.room <- struct{}{}
		ctx, cancel := s.bound(r.Timeout)
		s.mu.Lock()
		taken := s.pending[r.Number] != nil
		s.pending[r.Number] = cancel
		s.mu.Unlock()
		if taken {
			cancel()
			return fmt.Errorf("request %d is under way already", r.Number)
		}
		s.work.Go(func() {
			s.handle(ctx, r)
			cancel()
			<-s.room
		})
	}
}

func (s *session) bound(timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.WithCancel(s.ctx)
	}
	return context.WithTimeout(s.ctx, timeout)
}

// handle does what r asks for and answers.
func (s *session) handle(ctx context.Context, r request) {
	var (
		err    error
		a      = answer{Number: r.Number}
		handed *os.File
	)
	switch r.Verb {
	case verbCreate:
		if err = s.judge(*r.Spec); err == nil {
			err = s.Engine.Create(ctx, *r.Spec)
		}
	case verbAttach:
		if err = named(r.ID); err == nil {
			handed, a.Direct, err = s.attach(ctx, r.ID)
		}
	case verbUpdate:
		if err = named(r.ID); err == nil {
			err = r.Limits.Check()
		}
		if err == nil {
			err = s.Engine.Update(ctx, r.ID, *r.Limits)
		}
	case verbList:
		a.Listed, err = s.Engine.List(ctx)
	case verbRemove:
		// What can be no sandbox's id is not there, and that is no error.
		if named(r.ID) == nil {
			err = s.Engine.Remove(ctx, r.ID)
		}
	case verbImage:
		if a.Image, err = s.Image(ctx); err == nil {
			s.mu.Lock()
			s.images[a.Image] = true
			s.mu.Unlock()
		}
	}
	a.Errors, a.Text = failure(err)
	s.answer(a, handed)
}

// named says whether id can be a sandbox's. Errors: sandbox.ErrNotFound.
func named(id string) error {
	if err := sandbox.CheckID(id); err != nil {
		return fmt.Errorf("%w: %v", sandbox.ErrNotFound, err)
	}
	return nil
}

// judge holds a spec against what may be asked for.
func (s *session) judge(spec sandbox.Spec) error {
	if err := spec.Check(); err != nil {
		return fmt.Errorf("create sandbox %.40q: %w", spec.ID, err)
	}
	s.mu.Lock()
	known := s.images[spec.Image]
	s.mu.Unlock()
	switch {
	case spec.Instance != s.Instance:
		return fmt.Errorf("create sandbox %s: instance is %q, this helper serves %q", spec.ID, spec.Instance, s.Instance)
	case !labPattern.MatchString(spec.Lab):
		return fmt.Errorf("create sandbox %s: lab %.40q: want module/lab of a-z, 0-9 and -", spec.ID, spec.Lab)
	case !known:
		return fmt.Errorf("create sandbox %s: %w: %.80q is none that the helper named", spec.ID, sandbox.ErrImageMissing, spec.Image)
	}
	return nil
}

// answer sends a, in as many packets as its list needs, and closes what it hands over.
func (s *session) answer(a answer, handed *os.File) {
	if handed != nil {
		defer handed.Close()
	}
	// Before the last packet: the server may use the number again at once.
	s.mu.Lock()
	delete(s.pending, a.Number)
	s.mu.Unlock()
	s.sending.Lock()
	defer s.sending.Unlock()
	for all := a.Listed; ; {
		a.Listed = all[:min(len(all), maxListed)]
		all = all[len(a.Listed):]
		a.More = len(all) > 0
		if err := send(s.conn, a, handed); err != nil {
			if s.ctx.Err() == nil {
				s.Log.Warn("cannot answer the server", "err", err)
			}
			return
		}
		if !a.More {
			return
		}
	}
}

// send writes one packet, with a descriptor if there is one.
func send(conn *net.UnixConn, message any, handed *os.File) error {
	packet, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(packet) > maxMessage {
		return fmt.Errorf("message of %d bytes, %d are the most", len(packet), maxMessage)
	}
	var rights []byte
	if handed != nil {
		rights = unix.UnixRights(int(handed.Fd()))
	}
	_, _, err = conn.WriteMsgUnix(packet, rights, nil)
	return err
}

// receive reads one packet. A descriptor that came with it is taken if there is room
// for its control message; it is -1 if there was none.
func receive(conn *net.UnixConn, room []byte) (packet []byte, fd int, err error) {
	packet = make([]byte, maxMessage+1)
	n, controls, flags, _, err := conn.ReadMsgUnix(packet, room)
	if err != nil {
		return nil, -1, err
	}
	fd, err = descriptor(room[:controls])
	if err == nil && (n > maxMessage || flags&unix.MSG_TRUNC != 0) {
		err = fmt.Errorf("message of more than %d bytes", maxMessage)
	}
	if err != nil && fd >= 0 {
		_ = unix.Close(fd)
		fd = -1
	}
	return packet[:n], fd, err
}

// descriptor is the one of a control message, or -1. More than one is an error.
func descriptor(control []byte) (int, error) {
	if len(control) == 0 {
		return -1, nil
	}
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return -1, fmt.Errorf("control message: %w", err)
	}
	var all []int
	for _, m := range messages {
		if fds, err := unix.ParseUnixRights(&m); err == nil {
			all = append(all, fds...)
		}
	}
	switch len(all) {
	case 0:
		return -1, nil
	case 1:
		return all[0], nil
	}
	for _, fd := range all {
		_ = unix.Close(fd)
	}
	return -1, fmt.Errorf("%d descriptors came, want one", len(all))
}
