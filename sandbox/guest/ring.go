package guest

import (
	"fmt"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/redraw"
)

const (
	// ringSize is how many bytes of a terminal's output are kept at least.
	ringSize = 256 << 10
	// ringSpace is how much room for the next bytes there always is. It is more than
	// a pty gives in one read.
	ringSpace = 4 << 10
	ringMem   = ringSize + ringSpace
)

// ring keeps the newest bytes of a stream whose bytes are numbered from 0. It
// lies in a memfd, so that it can be handed to another process one day; its
// pages cost nothing until they are written. Not safe for concurrent use.
type ring struct {
	mem  []byte
	head int64        // number of the next byte
	tail int64        // number of the oldest byte kept
	at   redraw.State // at tail
}

func newRing() (*ring, error) {
	fd, err := unix.MemfdCreate("terminal", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make ring: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, ringMem); err != nil {
		return nil, fmt.Errorf("size ring: %w", err)
	}
	mem, err := unix.Mmap(fd, 0, ringMem, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map ring: %w", err)
	}
	return &ring{mem: mem}, nil
}

// start is the number of the oldest byte kept.
func (r *ring) start() int64 { return r.tail }

// space is where the next bytes go; say how many came with advance. What was there
// is forgotten.
func (r *ring) space() []byte {
	p := r.mem[r.head%ringMem:]
	p = p[:min(len(p), ringSpace)]
	for to := r.head + int64(len(p)) - ringMem; r.tail < to; {
		old := r.from(r.tail)
		old = old[:min(int64(len(old)), to-r.tail)]
		r.at.Feed(old)
		r.tail += int64(len(old))
	}
	return p
}

func (r *ring) advance(n int) { r.head += int64(n) }

func (r *ring) write(p []byte) {
	for len(p) > 0 {
		n := copy(r.space(), p)
		r.advance(n)
		p = p[n:]
	}
}

// from returns bytes from offset on, as far as they lie in one piece. The offset
// must be between start and head.
func (r *ring) from(offset int64) []byte {
	at := offset % ringMem
	return r.mem[at:min(ringMem, at+r.head-offset)]
}
