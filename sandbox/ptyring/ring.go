package ptyring

import (
	"fmt"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/redraw"
)

const (
	// Size is how many bytes of a terminal's output are kept at least.
	Size = 256 << 10
	// Space is how much room for the next bytes there is mostly. It is more than a
	// pty gives in one read.
	Space = 4 << 10

	memSize  = Size + Space
	fileSize = headerSize + memSize
	seals    = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
)

// ring keeps the newest bytes of a stream whose bytes are numbered from 0.
type ring struct {
	*header
	mem  []byte
	file []byte       // the whole mapping: header and mem
	head int64        // number of the next byte
	tail int64        // number of the oldest byte kept
	at   redraw.State // at tail
}

func mapped(memfd int) (ring, error) {
	file, err := unix.Mmap(memfd, 0, fileSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return ring{}, fmt.Errorf("map ring: %w", err)
	}
	return ring{header: headerOf(file), mem: file[headerSize:], file: file}, nil
}

// Ring is a terminal's newest output at its owner. Its pages cost nothing until
// they are written.
type Ring struct {
	ring
	fd   int
	lent bool
}

// New makes an empty ring.
func New() (*Ring, error) {
	fd, err := unix.MemfdCreate("terminal", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("make ring: %w", err)
	}
	if err = unix.Ftruncate(fd, fileSize); err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	var r ring
	if err == nil {
		r, err = mapped(fd)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("make ring: %w", err)
	}
	return &Ring{ring: r, fd: fd}, nil
}

// Close gives its memory back. Nobody may use r, or what it returned, after it.
func (r *Ring) Close() {
	_ = unix.Munmap(r.file)
	unix.Close(r.fd)
}

// Start is the number of the oldest byte kept.
func (r *ring) Start() int64 { return r.tail }

// Head is the number of the next byte.
func (r *ring) Head() int64 { return r.head }

// Modes is output that brings a terminal into the modes in force at Start.
func (r *ring) Modes() []byte { return r.at.Prefix(0) }

// Space is where the next bytes go, at least one and mostly 4 KiB; say how many came
// with Advance. What was there is forgotten.
func (r *ring) Space() []byte {
	p := r.mem[r.head%memSize:]
	p = p[:min(len(p), Space)]
	r.forget(r.head + int64(len(p)) - memSize)
	return p
}

// forget drops what lies before offset.
func (r *ring) forget(offset int64) {
	for r.tail < offset {
		old := r.From(r.tail)
		old = old[:min(int64(len(old)), offset-r.tail)]
		r.at.Feed(old)
		r.tail += int64(len(old))
	}
}

// Advance says that the next n bytes are there.
func (r *ring) Advance(n int) { r.head += int64(n) }

// Write puts bytes behind the newest.
func (r *ring) Write(p []byte) {
	for len(p) > 0 {
		n := copy(r.Space(), p)
		r.Advance(n)
		p = p[n:]
	}
}

// From returns bytes from offset on, as far as they lie in one piece. The offset
// must be between Start and Head.
func (r *ring) From(offset int64) []byte {
	at := offset % memSize
	return r.mem[at:min(memSize, at+r.head-offset)]
}
