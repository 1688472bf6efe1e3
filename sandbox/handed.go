package sandbox

import (
	"bytes"
	"errors"
	"runtime"
	"time"

	"sysnerd/sandbox/link"
	"sysnerd/sandbox/ptyring"
)

// seenEvery is how often at most the guest is told how far plain output was read. It
// is told at once when a command begins or ends.
const seenEvery = 100 * time.Millisecond

// handedPty is the pty of a terminal that the guest handed over, and the goroutine
// that reads it. Terminal's other ways, over the link, are as they were: size and
// end of a shell still go there, and all of it when the pty is given back.
type handedPty struct {
	*ptyring.Pty
	t     *Terminal
	c     *conn
	ended chan struct{} // read has

	// Under Terminal.typing:
	pending bool // input waits for the terminal to take it
	broken  bool // it takes none any more

	// Of the goroutine that reads:
	mark bool      // a command began or ended in what was read last
	told time.Time // when the guest was last told how far it was read
}

// handedOver takes a pty over. It says whether the descriptors have another owner
// now. The caller is the link's reader.
func (t *Terminal) handedOver(c *conn, o link.Handed, fds []int) bool {
	t.letGo()
	t.mu.Lock()
	open := t.open && !t.over
	t.mu.Unlock()
	if !open {
		return false
	}
	pty, err := ptyring.Accept(fds, ptyring.Bounds{Start: o.Start, Head: o.End, Modes: o.Modes})
	if err != nil {
		t.s.log.Warn("a pty was refused; its terminal is relayed", "tab", t.tab, "err", err)
		t.sendReturn(c, true)
		t.push()
		return true
	}
	h := &handedPty{Pty: pty, t: t, c: c, ended: make(chan struct{})}
	t.mu.Lock()
	since, size := t.hist.end-t.base, t.size
	t.mu.Unlock()
	_ = h.CatchUp(since, t.output)
	_ = h.SetSize(size.Cols, size.Rows)
	t.pty.Store(h)
	go h.read()
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
	err := h.Close()
	if errors.Is(err, ptyring.ErrStuck) {
		t.s.log.Error("a pty that was handed over could not be let go", "tab", t.tab, "err", err)
		return true
	}
	<-h.ended
	return true
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
	case err != nil && !errors.Is(err, ptyring.ErrClosed):
		h.broken = true
		h.Wake()
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

// read reads the pty for as long as this server has it. Without credit it leaves the
// output where it is, and the program that prints waits.
func (h *handedPty) read() {
	defer close(h.ended)
	for hung := false; ; {
		room, pending, broken := h.wants()
		err := errBroken
		if !broken {
			err = h.once(room, hung, pending)
		}
		switch {
		case err == nil:
		case errors.Is(err, ptyring.ErrHungUp):
			hung = true // the guest asks it back once the shell has ended
		case errors.Is(err, ptyring.ErrClosed):
			return
		default:
			h.refuse(err)
			return
		}
	}
}

var errBroken = errors.New("it takes no input")

// once waits, and reads and writes what can be.
func (h *handedPty) once(room int64, hung, pending bool) error {
	ready, err := h.Wait(room > 0 && !hung, pending && !hung)
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
	if n > 0 {
		// Whoever shows it goes first, on this very thread: waking another for it
		// costs more than all the rest.
		runtime.Gosched()
		h.tellSeen()
	}
	return err
}

// refuse gives back a pty that can't be used. The guest relays it from then on.
func (h *handedPty) refuse(reason error) {
	if !h.t.pty.CompareAndSwap(h, nil) {
		return // it is being let go
	}
	h.t.s.log.Warn("a pty that was handed over can't be used; its terminal is relayed", "tab", h.t.tab, "err", reason)
	if err := h.Close(); err != nil {
		h.t.s.log.Error("a pty that was handed over could not be let go", "tab", h.t.tab, "err", err)
	}
	h.t.sendReturn(h.c, true)
	h.t.push()
}

// marks begin what a shell says of its commands, see Journal.
var marks = []byte("\x1b]133;")

func (h *handedPty) output(offset int64, p []byte) {
	h.t.outputOver(h.c, offset, p)
	h.mark = bytes.Contains(p, marks)
}

// tellSeen tells the guest how far it was read, which gives processes that end their
// place in the output.
func (h *handedPty) tellSeen() {
	if now := time.Now(); h.mark || now.Sub(h.told) >= seenEvery {
		h.told = now
		_ = h.c.sendOffset(link.KindSeen, h.t.tab, h.Head())
	}
}
