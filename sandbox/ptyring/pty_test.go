package ptyring

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// lent is a pty that was handed over within this process, and its far end.
type lent struct {
	ring   *Ring
	master int // the owner's
	far    *os.File
	pty    *Pty
}

func duplicate(tb testing.TB, fd int) int {
	tb.Helper()
	fd, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return fd
}

// openPty makes a pty in raw mode whose master does not block.
func openPty(tb testing.TB) (master int, far *os.File) {
	tb.Helper()
	m, far, err := pty.Open()
	if err != nil {
		tb.Fatal(err)
	}
	defer m.Close()
	master = duplicate(tb, int(m.Fd()))
	tb.Cleanup(func() {
		far.Close()
		unix.Close(master)
	})
	if err := unix.SetNonblock(master, true); err != nil {
		tb.Fatal(err)
	}
	mode, err := unix.IoctlGetTermios(int(far.Fd()), unix.TCGETS)
	if err != nil {
		tb.Fatal(err)
	}
	mode.Oflag &^= unix.OPOST
	mode.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG
	mode.Iflag &^= unix.ICRNL | unix.IXON
	if err := unix.IoctlSetTermios(int(far.Fd()), unix.TCSETS, mode); err != nil {
		tb.Fatal(err)
	}
	return master, far
}

func lend(tb testing.TB, before string) *lent {
	tb.Helper()
	l := &lent{ring: newRing(tb)}
	l.master, l.far = openPty(tb)
	l.ring.Write([]byte(before))
	l.borrow(tb)
	return l
}

// borrow hands it over once more.
func (l *lent) borrow(tb testing.TB) {
	tb.Helper()
	l.ring.Lend()
	p, err := Accept([]int{duplicate(tb, l.master), duplicate(tb, l.ring.File())}, Bounds{l.ring.Start(), l.ring.Head(), l.ring.Modes()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = p.Close() })
	l.pty = p
}

func (l *lent) prints(tb testing.TB, text string) {
	tb.Helper()
	if _, err := l.far.WriteString(text); err != nil {
		tb.Fatal(err)
	}
}

// reads reads as many bytes and returns them.
func (l *lent) reads(tb testing.TB, n int) string {
	tb.Helper()
	var got []byte
	for len(got) < n {
		r, err := l.pty.Wait(true, false, -1)
		if err == nil && r.Output {
			_, err = l.pty.Read(int64(n-len(got)), func(_ int64, b []byte) { got = append(got, b...) })
		}
		if err != nil {
			tb.Fatalf("after %q: %v", got, err)
		}
	}
	return string(got)
}

func TestHandedOverAndBack(t *testing.T) {
	l := lend(t, "before ")
	var got []byte
	if err := l.pty.CatchUp(0, func(at int64, b []byte) { got = append(got, b...) }); err != nil || string(got) != "before " {
		t.Errorf("CatchUp = %q, %v", got, err)
	}
	l.prints(t, "while lent ")
	if got := l.reads(t, 11); got != "while lent " {
		t.Errorf("the borrower read %q", got)
	}
	if n, err := l.pty.Write([]byte("key")); n != 3 || err != nil {
		t.Errorf("Write = %d, %v", n, err)
	}
	key := make([]byte, 10)
	if n, err := l.far.Read(key); string(key[:n]) != "key" || err != nil {
		t.Errorf("the program read %q, %v", key[:n], err)
	}
	if err := l.pty.SetSize(33, 7); err != nil {
		t.Error(err)
	}
	if size, err := unix.IoctlGetWinsize(int(l.far.Fd()), unix.TIOCGWINSZ); err != nil || size.Col != 33 || size.Row != 7 {
		t.Errorf("size = %+v, %v", size, err)
	}
	if err := l.pty.Close(); err != nil {
		t.Fatal(err)
	}
	if n := l.ring.Settle(); n != 11 || l.ring.Head() != 18 {
		t.Errorf("Settle = %d, head %d; want 11, 18", n, l.ring.Head())
	}
	l.ring.Write([]byte("after"))
	if got := kept(&l.ring.ring); string(got) != "before while lent after" {
		t.Errorf("the ring has %q", got)
	}
}

// TestModesPassBothWays has the borrower overwrite what the owner has, many times.
func TestModesPassBothWays(t *testing.T) {
	l := lend(t, "\x1b[?1049h\x1b[1;31m"+strings.Repeat("x", Size))
	want := newRing(t)
	want.Write([]byte("\x1b[?1049h\x1b[1;31m" + strings.Repeat("x", Size)))
	for i := range 500 {
		text := strings.Repeat("y", 1000)
		if i%50 == 7 {
			text = fmt.Sprintf("\x1b[?25l\x1b[%dm%s", 30+i%8, text)
		}
		l.prints(t, text)
		if got := l.reads(t, len(text)); got != text {
			t.Fatalf("round %d read %q, want %q", i, got, text)
		}
		want.Write([]byte(text))
	}
	if err := l.pty.Close(); err != nil {
		t.Fatal(err)
	}
	l.ring.Settle()
	if got, want := l.ring.Head(), want.Head(); got != want {
		t.Fatalf("head %d, want %d", got, want)
	}
	want.forget(l.ring.Start())
	if got, want := l.ring.Modes(), want.Modes(); !bytes.Equal(got, want) || l.ring.Start() == 0 {
		t.Errorf("modes at %d are %q, want %q", l.ring.Start(), got, want)
	}
	if !bytes.Equal(kept(&l.ring.ring), kept(&want.ring)) {
		t.Error("the ring's bytes differ")
	}
}

// TestSettleTellsWhetherTheReadTookPlace stops a read at each of its steps.
func TestSettleTellsWhetherTheReadTookPlace(t *testing.T) {
	for _, size := range []int64{1, 2, 7, 8, 9, 4000} {
		text := strings.Repeat("ä", int(size))[:size]
		for _, c := range []struct {
			name  string
			until func(p *Pty, nonce [nonceSize]byte)
			want  int64
		}{
			{"before n is known", func(p *Pty, nonce [nonceSize]byte) {
				copy(p.Space()[:size], nonce[:])
			}, 0},
			{"before the read", func(p *Pty, nonce [nonceSize]byte) {
				p.begin(p.Space()[:size], nonce)
			}, 0},
			{"behind the read", func(p *Pty, nonce [nonceSize]byte) {
				place := p.Space()[:size]
				p.begin(place, nonce)
				copy(place, text)
			}, size},
			{"behind the head", func(p *Pty, nonce [nonceSize]byte) {
				place := p.Space()[:size]
				p.begin(place, nonce)
				copy(place, text)
				p.header.head.Store(p.head + size)
			}, size},
			{"behind all of it", func(p *Pty, nonce [nonceSize]byte) {
				place := p.Space()[:size]
				p.begin(place, nonce)
				copy(place, text)
				p.header.head.Store(p.head + size)
				p.header.n.Store(0)
			}, size},
		} {
			l := lend(t, "before")
			c.until(l.pty, newNonce())
			if got := l.ring.Settle(); got != c.want {
				t.Errorf("%d bytes, ended %s: Settle = %d, want %d", size, c.name, got, c.want)
			}
			if got, want := string(kept(&l.ring.ring)), "before"+text[:c.want]; got != want {
				t.Errorf("%d bytes, ended %s: the ring has %q, want %q", size, c.name, got, want)
			}
			_ = l.pty.Close()
		}
	}
}

func TestNonceIsInNoText(t *testing.T) {
	for range 1000 {
		if n := newNonce(); n[0] != 0xc0 && n[0] != 0xc1 && n[0] < 0xf5 {
			t.Fatalf("a nonce begins with %#x", n[0])
		}
	}
}

// TestCloseJoinsWhoReads closes under readers, writers and a flood, again and again:
// what is unmapped or closed too early ends this program.
func TestCloseJoinsWhoReads(t *testing.T) {
	l := lend(t, "")
	flood := exec.Command("sh", "-c", "while :; do echo flood; done")
	flood.Stdout = l.far
	if err := flood.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = flood.Process.Kill()
		_ = flood.Wait()
	}()
	var seen, kept int64
	for range 200 {
		p := l.pty
		var all sync.WaitGroup
		all.Go(func() {
			for {
				r, err := p.Wait(true, false, -1)
				if err == nil && r.Output {
					_, err = p.Read(Space, func(at int64, b []byte) { seen = at + int64(len(b)) })
				}
				if err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					return
				}
			}
		})
		for range 3 {
			all.Go(func() {
				for {
					p.Wake()
					if err := p.SetSize(80, 24); errors.Is(err, ErrClosed) {
						return
					}
				}
			})
		}
		for range rand.IntN(50) {
			p.Wake()
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		kept += l.ring.Settle()
		all.Wait()
		if kept != l.ring.Head() || seen > kept {
			t.Fatalf("the ring has %d bytes after %d; the borrower saw %d", l.ring.Head(), kept, seen)
		}
		l.borrow(t)
	}
}

// TestCloseWakesWhoWaits has a reader wait for a terminal that prints nothing.
func TestCloseWakesWhoWaits(t *testing.T) {
	l := lend(t, "")
	waiting := make(chan error, 2)
	for range 2 {
		go func() {
			for {
				if _, err := l.pty.Wait(true, false, -1); err != nil {
					waiting <- err
					return
				}
			}
		}()
	}
	if err := l.pty.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-waiting; !errors.Is(err, ErrClosed) {
			t.Errorf("Wait = %v, want ErrClosed", err)
		}
	}
	if _, err := l.pty.Read(1, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Read = %v, want ErrClosed", err)
	}
	if _, err := l.pty.Write(nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Write = %v, want ErrClosed", err)
	}
}

func TestHangUpIsTold(t *testing.T) {
	l := lend(t, "")
	l.prints(t, "last words")
	l.far.Close()
	if got := l.reads(t, 10); got != "last words" {
		t.Errorf("read %q", got)
	}
	if _, err := l.pty.Wait(true, false, -1); !errors.Is(err, ErrHungUp) {
		t.Errorf("Wait = %v, want ErrHungUp", err)
	}
}

func TestInputHasAnEnd(t *testing.T) {
	l := lend(t, "")
	total := 0
	for {
		n, err := l.pty.Write(bytes.Repeat([]byte("x"), 4096))
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		total += n
	}
	go func() {
		buf := make([]byte, 1<<20)
		for got := 0; got < total; {
			n, err := l.far.Read(buf)
			if err != nil {
				return
			}
			got += n
		}
	}()
	for {
		r, err := l.pty.Wait(false, true, -1)
		if err != nil {
			t.Fatal(err)
		}
		if r.Input {
			break
		}
	}
}

// TestBreakOvertakesInput has a program sleep on a full terminal.
func TestBreakOvertakesInput(t *testing.T) {
	l := lend(t, "")
	mode, err := unix.IoctlGetTermios(int(l.far.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	mode.Lflag |= unix.ISIG | unix.ICANON
	if err := unix.IoctlSetTermios(int(l.far.Fd()), unix.TCSETS, mode); err != nil {
		t.Fatal(err)
	}
	sleeper := exec.Command("sh", "-c", "trap 'echo interrupted; exit' INT; echo ready; sleep 1000 & wait")
	sleeper.Stdin, sleeper.Stdout, sleeper.Stderr = l.far, l.far, l.far
	sleeper.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = sleeper.Process.Kill()
		_ = sleeper.Wait()
	}()
	if got := l.reads(t, 6); got != "ready\n" {
		t.Fatalf("read %q", got)
	}
	for {
		if n, err := l.pty.Write([]byte(strings.Repeat("typed ahead\n", 1000))); err != nil {
			t.Fatal(err)
		} else if n == 0 {
			break
		}
	}
	if err := l.pty.Interrupt(); err != nil {
		t.Fatal(err)
	}
	if got := l.reads(t, 12); got != "interrupted\n" {
		t.Errorf("read %q", got)
	}
}

// TestOwnerThatBlocks makes the pty block, which both share.
func TestOwnerThatBlocks(t *testing.T) {
	l := lend(t, "")
	l.prints(t, "x")
	if _, err := l.pty.Wait(true, false, -1); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(l.master, false); err != nil {
		t.Fatal(err)
	}
	if n, err := l.pty.Read(1, func(int64, []byte) {}); n != 1 || err != nil {
		t.Errorf("Read = %d, %v, want what is there", n, err)
	}
	if _, err := l.pty.Write([]byte("x")); !errors.Is(err, ErrBlocking) {
		t.Errorf("Write = %v, want ErrBlocking", err)
	}
	if err := l.pty.Interrupt(); !errors.Is(err, ErrBlocking) {
		t.Errorf("Interrupt = %v, want ErrBlocking", err)
	}
}

// TestCloseLeavesWhoIsStuck has the owner make the pty block and take away what Wait
// saw. Close gives up on the read, which releases everything when it ends.
func TestCloseLeavesWhoIsStuck(t *testing.T) {
	l := lend(t, "")
	before := open(t)
	l.prints(t, strings.Repeat("x", 100))
	for l.pty.more = true; ; { // the bytes come in a moment
		if r, err := l.pty.Wait(true, false, -1); err != nil {
			t.Fatal(err)
		} else if r.Output && l.pty.there > 0 {
			break
		}
	}
	if err := unix.SetNonblock(l.master, false); err != nil {
		t.Fatal(err)
	}
	if n, err := unix.Read(l.master, make([]byte, 100)); n != 100 || err != nil {
		t.Fatal(n, err)
	}
	stuck := make(chan error, 1)
	go func() {
		_, err := l.pty.Read(Space, func(int64, []byte) {})
		stuck <- err
	}()
	for entered := false; !entered; runtime.Gosched() {
		l.pty.mu.Lock()
		entered = l.pty.inside > 0
		l.pty.mu.Unlock()
	}
	if err := l.pty.Close(); !errors.Is(err, ErrStuck) {
		t.Fatalf("Close = %v, want ErrStuck", err)
	}
	l.prints(t, "at last")
	if err := <-stuck; err != nil {
		t.Error(err)
	}
	if left := before - open(t); left != 2 {
		t.Errorf("%d descriptors were released, want master and eventfd", left)
	}
}

// TestOwnerThatReadsAlong takes bytes away between looking and reading.
func TestOwnerThatReadsAlong(t *testing.T) {
	l := lend(t, "")
	l.prints(t, "stolen")
	if r, err := l.pty.Wait(true, false, -1); err != nil || !r.Output {
		t.Fatalf("Wait = %v, %v", r, err)
	}
	if n, err := unix.Read(l.master, make([]byte, 100)); n != 6 || err != nil {
		t.Fatal(n, err)
	}
	began := time.Now()
	n, err := l.pty.Read(100, func(int64, []byte) { t.Error("there was something") })
	if n != 0 || err != nil || time.Since(began) > time.Second {
		t.Errorf("Read = %d, %v after %s; want 0, nil at once", n, err, time.Since(began))
	}
}
