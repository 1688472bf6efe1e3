package ptyring

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Descriptors is how many come with one ring: the pty's master, and its memory.
const Descriptors = 2

// ErrRefused says that what was handed over is not what was agreed.
var ErrRefused = errors.New("what was handed over is refused")

// Bounds are what the owner says of its ring: the numbers of its oldest byte and of
// its next one, and output that brings a terminal into the modes at the oldest.
type Bounds struct {
	Start, Head int64
	Modes       []byte
}

// Accept takes over a pty and its ring. The descriptors are its own from then on,
// also when it fails. Errors: ErrRefused, those of mmap(2) and eventfd(2).
func Accept(fds []int, b Bounds) (*Pty, error) {
	p, err := accept(fds, b)
	if err != nil {
		CloseAll(fds)
		return nil, err
	}
	return p, nil
}

// CloseAll closes descriptors that nobody wants.
func CloseAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

func accept(fds []int, b Bounds) (*Pty, error) {
	if len(fds) != Descriptors {
		return nil, fmt.Errorf("%w: %d descriptors, want %d", ErrRefused, len(fds), Descriptors)
	}
	if b.Start < 0 || b.Head < b.Start || b.Head-b.Start > memSize || b.Head > maxOffset || len(b.Modes) > maxModes {
		return nil, fmt.Errorf("%w: a ring from %d to %d with modes of %d bytes", ErrRefused, b.Start, b.Head, len(b.Modes))
	}
	master, memfd := fds[0], fds[1]
	if err := checkMaster(master); err != nil {
		return nil, err
	}
	if err := checkMemory(memfd); err != nil {
		return nil, err
	}
	r, err := mapped(memfd)
	if err != nil {
		return nil, err
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Munmap(r.file)
		return nil, fmt.Errorf("make eventfd: %w", err)
	}
	unix.Close(memfd) // the mapping stays
	r.head, r.tail = b.Head, b.Start
	r.at.Feed(b.Modes)
	return &Pty{ring: r, told: published{slot: lentSlot}, master: master, wake: wake, nonce: newNonce(), left: make(chan struct{})}, nil
}

// checkMaster says whether fd is the master of a pty: a /dev/ptmx that is open has
// these numbers, pts(4), and no other device has.
func checkMaster(fd int) error {
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if s.Mode&unix.S_IFMT != unix.S_IFCHR || s.Rdev != unix.Mkdev(5, 2) {
		return fmt.Errorf("%w: not the master of a pty, but mode %o, device %d:%d", ErrRefused, s.Mode, unix.Major(s.Rdev), unix.Minor(s.Rdev))
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_ACCMODE != unix.O_RDWR || flags&unix.O_PATH != 0 {
		return fmt.Errorf("%w: a master that is not open for reading and writing", ErrRefused)
	}
	return nil
}

// checkMemory says whether fd is a memfd of the agreed size that keeps it,
// memfd_create(2).
func checkMemory(fd int) error {
	got, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil {
		return fmt.Errorf("%w: memory that can't be sealed", ErrRefused)
	}
	if got != seals {
		return fmt.Errorf("%w: memory with seals %#x, want %#x", ErrRefused, got, seals)
	}
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if s.Size != fileSize {
		return fmt.Errorf("%w: memory of %d bytes, want %d", ErrRefused, s.Size, fileSize)
	}
	return nil
}
