package fake

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"sysnerd/sandbox"
	"sysnerd/sandbox/pidlink"
)

// stream is one attachment to a guest's stdio. It reads and writes the socket
// itself, so that a byte passes no goroutine on its way.
type stream struct {
	p *process
	// Each is held through a call on the socket, so that whoever changes the
	// attachment can wait until the old one has let go.
	reading, writing sync.Mutex
	over             error // what Read and Write return from now on; guarded by both
}

var past = time.Unix(1, 0)

// dial connects to the guest past its stdio.
func (p *process) dial(ctx context.Context) (io.ReadWriteCloser, error) {
	if !p.running() {
		return nil, sandbox.ErrNotRunning
	}
	process, err := pidlink.Open(p.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	defer process.Close()
	conn, err := process.Dial(ctx)
	switch {
	case err == nil:
		return conn, nil
	case !process.Alive():
		return nil, sandbox.ErrNotRunning
	}
	return nil, err
}

func (p *process) attach() (io.ReadWriteCloser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return nil, sandbox.ErrNotRunning
	}
	if p.current != nil {
		p.current.leave(io.EOF)
	} else {
		_ = p.conn.SetReadDeadline(past)
		<-p.drained
		_ = p.conn.SetReadDeadline(time.Time{})
	}
	p.current = &stream{p: p}
	return p.current, nil
}

// drain drops output while nobody is attached, as container engines do.
func (p *process) drain() {
	drained := make(chan struct{})
	p.drained = drained
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, p.conn)
	}()
}

// leave ends s, waits until no call of it is on the socket, and leaves the
// socket fit for the next. The caller holds p.mu.
func (s *stream) leave(over error) {
	_ = s.p.conn.SetDeadline(past)
	s.reading.Lock()
	s.writing.Lock()
	s.over = over
	s.writing.Unlock()
	s.reading.Unlock()
	_ = s.p.conn.SetDeadline(time.Time{})
}

func (s *stream) Read(b []byte) (int, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.over != nil {
		return 0, s.over
	}
	n, err := s.p.conn.Read(b)
	if n == 0 && err != nil {
		return 0, io.EOF // of the guest, or of this attachment: the next call tells
	}
	return n, nil
}

func (s *stream) Write(b []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.over != nil {
		return 0, net.ErrClosed
	}
	return s.p.conn.Write(b)
}

// Close leaves the guest running.
func (s *stream) Close() error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.p.current == s {
		s.leave(net.ErrClosed)
		s.p.current = nil
		s.p.drain()
	}
	return nil
}
