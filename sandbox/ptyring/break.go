package ptyring

import (
	"golang.org/x/sys/unix"
)

// Break sends the terminal of that master its Ctrl-C, past everything typed before:
// the kernel acts on the character only when it reads it, and with its queue full it
// reads nothing. In raw mode it is a key like others. Errors: those of write(2).
func Break(master int) error {
	key := byte(3)
	if mode, err := unix.IoctlGetTermios(master, unix.TCGETS); err == nil && mode.Lflag&unix.ISIG != 0 {
		if c := mode.Cc[unix.VINTR]; c != 0 {
			key = c
		}
		if peer, err := peerOf(master); err == nil {
			_ = unix.IoctlSetInt(master, unix.TCFLSH, unix.TCOFLUSH)
			_ = unix.IoctlSetInt(peer, unix.TCFLSH, unix.TCIFLUSH)
			unix.Close(peer)
		}
	}
	for {
		if _, err := unix.Write(master, []byte{key}); err != unix.EINTR { //nolint:errorlint // a bare errno
			return err
		}
	}
}

// peerOf opens the far end of a pty without its path: TIOCGPTPEER, ioctl_tty(2).
func peerOf(master int) (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(master), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}
