package sandbox

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"sysnerd/sandbox/link"
)

const (
	// creditStep is how far the newest acknowledgement must have moved before
	// the guest is given more credit.
	creditStep = 32 << 10
	// unwatchedStep is what the guest may send a second while no viewer takes
	// anything, so that the journal goes on.
	unwatchedStep = 128 << 10
	// unwatchedTicks is how long nobody must have taken anything before that. Who
	// lost his socket is back by then, and must find all that he has not seen.
	// The guest's ring alone holds as long.
	unwatchedTicks = 2
	// maxInput is how much typed input waits in the server before Write blocks. It
	// holds a large paste, so that an interrupt behind it is still read at once.
	maxInput = 2 << 20
	maxChunk = 16 << 10
)

// Size of a terminal in cells. Valid: 2–500 columns, 1–300 rows.
type Size struct{ Cols, Rows int }

// Clamp returns s with both numbers brought into the valid range.
func (s Size) Clamp() Size {
	return Size{max(2, min(s.Cols, 500)), max(1, min(s.Rows, 300))}
}

// Terminal is one shell of a sandbox. Its output is numbered in bytes from 0 for
// its whole life; viewers come and go. It does not know how it is served. All
// methods may be called concurrently.
type Terminal struct {
	s   *Sandbox
	tab uint32

	opening chan struct{} // room for one: who holds it talks to the guest about opening

	mu      sync.Mutex
	open    bool  // the guest sends its output to this link
	base    int64 // added to the guest's offsets; moves when the guest is a new one
	hist    history
	granted int64 // credit given so far
	replay  int64 // output before it is older than this server: it comes again, and the journal skips it
	views   []*View
	writer  *View
	quiet   int // ticks since a viewer took something or left
	size    Size
	nudged  time.Time
	over    bool

	pty atomic.Pointer[handedPty] // the pty itself, while it is handed over to this server

	typing sync.Mutex // orders input; never held together with mu
	room   chan struct{}
	joined bool // the guest said on this link how much it has
	input  []byte
	sent   int64  // input sent, in the guest's numbers
	taken  int64  // of it taken by the guest
	flying []byte // the end of what was sent: not yet known to be taken
}

func newTerminal(s *Sandbox, tab int) *Terminal {
	return &Terminal{s: s, tab: uint32(tab), opening: make(chan struct{}, 1), room: make(chan struct{}, 1), size: Size{80, 24}}
}

// ViewOptions say how a viewer joins.
type ViewOptions struct {
	Size  Size
	Since int64 // resume at this offset; negative means from the oldest byte kept
	// Prompt says that whoever calls Next comes back to it as soon as it has shown what
	// it got. Where the pty is handed over, Next then reads it itself, and an echo is
	// there sooner.
	Prompt bool
}

// View joins the terminal, opening it first if need be, and returns once the guest
// has it. The first viewer is the writer; others watch until it leaves or they Take.
// Errors: ErrNotRunning, the context's.
func (t *Terminal) View(ctx context.Context, o ViewOptions) (*View, error) {
	size := o.Size.Clamp()
	if err := t.ensureOpen(ctx, size); err != nil {
		return nil, err
	}
	v, err := t.join(o.Since, o.Prompt)
	if err != nil {
		return nil, err
	}
	if err := v.Resize(ctx, size); err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// join adds a viewer who has all bytes before since; negative means none.
func (t *Terminal) join(since int64, prompt bool) (*View, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return nil, fmt.Errorf("open terminal: %w", ErrNotRunning)
	}
	v := &View{t: t, prompt: prompt, wake: make(chan struct{}, 1), end: max(t.hist.end, t.replay)}
	v.blank = since <= 0
	v.pos = t.hist.start
	if since >= 0 {
		v.pos = min(since, v.end)
		if v.pos < t.hist.start {
			v.skipped, v.pos = t.hist.start-v.pos, t.hist.start
		}
	}
	v.cut = v.pos > 0 && v.pos == t.hist.start && (v.blank || v.skipped > 0)
	v.start, v.acked = v.pos, v.pos
	t.views = append(t.views, v)
	if t.writer == nil {
		t.writer = v
	}
	v.first = t.writer == v
	t.credit()
	return v, nil
}

// ensureOpen has the guest open the terminal for this link.
func (t *Terminal) ensureOpen(ctx context.Context, size Size) error {
	select {
	case t.opening <- struct{}{}:
		defer func() { <-t.opening }()
	case <-ctx.Done():
		return ctx.Err()
	}
	t.mu.Lock()
	open, since := t.open, t.hist.end-t.base
	if !open {
		t.size = size
	}
	t.mu.Unlock()
	if open {
		return nil
	}
	reply, err := t.s.ask(ctx, t.tab, link.KindOpened, func(c *conn) error {
		return c.sendJSON(link.KindOpen, t.tab, link.Open{Cols: size.Cols, Rows: size.Rows, Since: since, Handover: c.socket != nil && !t.s.distrusted.Load()})
	})
	if err != nil {
		return fmt.Errorf("open terminal: %w", err)
	}
	if o := reply.(link.Opened); o.Error != "" {
		return fmt.Errorf("open terminal: %s", o.Error)
	}
	return nil
}

// opened takes in what the guest said of the terminal. The caller is the link's
// reader, so no output can come in between.
func (t *Terminal) opened(o link.Opened) {
	if o.Error != "" {
		return
	}
	t.typing.Lock()
	// What was on its way when the link broke, and did not arrive, is sent again.
	if lost := min(t.sent-o.Taken, int64(len(t.flying))); lost > 0 {
		t.input = append(t.flying[int64(len(t.flying))-lost:], t.input...)
	}
	t.sent, t.taken, t.flying, t.joined = o.Taken, o.Taken, nil, true
	t.typing.Unlock()
	t.mu.Lock()
	if !t.open && t.hist.end == t.base {
		t.replay = t.base + o.End
	}
	if start := t.base + o.Start; !t.open && start > t.hist.end {
		t.s.journal.Skip(int(t.tab))
		t.hist.skip(start)
		t.hist.tail.Feed(o.Modes)
	}
	t.open = true
	t.granted = t.hist.end + link.OutputWindow
	t.mu.Unlock()
	t.push()
}

// lost is called when the link is down: the terminal is opened anew on the next.
func (t *Terminal) lost(newGuest bool) {
	t.letGo()
	t.typing.Lock()
	t.joined = false
	if newGuest { // a new shell knows nothing of what the last one was told
		t.flying = nil
	}
	t.typing.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = false
	if newGuest {
		t.base = t.hist.end
		t.s.journal.Rebase(int(t.tab), t.base)
	}
}

// end tells all viewers that the terminal is over.
func (t *Terminal) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	for _, v := range t.views {
		v.poke()
	}
	select {
	case t.room <- struct{}{}:
	default:
	}
}

// output takes in the next bytes from the guest. The caller is the link's reader.
func (t *Terminal) output(offset int64, p []byte) {
	at, fresh := t.show(offset, p)
	t.s.note(int(t.tab), at, fresh, nil)
}

// show gives the next bytes to the views. It returns those that the journal shall see,
// with the number of the first.
func (t *Terminal) show(offset int64, p []byte) (at int64, fresh []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	offset += t.base
	switch end := t.hist.end; {
	case offset > end:
		t.hist.skip(offset)
		t.s.journal.Skip(int(t.tab))
	case offset < end: // told before
		p = p[min(int64(len(p)), end-offset):]
		offset = end
	}
	t.hist.write(p)
	for _, v := range t.views {
		v.poke()
	}
	old := min(max(0, t.replay-offset), int64(len(p)))
	return offset + old, p[old:]
}

// exited tells viewers that the shell ended; the guest starts another.
func (t *Terminal) exited(e link.Exit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.journal.Exited(int(t.tab), t.base+e.Offset)
	for _, v := range t.views {
		status := e.Status
		v.tell(told{Output{Exit: &status}, t.base + e.Offset})
	}
}

// credit gives the guest as much as the fastest viewer may see. Under mu.
func (t *Terminal) credit() {
	if !t.open {
		return
	}
	var acked int64 = -1
	for _, v := range t.views {
		acked = max(acked, v.acked)
	}
	if limit := acked + link.OutputWindow; acked >= 0 && limit-t.granted >= creditStep {
		t.grant(limit)
	}
}

func (t *Terminal) grant(limit int64) {
	t.granted = limit
	if h := t.pty.Load(); h != nil {
		h.Wake()
		return
	}
	if c := t.s.link(); c != nil {
		_ = c.sendOffset(link.KindCredit, t.tab, limit-t.base)
	}
}

// tick lets a terminal that nobody takes anything from drain at a bounded rate.
// The Keeper calls it about once a second.
func (t *Terminal) tick() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.quiet++
	if h := t.pty.Load(); h != nil && len(h.turn) == 0 {
		h.call() // a view that reads itself is held up elsewhere
	}
	if t.open && t.quiet > unwatchedTicks && t.granted-t.hist.end < unwatchedStep {
		t.grant(t.hist.end + unwatchedStep)
	}
}

// push sends what waits of the input, as far as the guest's window allows.
func (t *Terminal) push() {
	t.typing.Lock()
	defer t.typing.Unlock()
	c := t.s.link()
	for c != nil && t.joined && len(t.input) > 0 {
		if h := t.direct(); h != nil {
			if !h.typed() {
				break
			}
			continue
		}
		n := min(int64(len(t.input)), maxChunk, link.InputWindow-(t.sent-t.taken))
		if n <= 0 {
			break
		}
		if c.send(link.Frame{Kind: link.KindInput, Stream: t.tab, Payload: t.input[:n]}) != nil {
			break
		}
		t.sent += n
		t.flying = append(t.flying, t.input[:n]...)
		t.input = t.input[n:]
	}
	if len(t.input) == 0 {
		t.input = nil
	}
	if len(t.input) < maxInput {
		select {
		case t.room <- struct{}{}:
		default:
		}
	}
}

func (t *Terminal) takenUpTo(n int64) {
	t.typing.Lock()
	if n > t.taken && n <= t.sent {
		t.taken = n
		t.flying = append([]byte(nil), t.flying[max(0, int64(len(t.flying))-(t.sent-n)):]...)
	}
	t.typing.Unlock()
	t.push()
}

func (t *Terminal) write(ctx context.Context, p []byte) error {
	for {
		t.typing.Lock()
		full := len(t.input) > 0 && len(t.input)+len(p) > maxInput
		if !full {
			t.input = append(t.input, p...)
		}
		t.typing.Unlock()
		if !full {
			t.push()
			return nil
		}
		select {
		case <-t.room:
		case <-ctx.Done():
			return ctx.Err()
		case <-t.s.Done():
			return ErrNotRunning
		}
	}
}

// interrupt forgets the input that waits. While the link is down the Ctrl-C itself
// waits; nothing is before it then.
func (t *Terminal) interrupt() error {
	t.typing.Lock()
	defer t.typing.Unlock()
	t.input, t.flying = nil, nil
	if h := t.direct(); h != nil && h.Interrupt() == nil {
		return nil
	}
	c := t.s.link()
	if c == nil || !t.joined || c.send(link.Frame{Kind: link.KindInterrupt, Stream: t.tab}) != nil {
		t.input = []byte{3}
	}
	return nil
}

func (t *Terminal) resize(s Size) error {
	s = s.Clamp()
	t.mu.Lock()
	same := t.size == s
	t.size = s
	t.mu.Unlock()
	if same {
		return nil
	}
	return t.sendSize(s)
}

func (t *Terminal) sendSize(s Size) error {
	if h := t.pty.Load(); h != nil {
		_ = h.SetSize(s.Cols, s.Rows) // the next shell's pty has it from the guest
	}
	c := t.s.link()
	if c == nil {
		return ErrNotRunning
	}
	return c.sendJSON(link.KindResize, t.tab, link.Size{Cols: s.Cols, Rows: s.Rows})
}

func (t *Terminal) setWriter(v *View) {
	yes, no := true, false
	if t.writer == v || (v != nil && v.closed) {
		return
	}
	if t.writer != nil && !t.writer.closed {
		t.writer.tell(told{Output: Output{Writer: &no}})
	}
	t.writer = v
	if v != nil {
		v.tell(told{Output: Output{Writer: &yes}})
	}
}
