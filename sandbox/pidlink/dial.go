package pidlink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/pidlink/inlet"
)

const (
	// readyPause is how long to wait before looking again whether the guest is ready.
	readyPause = time.Millisecond
	// readyTime bounds that.
	readyTime = 2 * time.Second
)

// ErrCannot says that this process has no such way: it is not on one kernel with the
// sandbox, has not the rights, or PID 1 is no guest that keeps an inlet.
var ErrCannot = errors.New("no socket to PID 1 of the sandbox")

// Process is a process that stays the same one, whatever becomes of its number.
type Process struct {
	pid int
	fd  int
}

// Open finds a process of this kernel. Errors: ErrCannot.
func Open(pid int) (*Process, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: pidfd_open of %d: %w", ErrCannot, pid, err)
	}
	return &Process{pid, fd}, nil
}

// Close forgets the process.
func (p *Process) Close() { unix.Close(p.fd) }

// Alive says whether it has not ended.
func (p *Process) Alive() bool {
	poll := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
	for {
		// A signal that is pending, such as those of Go's scheduler, interrupts it though
		// it does not wait.
		if n, err := unix.Poll(poll, 0); !errors.Is(err, unix.EINTR) {
			return n == 0 && err == nil
		}
	}
}

// Dial connects to the guest that p is. A guest that has just been started is waited
// for, two seconds at most. Errors: ErrCannot, the context's.
func (p *Process) Dial(ctx context.Context) (*net.UnixConn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTime, fmt.Errorf("%w: it keeps none", ErrCannot))
	defer cancel()
	for {
		taken, err := unix.PidfdGetfd(p.fd, inlet.FD, 0)
		if err == nil {
			defer unix.Close(taken)
			if !inlet.IsSocket(taken, unix.SOCK_SEQPACKET) {
				return nil, fmt.Errorf("%w: what it keeps is none", ErrCannot)
			}
			return connect(taken)
		}
		if !errors.Is(err, unix.EBADF) || !p.Alive() {
			return nil, fmt.Errorf("%w: pidfd_getfd: %w", ErrCannot, err)
		}
		select {
		case <-time.After(readyPause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// connect sends one end of a new pair through what was taken and returns the other.
func connect(taken int) (*net.UnixConn, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make socket: %w", err)
	}
	defer unix.Close(pair[1])
	ours := os.NewFile(uintptr(pair[0]), "link")
	defer ours.Close() // net.FileConn has a copy
	if err := unix.Sendmsg(taken, []byte{0}, unix.UnixRights(pair[1]), nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL); err != nil {
		return nil, fmt.Errorf("%w: send it a socket: %w", ErrCannot, err)
	}
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, fmt.Errorf("make socket: %w", err)
	}
	return conn.(*net.UnixConn), nil
}
