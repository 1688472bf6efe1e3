package sandbox_test

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
	"sysnerd/sandbox/link"
	"sysnerd/sandbox/ptyring"
)

// hostile is an engine whose one guest speaks the link over a socket and hands over
// whatever a test likes.
type hostile struct {
	t     *testing.T
	ours  *net.UnixConn
	far   *net.UnixConn
	work  sync.WaitGroup
	mu    sync.Mutex
	asked bool // the server wanted the pty
	open  chan link.Open
	back  chan link.Return
	typed chan string
}

func newHostile(t *testing.T) (*hostile, *sandbox.Sandbox) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	end := func(fd int) *net.UnixConn {
		f := os.NewFile(uintptr(fd), "link")
		defer f.Close()
		c, err := net.FileConn(f)
		if err != nil {
			t.Fatal(err)
		}
		return c.(*net.UnixConn)
	}
	h := &hostile{t: t, ours: end(fds[0]), far: end(fds[1]), open: make(chan link.Open, 9), back: make(chan link.Return, 99), typed: make(chan string, 99)}
	h.work.Go(h.guest)
	box, err := sandbox.Adopt(t.Context(), h, sandbox.Spec{ID: "0123456789abcdef", UID: sandbox.FirstUID, Limits: sandbox.DefaultLimits()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		box.Detach()
		h.far.Close()
		h.work.Wait()
	})
	return h, box
}

func (h *hostile) guest() {
	var d link.Decoder
	buf := make([]byte, 4096)
	for {
		n, err := h.far.Read(buf)
		if err != nil {
			return
		}
		_ = d.Feed(buf[:n], func(f link.Frame) error {
			switch f.Kind {
			case link.KindHello:
				var hello link.Hello
				_ = f.JSON(&hello)
				h.say(link.KindWelcome, 0, link.Welcome{Version: link.Version, Epoch: hello.Epoch, Started: 1})
			case link.KindOpen:
				var o link.Open
				_ = f.JSON(&o)
				h.say(link.KindOpened, f.Stream, link.Opened{Tab: int(f.Stream)})
				h.open <- o
			case link.KindReturn:
				var r link.Return
				_ = f.JSON(&r)
				h.back <- r
			case link.KindInput:
				h.typed <- string(f.Payload)
			}
			return nil
		})
	}
}

func (h *hostile) say(k link.Kind, stream uint32, v any, fds ...int) {
	h.t.Helper()
	frame, err := link.AppendJSON(nil, k, stream, v)
	if err != nil {
		h.t.Error(err)
	}
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	if _, _, err := h.far.WriteMsgUnix(frame, oob, nil); err != nil {
		h.t.Error(err)
	}
	for _, fd := range fds {
		unix.Close(fd)
	}
}

func (h *hostile) Create(context.Context, sandbox.Spec) error           { return nil }
func (h *hostile) Update(context.Context, string, sandbox.Limits) error { return nil }
func (h *hostile) Remove(context.Context, string) error                 { return nil }
func (h *hostile) List(context.Context) ([]sandbox.Listed, error)       { return nil, nil }
func (h *hostile) Attach(context.Context, string) (io.ReadWriteCloser, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asked {
		return nil, sandbox.ErrNotFound
	}
	h.asked = true
	return h.ours, nil
}

// master returns the master of a new pty that does not block, and its far end.
func master(t *testing.T) (int, *os.File) {
	t.Helper()
	m, far, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	t.Cleanup(func() { far.Close() })
	fd, err := unix.FcntlInt(m.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	return fd, far
}

func ringFD(t *testing.T) int {
	t.Helper()
	r, err := ptyring.New()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fd, err := unix.FcntlInt(uintptr(r.File()), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func null(t *testing.T) int {
	t.Helper()
	fd, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// TestHostileGuest hands over what it should not. Each time the server gives it back
// refused, keeps none of it, and goes on relaying.
func TestHostileGuest(t *testing.T) {
	m := func() int { fd, _ := master(t); return fd }
	for _, c := range []struct {
		name   string
		handed link.Handed
		fds    func() []int
	}{
		{"no descriptors", link.Handed{}, func() []int { return nil }},
		{"one descriptor", link.Handed{}, func() []int { return []int{m()} }},
		{"one too many", link.Handed{}, func() []int { return []int{m(), ringFD(t), null(t)} }},
		{"very many", link.Handed{}, func() (all []int) {
			for range 200 {
				all = append(all, null(t))
			}
			return all
		}},
		{"wrong devices", link.Handed{}, func() []int { return []int{null(t), ringFD(t)} }},
		{"wrong memory", link.Handed{}, func() []int { return []int{m(), null(t)} }},
		{"the wrong way round", link.Handed{}, func() []int { return []int{ringFD(t), m()} }},
		{"lying bounds", link.Handed{Start: 5, End: 1 << 62}, func() []int { return []int{m(), ringFD(t)} }},
		{"negative bounds", link.Handed{Start: -5, End: -1}, func() []int { return []int{m(), ringFD(t)} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, box := newHostile(t)
			term := watch(t, box, -1)
			if o := <-h.open; !o.Handover {
				t.Error("the server did not ask for the pty")
			}
			fds := c.fds()
			before := descriptors(t) - len(fds)
			h.say(link.KindHanded, 1, c.handed, fds...)
			if r := <-h.back; !r.Refused {
				t.Errorf("return = %+v, want it refused", r)
			}
			term.typed("over the link")
			if got := <-h.typed; got != "over the link" {
				t.Errorf("input = %q", got)
			}
			out, err := link.AppendOffset(nil, link.KindOutput, 1, 0, []byte("and back"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.far.Write(out); err != nil {
				t.Fatal(err)
			}
			term.until("and back")
			if now := descriptors(t); now > before {
				t.Errorf("%d descriptors more are open", now-before)
			}
		})
	}
}

// TestHostileGuestFloods sends descriptors that nobody asked for, with frames that
// have nothing to do with them.
func TestHostileGuestFloods(t *testing.T) {
	h, box := newHostile(t)
	term := watch(t, box, -1)
	<-h.open
	before := descriptors(t)
	for range 100 {
		h.say(link.KindNotice, 0, link.Notice{Code: "x"}, null(t), null(t))
	}
	out, err := link.AppendOffset(nil, link.KindOutput, 1, 0, []byte("still here"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.far.Write(out); err != nil {
		t.Fatal(err)
	}
	term.until("still here")
	if now := descriptors(t); now > before+2*link.MaxTabs {
		t.Errorf("%d descriptors more are open, want at most %d", now-before, 2*link.MaxTabs)
	}
}

// TestHostileGuestMakesThePtyBlock hands over a good one, and then changes it.
func TestHostileGuestMakesThePtyBlock(t *testing.T) {
	h, box := newHostile(t)
	term := watch(t, box, -1)
	<-h.open
	m, far := master(t)
	mine, err := unix.FcntlInt(uintptr(m), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(mine)
	h.say(link.KindHanded, 1, link.Handed{}, m, ringFD(t))
	if _, err := far.WriteString("from the pty\n"); err != nil {
		t.Fatal(err)
	}
	term.until("from the pty")
	if err := unix.SetNonblock(mine, false); err != nil {
		t.Fatal(err)
	}
	term.typed("what is typed then")
	if r := <-h.back; !r.Refused {
		t.Errorf("return = %+v, want it refused", r)
	}
	if got := <-h.typed; got != "what is typed then" {
		t.Errorf("input = %q, want it over the link", got)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		box.Detach()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("Detach waits for a hostile guest")
		<-done
	}
}
