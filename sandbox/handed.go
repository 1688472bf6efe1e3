package sandbox

import (
	"bytes"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"sysnerd/sandbox/link"
	"sysnerd/sandbox/ptyring"
)

// The guest is told how far plain output was read when it has been still for
// stillFor, seenSoon after the first of it at the earliest, and seenLate after that in
// any case: who types waits for no frame to the guest. It is told at once when a command
// begins or ends.
const (
	stillFor = 5 * time.Millisecond
	seenSoon = 50 * time.Millisecond
	seenLate = 100 * time.Millisecond
)

// maxOwed is how much output is shown before the journal sees it. An echo is there
// sooner by what that takes. Output with a mark is not put off.
const maxOwed = 256

// handedPty is the pty of a terminal that the guest handed over, and the goroutine
// that reads it when no view does. Terminal's other ways, over the link, are as they were: size and
// end of a shell still go there, and all of it when the pty is given back.
type handedPty struct {
	*ptyring.Pty
	t *Terminal
	c *conn

	turn   chan struct{} // room for one: who holds it reads, and writes what waited
	called chan struct{} // room for one: read shall see whether somebody does
	over   chan struct{} // closed when the pty is given up
	ended  chan struct{} // read has
	own    atomic.Bool   // read holds the turn
	wanted atomic.Bool   // a view wants it
	hung   atomic.Bool   // no process has the terminal open any more

	// Under Terminal.typing:
	pending bool // input waits for the terminal to take it
	broken  bool // it takes none any more

	// Of who holds the turn:
	head  int64     // how far it was read
	seen  int64     // how far of it the guest was told of
	since time.Time // when what it was not told of began to be read
	still bool      // nothing has happened for a while

	books sync.Mutex // orders what the journal sees; comes before Terminal.mu
	owed  []byte     // output that was shown, and that the journal has not seen
	first int64      // the number of its first byte
}

// handedOver takes a pty over. It says whether the descriptors have another owner
// now. The caller is the link's reader.
func (t *Terminal) handedOver(c *conn, o link.Handed, fds []int) bool {
	t.letGo()
	t.mu.Lock()
	open := t.open && !t.over
	t.mu.Unlock()
	if !open || t.s.distrusted.Load() {
		t.sendReturn(c, true)
		return false
	}
	pty, err := ptyring.Accept(fds, ptyring.Bounds{Start: o.Start, Head: o.End, Modes: o.Modes})
	if err != nil {
		t.s.log.Warn("a pty was refused; its terminal is relayed", "tab", t.tab, "err", err)
		t.sendReturn(c, true)
		t.push()
		return true
	}
	h := &handedPty{
		Pty: pty, t: t, c: c,
		turn: make(chan struct{}, 1), called: make(chan struct{}, 1),
		over: make(chan struct{}), ended: make(chan struct{}),
	}
	t.mu.Lock()
	since, size := t.hist.end-t.base, t.size
	t.mu.Unlock()
	_ = h.CatchUp(since, t.output)
	_ = h.SetSize(size.Cols, size.Rows)
	t.pty.Store(h)
	go h.read()
	h.call()
	t.push()
	return true
}

// giveBack returns the pty that the guest asks back. The caller is the link's reader.
func (t *Terminal) giveBack(c *conn) {
	if t.letGo() {
		t.sendReturn(c, false)
		t.push()
	}
}

func (t *Terminal) sendReturn(c *conn, refused bool) {
	t.mu.Lock()
	credit := max(0, t.granted-t.base)
	t.mu.Unlock()
	_ = c.sendJSON(link.KindReturn, t.tab, link.Return{Credit: credit, Refused: refused})
}

// letGo ends the reading and writing of a pty that was handed over, if there is one.
func (t *Terminal) letGo() bool {
	h := t.pty.Swap(nil)
	if h == nil {
		return false
	}
	close(h.over)
	defer h.settle()
	err := h.Close()
	if err != nil {
		h.stuck(err)
		return true
	}
	<-h.ended
	return true
}

// stuck takes note of a guest that kept a call from ending. What it holds is released
// with the sandbox at the latest; there will be no more of it.
func (h *handedPty) stuck(err error) {
	h.t.s.distrusted.Store(true)
	h.t.s.log.Error("a pty that was handed over could not be let go; this sandbox's terminals are relayed from now on", "tab", h.t.tab, "err", err)
}

// direct is the pty, if input may be written to it: all that went over the link
// before was taken. Under typing.
func (t *Terminal) direct() *handedPty {
	if h := t.pty.Load(); h != nil && t.sent == t.taken {
		return h
	}
	return nil
}

// typed writes what waits of the input, and says whether the terminal took some. Under
// typing.
func (h *handedPty) typed() bool {
	t := h.t
	n, err := h.Write(t.input[:min(len(t.input), maxChunk)])
	t.input = t.input[n:]
	switch {
	case errors.Is(err, ptyring.ErrHungUp):
		t.input = nil // nobody will ever read it
	case err == nil && n == 0 && !h.pending:
		h.pending = true
		h.Wake()
		h.call()
	case err != nil && !errors.Is(err, ptyring.ErrClosed):
		h.broken = true
		h.Wake()
		h.call()
	}
	return n > 0
}

// wants is how much output may be read, whether input waits, and whether it can't be
// written.
func (h *handedPty) wants() (room int64, pending, broken bool) {
	h.t.typing.Lock()
	pending, broken = h.pending, h.broken
	h.t.typing.Unlock()
	h.t.mu.Lock()
	room = h.t.granted - h.t.hist.end
	h.t.mu.Unlock()
	return room, pending, broken
}

// read reads the pty whenever no view does. It ends when the pty is given up.
func (h *handedPty) read() {
	defer close(h.ended)
	for {
		select {
		case <-h.called:
		case <-h.over:
			return
		}
		select {
		case h.turn <- struct{}{}:
			h.wanted.Store(false)
			h.own.Store(true)
			going := true
			for going && !h.wanted.Load() {
				going = h.step(nil)
			}
			h.own.Store(false)
			<-h.turn
			if !going {
				return
			}
			h.t.pokeOthers(nil)
		default: // a view reads
		}
	}
}

// call has read take over if nobody reads.
func (h *handedPty) call() {
	select {
	case h.called <- struct{}{}:
	default:
	}
}

// lead lets the view read until something happened, so that its goroutine needs no
// other to be told of output. It returns false when it may not, and is to be poked.
func (h *handedPty) lead(v *View) bool {
	if h.hung.Load() {
		return false
	}
	select {
	case h.turn <- struct{}{}:
	default:
		if h.own.Load() {
			h.wanted.Store(true)
			h.Wake()
		}
		return false
	}
	v.leading.Store(h)
	going := true
	select {
	case <-v.wake: // it came before leading was seen
	default:
		going = h.step(v)
	}
	v.leading.Store(nil)
	<-h.turn
	h.t.pokeOthers(v)
	return going
}

// pokeOthers has the other views look whether one of them shall read.
func (t *Terminal) pokeOthers(v *View) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.views {
		if o != v && o.prompt {
			o.poke()
		}
	}
}

// step reads and writes what can be, for the view or for read, and says whether there is a pty any more.
// Without credit output stays where it is, and the program that prints waits.
func (h *handedPty) step(v *View) bool {
	h.settle()
	h.tellSeen()
	room, pending, broken := h.wants()
	err := errBroken
	if !broken {
		err = h.once(room, pending, v)
	}
	switch {
	case err == nil:
	case errors.Is(err, ptyring.ErrHungUp):
		h.hung.Store(true) // the guest asks it back once the shell has ended
	case errors.Is(err, ptyring.ErrClosed):
		return false
	default:
		h.refuse(err)
		return false
	}
	return true
}

var errBroken = errors.New("it takes no input")

// once waits, and reads and writes what can be.
func (h *handedPty) once(room int64, pending bool, v *View) error {
	hung := h.hung.Load()
	atMost := time.Duration(-1)
	if h.seen != h.head {
		atMost = max(stillFor, seenSoon-time.Since(h.since))
	}
	ready, err := h.Wait(room > 0 && !hung, pending && !hung, atMost)
	h.still = ready == ptyring.Ready{}
	if v != nil {
		v.leading.Store(nil) // it looks by itself now
	}
	if err != nil {
		return err
	}
	if ready.Input {
		h.t.typing.Lock()
		h.pending = false
		h.t.typing.Unlock()
		h.t.push()
	}
	if !ready.Output {
		return nil
	}
	n, err := h.Read(room, h.output)
	if n > 0 && v == nil {
		h.settle()
		// Whoever shows it goes first, on this very thread: waking another for it
		// costs more than all the rest.
		runtime.Gosched()
	}
	return err
}

// refuse gives back a pty that can't be used. The guest relays it from then on.
func (h *handedPty) refuse(reason error) {
	if !h.t.pty.CompareAndSwap(h, nil) {
		return // it is being let go
	}
	h.t.s.log.Warn("a pty that was handed over can't be used; its terminal is relayed", "tab", h.t.tab, "err", reason)
	close(h.over)
	if err := h.Close(); err != nil {
		h.stuck(err)
	}
	h.settle()
	h.t.sendReturn(h.c, true)
	h.t.push()
}

// marks begin what a shell says of its commands, see Journal.
var marks = []byte("\x1b]133;")

func (h *handedPty) output(offset int64, p []byte) {
	if h.seen == h.head {
		h.since = time.Now()
	}
	h.head = offset + int64(len(p))
	marked := bytes.Contains(p, marks)
	if marked {
		h.since = time.Time{}
		h.tellSeen() // before a check of that command can be asked for
	}
	h.books.Lock()
	defer h.books.Unlock()
	h.pay()
	at, fresh := h.t.show(offset, p)
	if marked || len(p) > maxOwed {
		h.t.s.note(int(h.t.tab), at, fresh, h.c)
		return
	}
	h.owed, h.first = append(h.owed, fresh...), at
}

// settle has the journal see what is owed to it.
func (h *handedPty) settle() {
	h.books.Lock()
	defer h.books.Unlock()
	h.pay()
}

// pay does. Under books.
func (h *handedPty) pay() {
	h.t.s.note(int(h.t.tab), h.first, h.owed, h.c)
	h.owed = h.owed[:0]
}

// tellSeen tells the guest how far it was read, which gives processes that end their
// place in the output.
func (h *handedPty) tellSeen() {
	if h.seen == h.head {
		return
	}
	if age := time.Since(h.since); age >= seenLate || h.still && age >= seenSoon {
		h.seen = h.head
		_ = h.c.sendOffset(link.KindSeen, h.t.tab, h.head)
	}
}
