package ptyring

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// memory makes a memfd of that size with those seals.
func memory(tb testing.TB, size int64, seals int) int {
	tb.Helper()
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err == nil {
		err = unix.Ftruncate(fd, size)
	}
	if err == nil && seals != 0 {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return fd
}

func opened(tb testing.TB, path string, flags int) int {
	tb.Helper()
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NOCTTY, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	return fd
}

// TestAcceptRefuses is what a hostile owner may hand over.
func TestAcceptRefuses(t *testing.T) {
	good, far := openPty(t)
	master := func() int { return duplicate(t, good) }
	sealed := func() int { return memory(t, fileSize, seals) }
	file := func() int {
		fd := opened(t, filepath.Join(t.TempDir(), "file"), unix.O_RDWR|unix.O_CREAT)
		if err := unix.Ftruncate(fd, fileSize); err != nil {
			t.Fatal(err)
		}
		return fd
	}
	pipe := func() int {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		unix.Close(p[1])
		return p[0]
	}
	for _, c := range []struct {
		name string
		fds  []int
		b    Bounds
	}{
		{"nothing", nil, Bounds{}},
		{"a master alone", []int{master()}, Bounds{}},
		{"a third descriptor", []int{master(), sealed(), master()}, Bounds{}},
		{"the other way round", []int{sealed(), master()}, Bounds{}},
		{"a pty's far end", []int{duplicate(t, int(far.Fd())), sealed()}, Bounds{}},
		{"/dev/null", []int{opened(t, "/dev/null", unix.O_RDWR), sealed()}, Bounds{}},
		{"/dev/zero", []int{opened(t, "/dev/zero", unix.O_RDWR), sealed()}, Bounds{}},
		{"a file", []int{file(), sealed()}, Bounds{}},
		{"a pipe", []int{pipe(), sealed()}, Bounds{}},
		{"a master that is no more than a path", []int{opened(t, "/dev/ptmx", unix.O_PATH), sealed()}, Bounds{}},
		{"a master that is read only", []int{opened(t, "/dev/ptmx", unix.O_RDONLY), sealed()}, Bounds{}},
		{"memory that is a file", []int{master(), file()}, Bounds{}},
		{"memory that is /dev/zero", []int{master(), opened(t, "/dev/zero", unix.O_RDWR)}, Bounds{}},
		{"memory without seals", []int{master(), memory(t, fileSize, 0)}, Bounds{}},
		{"memory that can shrink", []int{master(), memory(t, fileSize, unix.F_SEAL_GROW|unix.F_SEAL_SEAL)}, Bounds{}},
		{"memory that can grow", []int{master(), memory(t, fileSize, unix.F_SEAL_SHRINK|unix.F_SEAL_SEAL)}, Bounds{}},
		{"memory that can be sealed further", []int{master(), memory(t, fileSize, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW)}, Bounds{}},
		{"memory that can't be written", []int{master(), memory(t, fileSize, seals|unix.F_SEAL_WRITE)}, Bounds{}},
		{"no memory", []int{master(), memory(t, 0, seals)}, Bounds{}},
		{"memory that is short", []int{master(), memory(t, fileSize-1, seals)}, Bounds{}},
		{"memory that is long", []int{master(), memory(t, fileSize+4096, seals)}, Bounds{}},
		{"a ring that begins before its begin", []int{master(), sealed()}, Bounds{Start: -1}},
		{"a ring that ends before its begin", []int{master(), sealed()}, Bounds{Start: 10, Head: 9}},
		{"a ring that holds too much", []int{master(), sealed()}, Bounds{Head: memSize + 1}},
		{"a ring near the end of numbers", []int{master(), sealed()}, Bounds{Start: maxOffset, Head: maxOffset + 1}},
		{"modes without end", []int{master(), sealed()}, Bounds{Modes: make([]byte, maxModes+1)}},
	} {
		before := open(t)
		p, err := Accept(c.fds, c.b)
		if err == nil {
			t.Errorf("%s: accepted", c.name)
			_ = p.Close()
			continue
		}
		if !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", c.name, err)
		}
		if left := open(t) - (before - len(c.fds)); left != 0 {
			t.Errorf("%s: %d descriptors stayed open", c.name, left)
		}
	}
}

// open counts descriptors.
func open(tb testing.TB) int {
	tb.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		tb.Fatal(err)
	}
	return len(all)
}

// TestMemoryCannotBeTakenAway has the owner try what would be a SIGBUS.
func TestMemoryCannotBeTakenAway(t *testing.T) {
	l := lend(t, strings.Repeat("x", memSize))
	if err := unix.Ftruncate(l.ring.File(), 0); err == nil {
		t.Error("a sealed ring shrank")
	}
	// Pages may be taken out; there are zeros then.
	if err := unix.Fallocate(l.ring.File(), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, fileSize); err != nil {
		t.Fatal(err)
	}
	l.prints(t, "and on")
	if got := l.reads(t, 6); got != "and on" {
		t.Errorf("read %q", got)
	}
	n := 0
	if err := l.pty.CatchUp(0, func(_ int64, b []byte) { n += len(b) }); err != nil || n == 0 {
		t.Errorf("CatchUp gave %d bytes, %v", n, err)
	}
}

// TestHeaderSaysNothingToTheBorrower fills the header with lies while it works.
func TestHeaderSaysNothingToTheBorrower(t *testing.T) {
	l := lend(t, "before")
	for _, lie := range []byte{0xff, 0x7f, 0x80, 0} {
		for i := range l.ring.file[:headerSize] {
			l.ring.file[i] = lie
		}
		l.prints(t, "honest")
		if got := l.reads(t, 6); got != "honest" {
			t.Errorf("with a header of %#x read %q", lie, got)
		}
	}
	if l.pty.Head() != 6+4*6 {
		t.Errorf("the borrower is at %d", l.pty.Head())
	}
}

// FuzzSettle takes a ring back with any header: its numbers stay in bounds, and what it
// holds can be read and gone on with.
func FuzzSettle(f *testing.F) {
	l := lend(f, "kept")
	f.Add(bytes.Clone(l.ring.file[:128]), uint16(0), uint16(0))
	words := func(w ...uint64) (b []byte) {
		for _, n := range w {
			b = binary.NativeEndian.AppendUint64(b, n)
		}
		return b
	}
	f.Add(words(1<<62, 1<<62, 1, 0, 0, 1<<62, 10), uint16(10), uint16(0))
	f.Add(words(memSize-1, memSize-1, 4096, 0, 1, 1<<63, 1<<63), uint16(4000), uint16(70))
	f.Add(words(1<<20, 1<<20, 5, 0, 1, 1<<19, 5000, 3), uint16(0), uint16(1))
	f.Fuzz(func(t *testing.T, head []byte, before, at uint16) {
		r, err := New()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		r.Write(bytes.Repeat([]byte("x"), int(before)*5))
		had := r.Head()
		r.Lend()
		copy(r.file[int(at)%headerSize:headerSize], head)
		n := r.Settle()
		if n < 0 || r.Head() != had+n || r.Start() < 0 || r.Start() > r.Head() || r.Head()-r.Start() > memSize || r.Head() > maxOffset+Space {
			t.Fatalf("after %d came %d: the ring holds %d to %d", had, n, r.Start(), r.Head())
		}
		if got := len(kept(&r.ring)); int64(got) != r.Head()-r.Start() {
			t.Fatalf("of %d bytes %d can be read", r.Head()-r.Start(), got)
		}
		r.Modes()
		r.Write([]byte("and on"))
		if all := kept(&r.ring); !bytes.HasSuffix(all, []byte("and on")) {
			t.Fatalf("the ring ends in %q", all[max(0, len(all)-10):])
		}
		r.Lend()
		r.Settle()
	})
}
