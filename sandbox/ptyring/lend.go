package ptyring

import (
	"bytes"
	"encoding/binary"

	"sysnerd/sandbox/redraw"
)

// File is the descriptor of the ring's memory, to be passed on.
func (r *Ring) File() int { return r.fd }

// Lent says whether somebody else has the ring.
func (r *Ring) Lent() bool { return r.lent }

// Lend readies the header for a borrower, who has the ring until Settle.
func (r *Ring) Lend() {
	r.n.Store(0)
	r.header.head.Store(r.head)
	p := published{slot: 1 - lentSlot}
	p.publish(r.header, r.tail, &r.at)
	r.lent = true
}

// Settle takes the ring back from a borrower who reads no more, whatever it was doing
// when it ended. It returns how many bytes came in the meantime. Numbers that
// can't be are passed over: then what the owner had itself stands, or nothing of it.
func (r *Ring) Settle() int64 {
	if !r.lent {
		return 0
	}
	r.lent = false
	before := r.head
	head := r.header.head.Load()
	if head < before || head > maxOffset {
		return 0
	}
	if n := r.n.Load(); n > 0 && n <= Space && r.header.at.Load() == head && r.tookPlace(head, n) {
		head += n
	}
	r.n.Store(0)
	r.settleTail(head)
	r.head = head
	return head - before
}

// tookPlace says whether a read of n bytes to the place of head on was done.
func (r *Ring) tookPlace(head, n int64) bool {
	place := r.mem[head%memSize:]
	if int64(len(place)) < n {
		return false // no read goes over the end
	}
	var nonce [nonceSize]byte
	binary.NativeEndian.PutUint64(nonce[:], r.nonce.Load())
	k := min(n, nonceSize)
	return !bytes.Equal(place[:k], nonce[:k])
}

// settleTail moves the tail on to where the borrower left it.
func (r *Ring) settleTail(head int64) {
	if slot := r.header.tail.Load(); slot == 0 || slot == 1 {
		t := &r.tails[slot]
		offset, size := t.offset.Load(), t.size.Load()
		if offset >= r.tail && offset <= head && head-offset <= memSize && size >= 0 && size <= maxModes {
			r.at = redraw.State{}
			r.at.Feed(bytes.Clone(t.modes[:size]))
			r.tail = offset
			return
		}
	}
	if oldest := head - Size; r.tail < oldest {
		r.at.Cut()
		r.tail = oldest
	}
}
