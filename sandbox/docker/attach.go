package docker

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"sysnerd/sandbox"
)

// Attach connects to the guest: by a [*net.UnixConn] where the engine is on this
// kernel and this process may, else to its stdio.
func (e *Engine) Attach(ctx context.Context, id string) (io.ReadWriteCloser, error) {
	s, err := e.attach(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("attach to sandbox %s: %w", id, err)
	}
	return s, nil
}

func (e *Engine) attach(ctx context.Context, id string) (io.ReadWriteCloser, error) {
	ctx, cancel := withDeadline(ctx, askDeadline)
	defer cancel()
	c, err := e.find(ctx, id)
	if err != nil {
		return nil, err
	}
	if !c.running {
		return nil, sandbox.ErrNotRunning
	}
	if conn := e.dial(ctx, c); conn != nil {
		return conn, nil
	}
	bound, release := dialBound(ctx)
	resp, err := e.api.ContainerAttach(bound, c.container, container.AttachOptions{
		Stream: true, Stdin: true, Stdout: true, Stderr: true,
	})
	release()
	if err != nil {
		if errdefs.IsNotFound(err) {
			return nil, sandbox.ErrNotFound
		}
		return nil, explain(ctx, err)
	}
	s := &stream{
		conn: resp.Conn,
		in:   resp.Reader,
		log:  e.cfg.Log.With("sandbox", id),
	}
	// The engine lets one attach to a container that has ended, and then says
	// nothing for ever: look once more.
	again, err := e.find(ctx, id)
	switch {
	case err != nil:
	case again.container != c.container:
		err = sandbox.ErrNotFound
	case !again.running:
		err = sandbox.ErrNotRunning
	default:
		return s, nil
	}
	_ = s.Close()
	return nil, err
}

const (
	maxFrame  = 1 << 20 // the engine copies 32 KiB at a time
	maxStderr = 8 << 10 // of standard error goes to the log, per stream
)

// stream is the attached stdio of a container without a terminal. The engine
// sends frames of eight bytes of head (stream, three zeros, length) and data.
// Read hands out standard output straight from the connection's buffer.
type stream struct {
	conn   net.Conn
	in     *bufio.Reader
	log    *slog.Logger
	closed atomic.Bool
	logged int // bytes of standard error in the log
	left   int // bytes of standard output in the present frame
	err    error
}

func (s *stream) Read(p []byte) (int, error) {
	for s.left == 0 {
		if s.err == nil {
			s.err = s.nextFrame()
		}
		if s.err != nil {
			return 0, s.err
		}
	}
	n, err := s.in.Read(p[:min(len(p), s.left)])
	s.left -= n
	if err != nil {
		s.left, s.err = 0, s.end(err)
	}
	if n == 0 {
		return 0, s.err
	}
	return n, nil
}

// nextFrame reads heads until one announces standard output.
func (s *stream) nextFrame() error {
	var head [8]byte
	if _, err := io.ReadFull(s.in, head[:]); err != nil {
		return s.end(err)
	}
	size := int(binary.BigEndian.Uint32(head[4:]))
	if head[0] > 3 || head[1]|head[2]|head[3] != 0 || size > maxFrame {
		_ = s.Close()
		return fmt.Errorf("docker sent a frame that is none: % x", head)
	}
	if head[0] == 1 {
		s.left = size
		return nil
	}
	return s.note(head[0], size)
}

// note logs the beginning of what the guest or the engine has to complain of,
// and drops the rest.
func (s *stream) note(from byte, size int) error {
	keep := min(size, maxStderr-s.logged)
	if keep > 0 {
		text := make([]byte, keep)
		if _, err := io.ReadFull(s.in, text); err != nil {
			return s.end(err)
		}
		s.logged += keep
		s.log.Warn("guest wrote to standard error", "stream", from, "text", string(text))
	}
	if _, err := s.in.Discard(size - max(keep, 0)); err != nil {
		return s.end(err)
	}
	return nil
}

// end tells the stream's end from its Close; how the engine came to drop it
// makes no difference to a reader.
func (s *stream) end(err error) error {
	if s.closed.Load() || errors.Is(err, net.ErrClosed) {
		return net.ErrClosed
	}
	return io.EOF
}

func (s *stream) Write(p []byte) (int, error) { return s.conn.Write(p) }

// Close closes the stream only: stdin of the container stays open.
func (s *stream) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.conn.Close()
}
