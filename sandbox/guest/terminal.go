package guest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"sysnerd/sandbox/link"
	"sysnerd/sandbox/ptyring"
)

const (
	// unwatchedRate bounds, in bytes a second, how fast output drains into the
	// ring while nobody takes it.
	unwatchedRate = 128 << 10
	// unwatchedPause is how long it does not drain at all. A server that comes back
	// within it finds all that the one before had not shown.
	unwatchedPause = 2 * time.Second
	// takenStep is how much input passes before the server is told.
	takenStep = 16 << 10
	// fullRead is what one read of a pty gives at most. Behind a full one there is
	// more: it is taken along, up to maxRead, so that a flood costs fewer wake-ups.
	fullRead = 4095
	maxRead  = 32 << 10
	// minShellLife is how long a shell lives at least before another follows at once.
	minShellLife = time.Second
)

// afterShell puts the learner's terminal back in order after a program that died
// in the middle of something: soft reset, normal screen (1047: 1049 would move the
// cursor to where a program saved it long ago), cursor, no mouse reports, no bracketed
// paste, no colours.
const afterShell = "\x1b[!p\x1b[?1047l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[m"

// terminal is one shell on a pty. Its pump goroutine reads and writes the pty;
// everything else is under mu.
type terminal struct {
	g   *Guest
	tab uint32

	wake int // eventfd: something changed for the pump

	mu      sync.Mutex
	lending lending
	ring    *ptyring.Ring
	sent    int64 // output before it was sent over the link, or overwritten
	reached int64 // end of what was sent
	credit  int64 // output before it may be sent
	input   []byte
	taken   int64 // input before it was written, or dropped by an interrupt
	told    int64 // the server knows of taken up to here
	fd      int   // of the pty; -1 without one
	cols    uint16
	rows    uint16
}

func (g *Guest) newTerminal(tab uint32, cols, rows int) (*terminal, error) {
	r, err := ptyring.New()
	if err != nil {
		return nil, err
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("make eventfd: %w", err)
	}
	t := &terminal{g: g, tab: tab, ring: r, wake: wake}
	t.lending.over.L = &t.mu
	t.cols, t.rows = clamp(cols, 2, 500), clamp(rows, 1, 300)
	exited, err := t.startShell()
	if err != nil {
		r.Close()
		unix.Close(wake)
		return nil, err
	}
	go t.live(exited)
	return t, nil
}

func clamp(n, low, high int) uint16 { return uint16(max(low, min(n, high))) }

// startShell opens a new pty and starts the learner's shell on it.
func (t *terminal) startShell() (<-chan syscall.WaitStatus, error) {
	t.g.gate.RLock() // not while the sandbox is being wiped
	defer t.g.gate.RUnlock()
	master, slave, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("open pty: %w", err)
	}
	defer slave.Close()
	defer master.Close()
	t.mu.Lock()
	size := pty.Winsize{Cols: t.cols, Rows: t.rows}
	t.mu.Unlock()
	if err := pty.Setsize(master, &size); err != nil {
		return nil, fmt.Errorf("size pty: %w", err)
	}
	uid := t.g.setup.UID
	if err := slave.Chown(uid, uid); err != nil {
		return nil, fmt.Errorf("give pty to the learner: %w", err)
	}
	// The runtime's poller has what pty.Open made: with each key it would wake one
	// more thread for nothing. So the pump has a descriptor of its own, which it polls.
	fd, err := unix.FcntlInt(master.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		return nil, fmt.Errorf("take pty: %w", err)
	}
	tty := slave.Fd()
	var device unix.Stat_t
	if t.g.account != nil && unix.Fstat(int(tty), &device) == nil {
		t.g.account.seat(ttyNumber(device.Rdev), t.tab)
	}
	_, exited, err := t.g.children.start(self, t.g.enterArgs("bash"), &syscall.ProcAttr{
		Dir:   "/",
		Env:   t.g.learnerEnv(t.tab),
		Files: []uintptr{tty, tty, tty},
		Sys:   &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0},
	})
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("start shell: %w", err)
	}
	t.mu.Lock()
	t.fd, t.lending.dead = fd, false
	t.mu.Unlock()
	return exited, nil
}

// live keeps a shell in the terminal for as long as the sandbox lives.
func (t *terminal) live(exited <-chan syscall.WaitStatus) {
	for {
		began := time.Now()
		status := t.pump(exited)
		t.mu.Lock()
		unix.Close(t.fd)
		t.fd = -1
		if !t.lending.dead {
			t.drop()
		} // else it was typed since, for the next shell
		t.ring.Write([]byte(fmt.Sprintf("%s\r\n[%s. A new one follows.]\r\n", afterShell, ended(status))))
		at := t.ring.Head()
		t.flush()
		t.mu.Unlock()
		if c := t.g.link(); c != nil {
			c.sendJSON(link.KindExit, t.tab, link.Exit{Status: shellStatus(status), Offset: at})
		}
		if wait := minShellLife - time.Since(began); wait > 0 {
			time.Sleep(wait)
		}
		for {
			var err error
			if exited, err = t.startShell(); err == nil {
				break
			}
			time.Sleep(minShellLife) // no slot or no memory for now
		}
	}
}

func ended(s syscall.WaitStatus) string {
	if s.Signaled() {
		return fmt.Sprintf("The shell was ended by signal %d", s.Signal())
	}
	return "The shell has ended, status " + strconv.Itoa(s.ExitStatus())
}

// pump moves bytes between the pty and the ring until the shell has ended and
// what it wrote is read. Each round it sends what it may, writes what it can, and
// then waits for the pty or for a poke.
func (t *terminal) pump(exited <-chan syscall.WaitStatus) syscall.WaitStatus {
	over := make(chan syscall.WaitStatus, 1)
	go func() {
		over <- <-exited
		t.poke()
	}()
	var (
		status syscall.WaitStatus
		ended  bool      // the shell has ended
		hung   bool      // no process has the terminal open any more
		next   time.Time // when to read again while nobody takes the output
		spent  time.Time // since when there is no credit; zero while there is
	)
	for {
		if !ended {
			select {
			case status = <-over:
				ended = true
			default:
			}
		}
		if ended && hung {
			return status
		}
		t.mu.Lock()
		t.writeInput()
		var wait time.Duration // for whom the pty is lent to; negative: it is not lent
		if ended {
			wait = t.reclaim()
		} else {
			wait = t.lend()
		}
		lent := wait >= 0
		behind, pending := false, len(t.input) > 0 && !t.lending.dead
		if !lent {
			t.flush()
			behind = t.sent < t.ring.Head()
		}
		limit := int64(maxRead)
		switch left := t.credit - t.reached; {
		case lent || left > 0 && !behind:
			spent = time.Time{}
			limit = min(limit, left)
		case spent.IsZero():
			spent = time.Now()
			next = spent.Add(unwatchedPause)
		}
		t.mu.Unlock()

		fds := []unix.PollFd{{Fd: int32(t.wake), Events: unix.POLLIN}, {Fd: int32(t.fd)}}
		timeout := -1
		switch pause := time.Until(next); {
		case lent:
			if wait > 0 {
				timeout = int(wait/time.Millisecond) + 1
			}
		case ended:
			timeout = 0
			fds[1].Events = unix.POLLIN
		case !spent.IsZero() && pause > 0:
			timeout = int(pause/time.Millisecond) + 1
		default:
			fds[1].Events = unix.POLLIN
		}
		if pending {
			fds[1].Events |= unix.POLLOUT
		}
		if hung || fds[1].Events == 0 {
			fds = fds[:1] // a hung up terminal would be reported at once, for ever
		}
		if _, err := retry(func() (int, error) { return unix.Poll(fds, timeout) }); err != nil {
			continue
		}
		if fds[0].Revents != 0 {
			var count [8]byte
			_, _ = unix.Read(t.wake, count[:])
		}
		if len(fds) < 2 {
			continue
		}
		if lent {
			if fds[1].Revents&(unix.POLLHUP|unix.POLLERR) != 0 && fds[1].Revents&unix.POLLOUT == 0 {
				t.mu.Lock()
				if !t.lending.dead {
					t.drop() // nobody will ever read it
				}
				t.mu.Unlock()
			}
			continue
		}
		if fds[1].Revents&(unix.POLLIN|unix.POLLHUP|unix.POLLERR) == 0 {
			hung = ended // nothing left to read
			continue
		}
		if ended {
			limit = maxRead
		}
		n, err := t.read(limit)
		switch {
		case n > 0 && !spent.IsZero():
			next = time.Now().Add(time.Duration(n) * time.Second / unwatchedRate)
		case n > 0, errors.Is(err, unix.EAGAIN):
		default:
			hung = true // EIO: the last one that had it open closed it
		}
	}
}

// read reads what the pty has now, straight into the ring, up to limit.
func (t *terminal) read(limit int64) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for got := 0; ; {
		n, err := retry(func() (int, error) {
			p := t.ring.Space()
			return unix.Read(t.fd, p[:min(int64(len(p)), limit-int64(got))])
		})
		if n > 0 {
			t.ring.Advance(n)
			got += n
		}
		if n < fullRead || int64(got) >= limit {
			if got > 0 {
				t.place(t.ring.Head())
			}
			return got, err
		}
	}
}

// flush sends what the ring holds, as far as credit and the link's queue allow.
func (t *terminal) flush() {
	c := t.g.link()
	if c == nil {
		return
	}
	t.sent = max(t.sent, t.ring.Start())
	for c.room() {
		// What was overwritten before it was sent takes none of the room that the
		// server has. It learns of the gap by the next byte's number, and its
		// credit would else end before that for ever.
		credit := t.credit + t.sent - t.reached
		if t.sent >= min(t.ring.Head(), credit) {
			break
		}
		p := t.ring.From(t.sent)
		p = p[:min(int64(len(p)), link.MaxData, credit-t.sent)]
		c.sendOffset(link.KindOutput, t.tab, t.sent, p)
		t.sent += int64(len(p))
		t.credit, t.reached = credit, t.sent
	}
}

// writeInput gives the shell what it takes of the input that waits. A shell that was
// killed gets none: it is for the next.
func (t *terminal) writeInput() {
	for len(t.input) > 0 && t.fd >= 0 && !t.lending.dead {
		n, err := retry(func() (int, error) { return unix.Write(t.fd, t.input) })
		if n <= 0 || err != nil {
			if err != nil && !errors.Is(err, unix.EAGAIN) {
				t.drop() // nobody will ever read it
			}
			break
		}
		t.input = t.input[n:]
		t.taken += int64(n)
	}
	if len(t.input) == 0 {
		t.input = nil
	}
	t.tell()
}

// drop forgets the input that waits; it counts as taken.
func (t *terminal) drop() {
	t.taken += int64(len(t.input))
	t.input = nil
}

func (t *terminal) tell() {
	if t.taken-t.told < takenStep && (t.lending.to == nil || t.taken <= t.told) {
		return
	}
	if c := t.g.link(); c != nil {
		t.told = t.taken
		c.sendOffset(link.KindTaken, t.tab, t.taken, nil)
	}
}

// join lets a new link have the output from since on. An older link that has the pty
// is waited for: it is being cut.
func (t *terminal) join(c *conn, since int64) link.Opened {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lending.to == c {
		return link.Opened{Tab: int(t.tab), Error: "it is handed over to this link already"}
	}
	for t.lending.to != nil {
		t.lending.over.Wait()
	}
	t.sent = max(t.ring.Start(), min(since, t.ring.Head()))
	t.reached = t.sent
	t.credit = t.sent + link.OutputWindow
	t.told = t.taken + int64(len(t.input))
	o := link.Opened{Tab: int(t.tab), Start: t.ring.Start(), End: t.ring.Head(), Taken: t.told}
	if since < o.Start {
		o.Modes = t.ring.Modes()
	}
	return o
}

// leave stops sending until the next join: the link that had the output is gone.
func (t *terminal) leave() link.Opened {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.credit = 0
	return link.Opened{Tab: int(t.tab), Start: t.ring.Start(), End: t.ring.Head(), Taken: t.taken + int64(len(t.input))}
}

func (t *terminal) grant(credit int64) {
	t.mu.Lock()
	was := t.sent < t.ring.Head() || t.reached >= t.credit
	t.credit = max(t.credit, min(credit, t.ring.Head()+link.OutputWindow))
	t.mu.Unlock()
	if was {
		t.poke()
	}
}

// typed queues input. What is beyond the agreed window is dropped: a server that
// keeps to the protocol never sends it.
func (t *terminal) typed(p []byte) {
	t.mu.Lock()
	idle := len(t.input) == 0
	if len(t.input)+len(p) <= 2*link.InputWindow {
		t.input = append(t.input, p...)
	}
	if idle {
		t.writeInput()
	}
	waiting := len(t.input) > 0
	t.mu.Unlock()
	if idle && waiting {
		t.poke()
	}
}

// interrupt is Ctrl-C that overtakes everything typed before it.
func (t *terminal) interrupt() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fd < 0 {
		return
	}
	t.drop()
	_ = ptyring.Break(t.fd)
	t.told = t.taken - takenStep
	t.tell()
}

func (t *terminal) resize(s link.Size) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cols, t.rows = clamp(s.Cols, 2, 500), clamp(s.Rows, 1, 300)
	if t.fd >= 0 && t.lending.to == nil { // else the server has set it
		_ = unix.IoctlSetWinsize(t.fd, unix.TIOCSWINSZ, &unix.Winsize{Col: t.cols, Row: t.rows})
	}
}

// poke wakes the pump.
func (t *terminal) poke() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(t.wake, one[:])
}
