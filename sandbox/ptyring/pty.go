package ptyring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// leaveTime is how long Close waits for calls under way. Only an owner that makes
// the pty block, and takes or fills what is there in the very moment of a call, can
// keep one longer: until the terminal has output, or an end.
const leaveTime = 2 * time.Second

// fullRead is what one read of a pty gives at most. Behind a full one there is more.
const fullRead = 4095

// maxRead is how much is read before it must be shown.
const maxRead = 32 << 10

var (
	// ErrClosed says that the pty was given up.
	ErrClosed = errors.New("pty was given up")
	// ErrHungUp says that no process has the terminal open any more.
	ErrHungUp = errors.New("pty is hung up")
	// ErrBlocking says that the owner made the pty block.
	ErrBlocking = errors.New("pty was made to block")
	// ErrStuck says that a call did not end. Memory and descriptors stay until it does.
	ErrStuck = errors.New("a call on the pty does not end")
)

// Pty is a pty that was handed over, with its ring.
type Pty struct {
	ring
	told   published
	master int
	wake   int             // eventfd: readable when Wait shall return
	there  int             // bytes that Wait saw; 0 when it did not count
	more   bool            // the last read was a full one
	nonce  [nonceSize]byte // of the next read; drawn while there is time

	mu     sync.Mutex
	inside int // calls under way
	closed bool
	given  bool          // up by Close, which did not wait: the last call releases all
	left   chan struct{} // closed when there is none any more, after Close
}

// enter begins a call, which keeps memory and descriptors.
func (p *Pty) enter() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	p.inside++
	return nil
}

func (p *Pty) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inside--
	switch {
	case !p.closed || p.inside > 0:
	case p.given:
		_ = p.release()
	default:
		close(p.left)
	}
}

// release gives memory and descriptors back. No call is under way.
func (p *Pty) release() error {
	err := unix.Munmap(p.file)
	unix.Close(p.wake)
	unix.Close(p.master)
	return err
}

// Ready is what Wait waited for.
type Ready struct{ Output, Input bool }

// Wait blocks until the terminal has output, if output is asked for, or takes input,
// if that is, or until Wake, and atMost that long; a negative time is for ever.
// Errors: ErrClosed, ErrHungUp.
func (p *Pty) Wait(output, input bool, atMost time.Duration) (Ready, error) {
	if err := p.enter(); err != nil {
		return Ready{}, err
	}
	defer p.leave()
	p.nonce = newNonce()
	if output && !input && p.behind() {
		return Ready{Output: true}, nil
	}
	fds := [2]unix.PollFd{{Fd: int32(p.wake), Events: unix.POLLIN}, {Fd: int32(p.master)}}
	if output {
		fds[1].Events |= unix.POLLIN
	}
	if input {
		fds[1].Events |= unix.POLLOUT
	}
	watched := fds[:]
	if fds[1].Events == 0 {
		watched = fds[:1] // a terminal that is hung up would be told of at once, for ever
	}
	timeout := -1
	if atMost >= 0 {
		timeout = int((atMost + time.Millisecond - 1) / time.Millisecond)
	}
	if _, err := unix.Poll(watched, timeout); err != nil && !errors.Is(err, unix.EINTR) {
		return Ready{}, fmt.Errorf("wait for pty: %w", err)
	}
	if fds[0].Revents != 0 {
		p.woken()
	}
	got := fds[1].Revents
	r := Ready{Output: got&unix.POLLIN != 0, Input: got&unix.POLLOUT != 0}
	if got&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0 && !r.Output {
		return Ready{}, ErrHungUp
	}
	return r, nil
}

// behind says whether more came than the last read took: then nobody need be waited for.
func (p *Pty) behind() bool {
	if !p.more {
		return false
	}
	n, err := unix.IoctlGetInt(p.master, unix.TIOCINQ)
	p.there = max(0, n)
	return err == nil && n > 0
}

// woken takes the wake-up, unless it is the one of Close, which all must see.
func (p *Pty) woken() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		var count [8]byte
		_, _ = unix.Read(p.wake, count[:])
	}
}

// Wake has Wait return.
func (p *Pty) Wake() {
	if p.enter() == nil {
		p.poke()
		p.leave()
	}
}

func (p *Pty) poke() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(p.wake, one[:])
}

// Read reads at most limit bytes that are there now, and what comes meanwhile, and gives
// them to take piece by piece, with the number of the first. A piece is valid until take
// returns, and whoever lent the ring may change it meanwhile. It returns how many there
// were, which may be none. Errors: ErrClosed, ErrHungUp.
func (p *Pty) Read(limit int64, take func(offset int64, b []byte)) (int, error) {
	if err := p.enter(); err != nil {
		return 0, err
	}
	defer p.leave()
	for all := 0; ; {
		n, err := p.read(min(limit, maxRead)-int64(all), take)
		all += n
		if err != nil || n == 0 || int64(all) >= min(limit, maxRead) || !p.behind() {
			return all, err
		}
		p.nonce = newNonce()
	}
}

func (p *Pty) read(limit int64, take func(offset int64, b []byte)) (int, error) {
	n, err := p.there, error(nil)
	if p.there = 0; n == 0 {
		if n, err = unix.IoctlGetInt(p.master, unix.TIOCINQ); err != nil {
			return 0, fmt.Errorf("look into pty: %w", err)
		}
	}
	if n <= 0 || limit <= 0 {
		return 0, nil
	}
	before := p.tail
	place := p.Space()
	if before != p.tail {
		p.told.publish(p.header, p.tail, &p.at)
	}
	place = place[:min(int64(n), int64(len(place)), limit)]
	p.begin(place, p.nonce)
	got, err := unix.Read(p.master, place)
	p.more = got >= fullRead
	if got > 0 {
		p.Advance(got)
		p.header.head.Store(p.head)
	}
	p.header.n.Store(0)
	switch {
	case got > 0:
		take(p.head-int64(got), place[:got])
		return got, nil
	case errors.Is(err, unix.EIO):
		return 0, ErrHungUp
	case err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR):
		return 0, fmt.Errorf("read pty: %w", err)
	}
	return 0, nil
}

// begin notes that a read to place begins.
func (p *Pty) begin(place []byte, nonce [nonceSize]byte) {
	copy(place, nonce[:])
	p.header.nonce.Store(binary.NativeEndian.Uint64(nonce[:]))
	p.header.at.Store(p.head)
	p.header.n.Store(int64(len(place)))
}

// CatchUp gives take what the ring holds from offset on, without reading the pty.
// It belongs before the first Read. Errors: ErrClosed.
func (p *Pty) CatchUp(offset int64, take func(offset int64, b []byte)) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	for at := max(offset, p.tail); at < p.head; {
		b := p.From(at)
		take(at, b)
		at += int64(len(b))
	}
	return nil
}

// wontBlock looks whether the pty is as it was made: calls on it return at once.
// The owner shares this flag, fcntl(2).
func (p *Pty) wontBlock() error {
	flags, err := unix.FcntlInt(uintptr(p.master), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK == 0 {
		return ErrBlocking
	}
	return nil
}

// Write gives the terminal what it takes of b now; n may be less than all, and 0.
// Errors: ErrClosed, ErrBlocking, ErrHungUp.
func (p *Pty) Write(b []byte) (n int, err error) {
	if err := p.enter(); err != nil {
		return 0, err
	}
	defer p.leave()
	if err := p.wontBlock(); err != nil {
		return 0, err
	}
	n, err = unix.Write(p.master, b)
	switch {
	case n > 0:
		return n, nil
	case errors.Is(err, unix.EIO):
		return 0, ErrHungUp
	case err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR):
		return 0, fmt.Errorf("write to pty: %w", err)
	}
	return 0, nil
}

// Interrupt is Ctrl-C that overtakes what was written before. Errors: as Write.
func (p *Pty) Interrupt() error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	if err := p.wontBlock(); err != nil {
		return err
	}
	return Break(p.master)
}

// SetSize sets the size in cells, TIOCSWINSZ of ioctl_tty(2). Errors: ErrClosed.
func (p *Pty) SetSize(cols, rows int) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	return unix.IoctlSetWinsize(p.master, unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(cols), Row: uint16(rows)})
}

// Close gives the pty up. It returns when no call is under way and memory and
// descriptors are released, so that whoever lent them can settle. It must not be
// called by a take. A second one does nothing. Errors: ErrStuck.
func (p *Pty) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	if p.inside == 0 {
		close(p.left)
	}
	p.poke()
	p.mu.Unlock()
	late := time.NewTimer(leaveTime)
	defer late.Stop()
	select {
	case <-p.left:
		return p.release()
	case <-late.C:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inside == 0 {
		return p.release()
	}
	p.given = true
	return ErrStuck // who is in there still needs all of it
}
