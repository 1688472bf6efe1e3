package ptyring

import (
	"encoding/binary"
	"math/rand/v2"
	"sync/atomic"
	"unsafe"

	"sysnerd/sandbox/redraw"
)

const (
	headerSize = 4096
	// maxModes is how many bytes the state at the tail takes at most, as output. Some
	// hundred are what there is.
	maxModes = 1800
	// nonceSize is how many bytes of a nonce there are; a shorter read has fewer.
	nonceSize = 8
	// maxOffset is beyond what any terminal prints.
	maxOffset = 1 << 62
	// lentSlot is the tail that the owner writes; the borrower begins with the other.
	lentSlot = 0
)

// header is the first page of a ring's file. The borrower writes it, the owner reads
// it afterwards; neither takes for granted what is there.
type header struct {
	head  atomic.Int64  // number of the next byte
	at    atomic.Int64  // head when the read that is under way began
	n     atomic.Int64  // how many bytes it reads; 0 when none is under way
	nonce atomic.Uint64 // what was in their place, as it lies in memory
	tail  atomic.Int64  // which of the two tails is whole: 0 or 1
	tails [2]tail
}

// tail is the number of the oldest byte kept, and the terminal's state there.
type tail struct {
	offset atomic.Int64
	size   atomic.Int64 // of modes
	modes  [maxModes]byte
}

func headerOf(file []byte) *header {
	_ = file[headerSize-1]
	return (*header)(unsafe.Pointer(&file[0]))
}

// A header fits its page, or this does not compile.
const _ = uint(headerSize - unsafe.Sizeof(header{}))

// newNonce returns 8 bytes of which the first is in no UTF-8 text.
func newNonce() (b [nonceSize]byte) {
	binary.NativeEndian.PutUint64(b[:], rand.Uint64())
	// c0, c1, f5 … ff
	if b[0] = 0xf3 + b[0]%13; b[0] < 0xf5 {
		b[0] -= 0xf3 - 0xc0
	}
	return b
}

// published is what the borrower wrote into the two tails last.
type published struct {
	state [2]redraw.State
	known [2]bool
	slot  int64
}

// publish makes the tail known, before what lies there is overwritten.
func (p *published) publish(h *header, offset int64, at *redraw.State) {
	slot := 1 - p.slot
	t := &h.tails[slot]
	if !p.known[slot] || p.state[slot] != *at {
		t.size.Store(int64(copy(t.modes[:], at.Prefix(0))))
		p.state[slot], p.known[slot] = *at, true
	}
	t.offset.Store(offset)
	h.tail.Store(slot)
	p.slot = slot
}
