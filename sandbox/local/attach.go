package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

// Attach connects to the guest. What it returns is the *[net.UnixConn] itself, so
// that descriptors can come along with frames; under gVisor it is a pair of FIFOs, and
// the stream that was attached before ends. A connection waits until the guest
// accepts it. One whose guest is killed before it has read all ends by ECONNRESET in
// place of io.EOF, unix(7).
func (e *Engine) Attach(ctx context.Context, id string) (io.ReadWriteCloser, error) {
	conn, err := e.attach(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("attach to sandbox %.40s: %w", id, err)
	}
	if e.cfg.Relayed && !e.underGVisor() {
		return relayed{conn}, nil
	}
	return conn, nil
}

// relayed is a connection that shows bytes only.
type relayed struct{ io.ReadWriteCloser }

// SetWriteDeadline bounds writes that wait for the guest.
func (r relayed) SetWriteDeadline(t time.Time) error {
	return r.ReadWriteCloser.(*net.UnixConn).SetWriteDeadline(t)
}

func (e *Engine) attach(ctx context.Context, id string) (io.ReadWriteCloser, error) {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	f, err := e.find(id)
	if err != nil {
		return nil, err
	}
	if !e.running(f) {
		return nil, sandbox.ErrNotRunning
	}
	if e.underGVisor() {
		p, err := e.attached.open(id, e.folder(id))
		if err != nil {
			return nil, err
		}
		return p, nil
	}
	var conn net.Conn
	err = socketPath(e.folder(id), func(path string) (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "unix", path)
		return err
	})
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil, sandbox.ErrNotFound // removed meanwhile
	case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.ECONNRESET):
		return nil, sandbox.ErrNotRunning // ended meanwhile
	case err != nil:
		return nil, err
	}
	return conn.(*net.UnixConn), nil
}
