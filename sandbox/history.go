package sandbox

import "sysnerd/sandbox/link"

// firstHistory is what an idle terminal costs; it grows up to the guest's ring.
const firstHistory = 4 << 10

// history keeps the newest output of a terminal, up to link.OutputWindow bytes,
// numbered as the terminal's. Not safe for concurrent use.
type history struct {
	mem        []byte
	start, end int64 // offsets of the oldest byte kept, and behind the newest
}

// skip forgets everything: the next byte is number offset.
func (h *history) skip(offset int64) { h.start, h.end = offset, offset }

func (h *history) write(p []byte) {
	if over := len(p) - link.OutputWindow; over > 0 {
		h.skip(h.end + int64(over))
		p = p[over:]
	}
	h.grow(int(h.end-h.start) + len(p))
	for len(p) > 0 {
		n := copy(h.mem[h.end%int64(len(h.mem)):], p)
		h.end += int64(n)
		p = p[n:]
	}
	h.start = max(h.start, h.end-int64(len(h.mem)))
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
