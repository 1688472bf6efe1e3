package privsep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// attach returns what the server is to read and write.
func (s *session) attach(ctx context.Context, id string) (handed *os.File, direct bool, err error) {
	stream, err := s.Engine.Attach(ctx, id)
	if err != nil {
		return nil, false, err
	}
	if socket, ok := stream.(*net.UnixConn); ok {
		defer stream.Close()
		if handed, err = socket.File(); err != nil {
			return nil, false, fmt.Errorf("attach to sandbox %s: %w", id, err)
		}
		return handed, true, nil
	}
	ours, theirs, err := pair()
	if err != nil {
		_ = stream.Close()
		return nil, false, fmt.Errorf("attach to sandbox %s: %w", id, err)
	}
	s.copy(stream, ours)
	return theirs, false, nil
}

// copy copies both ways until either side ends, or the server has gone.
func (s *session) copy(stream io.ReadWriteCloser, ours *net.UnixConn) {
	end := func() {
		_ = stream.Close()
		_ = ours.Close()
	}
	stop := context.AfterFunc(s.ctx, end)
	s.work.Go(func() {
		_, _ = io.Copy(ours, stream)
		end()
	})
	s.work.Go(func() {
		w := &watched{to: stream, late: time.AfterFunc(writeTime, end)}
		w.late.Stop()
		_, _ = io.Copy(w, ours)
		w.late.Stop()
		end()
		stop()
	})
}

// writeTime bounds one write to an engine's stream. A guest always reads, so longer
// means that the engine hangs, and nobody would notice that the server has left.
const writeTime = 10 * time.Second

// watched has late run when a write takes too long.
type watched struct {
	to   io.Writer
	late *time.Timer
}

func (w *watched) Write(p []byte) (int, error) {
	w.late.Reset(writeTime)
	defer w.late.Stop()
	return w.to.Write(p)
}

// pair returns both ends of a stream: ours for the poller, theirs to be sent away.
func pair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "attached stream")
	if ours, err = connOf(fds[0]); err != nil {
		_ = theirs.Close()
	}
	return ours, theirs, err
}

// connOf makes a connection of a descriptor, which it takes.
func connOf(fd int) (*net.UnixConn, error) {
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		_ = conn.Close()
		return nil, fmt.Errorf("descriptor is a %s socket, want unix", conn.LocalAddr().Network())
	}
	return u, nil
}

// copied is an attached stream in the server whose other end the helper copies. It
// does not pass for a socket to the guest.
type copied struct{ *net.UnixConn }

// Read returns io.EOF, too, when the other side left with bytes unread.
func (s *copied) Read(p []byte) (int, error) {
	n, err := s.UnixConn.Read(p)
	if errors.Is(err, unix.ECONNRESET) {
		err = io.EOF
	}
	return n, err
}
