package sandbox

import (
	"sysnerd/sandbox/link"
	"sysnerd/sandbox/redraw"
)

// firstHistory is what an idle terminal costs; it grows up to the guest's ring.
const firstHistory = 4 << 10

// history keeps the newest output of a terminal, up to link.OutputWindow bytes,
// numbered as the terminal's. Not safe for concurrent use.
type history struct {
	mem        []byte
	start, end int64        // offsets of the oldest byte kept, and behind the newest
	tail       redraw.State // at start
}

// skip forgets everything: the next byte is number offset, and those between are lost.
func (h *history) skip(offset int64) {
	h.forget(h.end)
	h.tail.Cut()
	h.start, h.end = offset, offset
}

// forget drops what lies before offset.
func (h *history) forget(offset int64) {
	for h.start < offset {
		p := h.from(h.start)
		p = p[:min(int64(len(p)), offset-h.start)]
		h.tail.Feed(p)
		h.start += int64(len(p))
	}
}

func (h *history) write(p []byte) {
	h.grow(int(h.end-h.start) + len(p))
	for len(p) > 0 {
		size := int64(len(h.mem))
		room := h.mem[h.end%size:]
		room = room[:min(len(room), len(p))]
		h.forget(h.end + int64(len(room)) - size)
		copy(room, p)
		h.end += int64(len(room))
		p = p[len(room):]
	}
}

// now is the state behind the newest byte.
func (h *history) now() redraw.State {
	s := h.tail
	for at := h.start; at < h.end; {
		p := h.from(at)
		s.Feed(p)
		at += int64(len(p))
	}
	return s
}

// grow makes room for want bytes, by doubling.
func (h *history) grow(want int) {
	size := max(len(h.mem), firstHistory)
	for size < want && size < link.OutputWindow {
		size *= 2
	}
	if size == len(h.mem) {
		return
	}
	mem := make([]byte, size)
	for at := h.start; at < h.end; {
		p := h.from(at)
		for len(p) > 0 {
			n := copy(mem[at%int64(size):], p)
			at += int64(n)
			p = p[n:]
		}
	}
	h.mem = mem
}

// from returns bytes from offset on, as far as they lie in one piece. The offset
// must be between start and end.
func (h *history) from(offset int64) []byte {
	if offset == h.end {
		return nil
	}
	at := offset % int64(len(h.mem))
	return h.mem[at:min(int64(len(h.mem)), at+h.end-offset)]
}
