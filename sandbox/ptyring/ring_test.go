package ptyring

import (
	"bytes"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newRing(tb testing.TB) *Ring {
	tb.Helper()
	r, err := New()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(r.Close)
	return r
}

// kept is all that a ring holds.
func kept(r *ring) (all []byte) {
	for at := r.Start(); at < r.Head(); {
		p := r.From(at)
		all = append(all, p...)
		at += int64(len(p))
	}
	return all
}

func TestRingKeepsTheNewest(t *testing.T) {
	r := newRing(t)
	var all []byte
	for i := range 1000 {
		p := bytes.Repeat([]byte{byte(i)}, i%1500+1)
		r.Write(p)
		all = append(all, p...)
	}
	if n := r.Head() - r.Start(); r.Head() != int64(len(all)) || n < Size || n > memSize {
		t.Fatalf("ring holds %d to %d, want the last %d to %d of %d", r.Start(), r.Head(), Size, memSize, len(all))
	}
	if !bytes.Equal(kept(&r.ring), all[r.Start():]) {
		t.Error("the ring's bytes are not the newest")
	}
}
