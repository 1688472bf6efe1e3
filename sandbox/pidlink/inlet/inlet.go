package inlet

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// FD is where the guest keeps the end that servers take: below the usual limit of 1024,
// and above what a program that becomes the guest may have open for itself.
const FD = 900

// Inlet is the guest's pair of sockets.
type Inlet struct{ in int }

// Listen makes it, once in a process.
func Listen() (*Inlet, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make inlet: %w", err)
	}
	err = unix.Dup3(pair[1], FD, unix.O_CLOEXEC)
	unix.Close(pair[1])
	if err != nil {
		unix.Close(pair[0])
		return nil, fmt.Errorf("make inlet: %w", err)
	}
	return &Inlet{pair[0]}, nil
}

// Accept waits for the next connection and returns its descriptor, a unix stream
// socket that blocks. What else comes is dropped. Errors: those of recvmsg(2); after
// one nothing more will come.
func (i *Inlet) Accept() (int, error) {
	var b [1]byte
	oob := make([]byte, unix.CmsgSpace(4))
	for {
		_, n, flags, _, err := unix.Recvmsg(i.in, b[:], oob, unix.MSG_CMSG_CLOEXEC)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return -1, fmt.Errorf("accept from inlet: %w", err)
		}
		for _, fd := range Rights(oob[:n]) {
			if flags&unix.MSG_CTRUNC == 0 && IsSocket(fd, unix.SOCK_STREAM) {
				return fd, nil // there is room for one
			}
			unix.Close(fd)
		}
	}
}

// Rights returns the descriptors in a control message, unix(7).
func Rights(oob []byte) (fds []int) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range messages {
		if got, err := unix.ParseUnixRights(&messages[i]); err == nil {
			fds = append(fds, got...)
		}
	}
	return fds
}

// IsSocket says whether fd is a unix socket of that kind, such as SOCK_STREAM.
func IsSocket(fd, kind int) bool {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil || domain != unix.AF_UNIX {
		return false
	}
	got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	return err == nil && got == kind
}
