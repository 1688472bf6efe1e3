package guest

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// ringSize is how many bytes of a terminal's output are kept.
const ringSize = 256 << 10

// ring keeps the newest bytes of a stream whose bytes are numbered from 0. It
// lies in a memfd, so that it can be handed to another process one day; its
// pages cost nothing until they are written. Not safe for concurrent use.
type ring struct {
	mem  []byte
	head int64 // number of the next byte
}

func newRing() (*ring, error) {
	fd, err := unix.MemfdCreate("terminal", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make ring: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, ringSize); err != nil {
		return nil, fmt.Errorf("size ring: %w", err)
	}
	mem, err := unix.Mmap(fd, 0, ringSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map ring: %w", err)
	}
	return &ring{mem: mem}, nil
}

// start is the number of the oldest byte kept.
func (r *ring) start() int64 { return max(0, r.head-ringSize) }

// space is where the next bytes go; say how many came with advance.
func (r *ring) space() []byte { return r.mem[r.head%ringSize:] }

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
	at := offset % ringSize
	return r.mem[at:min(ringSize, at+r.head-offset)]
}
