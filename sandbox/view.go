package sandbox

import (
	"context"
	"io"
	"sync/atomic"

	"sysnerd/sandbox/link"
)

// Output is the next thing that a viewer has to know. Exactly one of Data,
// Writer, Exit, Notice is set; Skipped, Redraw and Head go with Data.
type Output struct {
	Offset  int64  // of the first byte of Data
	Data    []byte // valid until the next call of Next
	Skipped int64  // bytes lost right before Data, for this viewer
	// Redraw, where the viewer did not get what is before Offset, brings its terminal
	// to where Data goes on. It belongs to no offset. What is before Head, the newest
	// then, is too old to be answered.
	Redraw []byte
	Head   int64
	Writer *bool // the view became writer, or stopped being it
	Exit   *int  // the shell ended with this status; a new one follows in the same terminal
	Notice *Notice
}

type told struct {
	Output
	after int64 // not before output up to this offset was shown
}

// View is one viewer of a terminal. Next is called by one goroutine, the other
// methods by any.
type View struct {
	t     *Terminal
	wake  chan struct{}
	start int64
	end   int64
	first bool

	prompt  bool                      // it may read the pty itself
	leading atomic.Pointer[handedPty] // which it waits for just now
	ctx     context.Context           // of the last Next
	stop    func() bool               // nothing is told of its end any more

	// Under t.mu:
	pos     int64 // offset of what Next returns next
	acked   int64
	skipped int64
	blank   bool // it has shown nothing yet
	cut     bool // it did not get what is before pos
	queue   []told
	closed  bool
	buf     []byte
}

// Start is the offset at which this view begins, and whether it began as the writer.
func (v *View) Start() (offset int64, writer bool) { return v.start, v.first }

// End is the offset of what was newest when the view began: what comes before it
// is a repetition, and a terminal must not answer queries in it.
func (v *View) End() int64 { return v.end }

func (v *View) poke() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
	if h := v.leading.Load(); h != nil {
		h.Wake()
	}
}

func (v *View) tell(o told) {
	v.queue = append(v.queue, o)
	v.poke()
}

// Next blocks until there is something to show. Errors: io.EOF when the terminal
// is over or the view closed, the context's.
func (v *View) Next(ctx context.Context) (Output, error) {
	v.watch(ctx)
	for {
		o, ok, err := v.next()
		if err == nil && !ok {
			err = ctx.Err()
		}
		if err != nil {
			if h := v.t.pty.Load(); h != nil {
				h.call() // this view reads no more
			}
			return Output{}, err
		}
		if ok {
			return o, nil
		}
		if h := v.t.pty.Load(); h != nil && v.prompt && h.lead(v) {
			continue
		}
		select {
		case <-v.wake:
		case <-ctx.Done():
		}
	}
}

// watch has the end of ctx poke the view, for as long as Next is called with it.
func (v *View) watch(ctx context.Context) {
	if !v.prompt || v.ctx == ctx {
		return
	}
	if v.stop != nil {
		v.stop()
	}
	v.ctx, v.stop = ctx, context.AfterFunc(ctx, v.poke)
}

func (v *View) next() (Output, bool, error) {
	t := v.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if v.closed {
		return Output{}, false, io.EOF
	}
	if len(v.queue) > 0 && v.queue[0].after <= v.pos {
		o := v.queue[0].Output
		v.queue = v.queue[1:]
		return o, true, nil
	}
	if v.pos < t.hist.start {
		v.skipped += t.hist.start - v.pos
		v.pos, v.cut = t.hist.start, true
		v.acked = max(v.acked, v.pos) // what it never got it need not acknowledge
	}
	n := min(t.hist.end, v.acked+link.OutputWindow) - v.pos
	if n <= 0 {
		if t.over && v.pos >= t.hist.end {
			return Output{}, false, io.EOF
		}
		return Output{}, false, nil
	}
	p := t.hist.from(v.pos)
	p = p[:min(int64(len(p)), n, maxChunk)]
	v.buf = append(v.buf[:0], p...)
	o := Output{Offset: v.pos, Data: v.buf, Skipped: v.skipped}
	if v.cut {
		o.Redraw, o.Head = t.redraw(v.blank), t.hist.end
	}
	v.pos += int64(len(p))
	v.skipped, v.blank, v.cut = 0, false, false
	return o, true, nil
}

// Ack says that the viewer has shown all bytes before offset. A viewer gets at
// most 256 KiB beyond what it acknowledged. It returns whether that was all there is.
func (v *View) Ack(offset int64) (all bool) {
	t := v.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if offset <= v.acked || offset > v.pos {
		return false
	}
	held := v.pos >= v.acked+link.OutputWindow
	v.acked = offset
	t.quiet = 0
	if held { // nothing else waits for it
		v.poke()
	}
	t.credit()
	return offset == t.hist.end
}

func (v *View) writes() bool {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	return v.t.writer == v
}

// Write sends input to the shell and blocks while too much of it is queued.
// Input of a viewer that is not the writer goes nowhere, without an error.
func (v *View) Write(ctx context.Context, p []byte) error {
	if !v.writes() {
		return nil
	}
	defer v.t.s.Touch() // a key goes first
	return v.t.write(ctx, p)
}

// Interrupt is Ctrl-C that overtakes queued input. Goes nowhere unless writer.
func (v *View) Interrupt(context.Context) error {
	if !v.writes() {
		return nil
	}
	return v.t.interrupt()
}

// Resize sets the terminal's size, clamped to the valid range. Goes nowhere unless writer.
func (v *View) Resize(_ context.Context, s Size) error {
	if !v.writes() {
		return nil
	}
	return v.t.resize(s)
}

// Take makes this view the writer; the former one is told.
func (v *View) Take() {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	v.t.setWriter(v)
}

// Close leaves the terminal; the shell lives on. If it was the writer, the viewer
// that has been there longest becomes it.
func (v *View) Close() {
	t := v.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if v.closed {
		return
	}
	v.closed = true
	t.quiet = 0
	v.poke()
	if h := t.pty.Load(); h != nil {
		h.call()
	}
	for i, o := range t.views {
		if o == v {
			t.views = append(t.views[:i], t.views[i+1:]...)
			break
		}
	}
	if t.writer == v {
		t.writer = nil
		if len(t.views) > 0 {
			t.setWriter(t.views[0])
		}
	}
}
