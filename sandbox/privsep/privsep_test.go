package privsep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	instance = "privseptest"
	someID   = "0123456789abcdef"
	ourImage = "sha256:0123"
)

// scripted is an engine of which a test says what it does.
type scripted struct {
	create func(context.Context, sandbox.Spec) error
	attach func(id string) (io.ReadWriteCloser, error)
	update func(id string, l sandbox.Limits) error
	list   func() ([]sandbox.Listed, error)
	remove func(id string) error
}

func (s *scripted) Create(ctx context.Context, spec sandbox.Spec) error { return s.create(ctx, spec) }
func (s *scripted) Attach(_ context.Context, id string) (io.ReadWriteCloser, error) {
	return s.attach(id)
}
func (s *scripted) Update(_ context.Context, id string, l sandbox.Limits) error {
	return s.update(id, l)
}
func (s *scripted) List(context.Context) ([]sandbox.Listed, error) { return s.list() }
func (s *scripted) Remove(_ context.Context, id string) error      { return s.remove(id) }

// helper serves e, and returns the server's end. served has what Serve returned.
func helper(t *testing.T, e sandbox.Engine) (conn *net.UnixConn, served chan error) {
	t.Helper()
	theirs, ours, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	served = make(chan error, 1)
	serving, err := Conn(theirs)
	if err != nil {
		t.Fatal(err)
	}
	h := &Helper{Engine: e, Instance: instance, Log: slog.New(slog.DiscardHandler),
		Image: func(context.Context) (string, error) { return ourImage, nil }}
	go func() { served <- h.Serve(serving) }()
	if conn, err = Conn(ours); err != nil {
		t.Fatal(err)
	}
	return conn, served
}

// parted opens e behind a helper.
func parted(t *testing.T, e sandbox.Engine) *Engine {
	t.Helper()
	conn, served := helper(t, e)
	p, err := Connect(t.Context(), conn, instance)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	return p
}

func spec() sandbox.Spec {
	return sandbox.Spec{ID: someID, Instance: instance, Lab: "processes/fork", Image: ourImage,
		UID: sandbox.FirstUID, Expires: time.Unix(2e9, 0).UTC(), Limits: sandbox.DefaultLimits()}
}

func TestErrorsKeepTextAndSentinels(t *testing.T) {
	for _, k := range kinds {
		want := fmt.Errorf("update sandbox %s: %w: for a reason", someID, k.err)
		e := parted(t, &scripted{update: func(string, sandbox.Limits) error { return want }})
		err := e.Update(t.Context(), someID, sandbox.DefaultLimits())
		if !errors.Is(err, k.err) || err.Error() != want.Error() {
			t.Errorf("Update = %v, want %v with its sentinel", err, want)
		}
		for _, other := range kinds {
			if other.err != k.err && errors.Is(err, other.err) {
				t.Errorf("Update = %v, which is %v, too", err, other.err)
			}
		}
	}
}

func TestSpecCrossesWhole(t *testing.T) {
	asked := make(chan sandbox.Spec, 1)
	e := parted(t, &scripted{create: func(_ context.Context, s sandbox.Spec) error { asked <- s; return nil }})
	if _, err := e.Image(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.Create(t.Context(), spec()); err != nil {
		t.Fatal(err)
	}
	if got := <-asked; got != spec() {
		t.Errorf("the engine was asked for %+v, want %+v", got, spec())
	}
}

// A server that is told to end waits for its helper.
func TestServeEndsThoughTheEngineDoesNot(t *testing.T) {
	asked, hear := make(chan bool), make(chan bool)
	conn, served := helper(t, &scripted{remove: func(string) error { asked <- true; <-hear; return nil }})
	e, err := Connect(t.Context(), conn, instance)
	if err != nil {
		t.Fatal(err)
	}
	removed := make(chan error)
	go func() { removed <- e.Remove(t.Context(), someID) }()
	<-asked
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := <-removed; !errors.Is(err, sandbox.ErrUnavailable) {
		t.Errorf("Remove = %v, want ErrUnavailable", err)
	}
	select {
	case err := <-served:
		if err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	case <-time.After(10 * leaveTime):
		t.Error("Serve still waits for the engine")
	}
	close(hear)
}

func TestListOfAnyLength(t *testing.T) {
	for _, n := range []int{0, 1, maxListed, maxListed + 1, 5000} {
		want := make([]sandbox.Listed, n)
		for i := range want {
			want[i] = sandbox.Listed{ID: fmt.Sprintf("%016d", i), Lab: strings.Repeat("l", 64) + "/" + strings.Repeat("m", 64), UID: i, Expires: time.Unix(2e9, 0).UTC(), Running: i%2 == 0}
		}
		e := parted(t, &scripted{list: func() ([]sandbox.Listed, error) { return want, nil }})
		if got, err := e.List(t.Context()); err != nil || !slices.Equal(got, want) {
			t.Errorf("List of %d = %d, %v", n, len(got), err)
		}
	}
}

// What no server of ours sends must reach no engine.
func TestWhatNeverReachesTheEngine(t *testing.T) {
	touched := func(what string) error { t.Errorf("%s reached the engine", what); return nil }
	e := parted(t, &scripted{
		create: func(_ context.Context, s sandbox.Spec) error { return touched(fmt.Sprintf("create %+v", s)) },
		attach: func(id string) (io.ReadWriteCloser, error) { return nil, touched("attach " + id) },
		update: func(id string, l sandbox.Limits) error { return touched(fmt.Sprintf("update %s %+v", id, l)) },
		remove: func(id string) error { return touched("remove " + id) },
	})
	if err := e.Create(t.Context(), spec()); !errors.Is(err, sandbox.ErrImageMissing) {
		t.Errorf("Create before the image was named = %v, want ErrImageMissing", err)
	}
	if _, err := e.Image(t.Context()); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*sandbox.Spec){
		"another image":    func(s *sandbox.Spec) { s.Image = "debian:12" },
		"a path as image":  func(s *sandbox.Spec) { s.Image = "/" },
		"another instance": func(s *sandbox.Spec) { s.Instance = "other" },
		"root":             func(s *sandbox.Spec) { s.UID = 0 },
		"a path as id":     func(s *sandbox.Spec) { s.ID = "../../../../etc/x" },
		"a flag as id":     func(s *sandbox.Spec) { s.ID = "--root=/tmp/aaaa" },
		"a path as lab":    func(s *sandbox.Spec) { s.Lab = "../../etc" },
		"a line as lab":    func(s *sandbox.Spec) { s.Lab = "a/b\n" },
		"much memory":      func(s *sandbox.Spec) { s.Limits.Memory = 1 << 50 },
		"a large tmpfs":    func(s *sandbox.Spec) { s.Limits.Home = s.Limits.Memory },
	} {
		s := spec()
		change(&s)
		if err := e.Create(t.Context(), s); err == nil {
			t.Errorf("Create with %s = nil, want an error", what)
		}
	}
	for _, id := range []string{"", "..", "../../etc/shadow", "0123456789abcde\x00", "--help", strings.Repeat("a", 10000)} {
		if _, err := e.Attach(t.Context(), id); !errors.Is(err, sandbox.ErrNotFound) {
			t.Errorf("Attach(%.20q) = %v, want ErrNotFound", id, err)
		}
		if err := e.Update(t.Context(), id, sandbox.DefaultLimits()); !errors.Is(err, sandbox.ErrNotFound) {
			t.Errorf("Update(%.20q) = %v, want ErrNotFound", id, err)
		}
		if err := e.Remove(t.Context(), id); err != nil {
			t.Errorf("Remove(%.20q) = %v, want nil", id, err)
		}
	}
	if err := e.Update(t.Context(), someID, sandbox.Limits{Memory: 1}); err == nil {
		t.Error("Update to absurd limits = nil, want an error")
	}
}

// What is no message ends the helper, and waits for nothing.
func TestNonsenseEndsTheHelper(t *testing.T) {
	for what, packet := range map[string]string{
		"no JSON":          "hello",
		"an unknown verb":  `{"number":1,"verb":"exec"}`,
		"an unknown field": `{"number":1,"verb":"list","path":"/etc"}`,
		"two messages":     `{"number":1,"verb":"list"}{"number":2,"verb":"list"}`,
		"no spec":          `{"number":1,"verb":"create"}`,
		"an id of a list":  `{"number":1,"verb":"list","id":"0123456789abcdef"}`,
		"too much":         `{"number":1,"verb":"attach","id":"` + strings.Repeat("a", maxMessage) + `"}`,
	} {
		conn, served := helper(t, &scripted{list: func() ([]sandbox.Listed, error) { return nil, nil }})
		if _, err := conn.Write([]byte(packet)); err != nil {
			t.Fatal(err)
		}
		if err := <-served; err == nil {
			t.Errorf("Serve after %s = nil, want an error", what)
		}
		_ = conn.Close()
	}
}

func TestDescriptorsOfTheServerAreDropped(t *testing.T) {
	conn, served := helper(t, &scripted{list: func() ([]sandbox.Listed, error) { return nil, nil }})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := send(conn, request{Number: 1, Verb: verbList}, w); err != nil {
		t.Fatal(err)
	}
	w.Close()
	// The helper holds no writing end, so the pipe is at its end.
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("Read of the pipe = %v, want io.EOF", err)
	}
	r.Close()
	_ = conn.Close()
	if err := <-served; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}

func TestCancelledCreateWaitsForWhatBecameOfIt(t *testing.T) {
	begun := make(chan struct{})
	var undone atomic.Bool
	e := parted(t, &scripted{create: func(ctx context.Context, _ sandbox.Spec) error {
		close(begun)
		<-ctx.Done()
		undone.Store(true)
		return fmt.Errorf("create: %w", ctx.Err())
	}})
	if _, err := e.Image(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if err := e.Create(ctx, spec()); !errors.Is(err, context.Canceled) || !undone.Load() {
		t.Errorf("Create = %v, undone %t; want context.Canceled after it was undone", err, undone.Load())
	}
}

func TestDeadlineReachesTheEngine(t *testing.T) {
	e := parted(t, &scripted{create: func(ctx context.Context, _ sandbox.Spec) error {
		<-ctx.Done()
		return fmt.Errorf("%w: %w", sandbox.ErrUnavailable, ctx.Err())
	}})
	if _, err := e.Image(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := e.Create(ctx, spec()); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, sandbox.ErrUnavailable) {
		t.Errorf("Create = %v, want DeadlineExceeded and ErrUnavailable", err)
	}
}

// Whoever waits, and whoever comes later, is told when the helper ends.
func TestHelpersEndIsTold(t *testing.T) {
	theirs, ours, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	far, err := Conn(theirs)
	if err != nil {
		t.Fatal(err)
	}
	near, err := Conn(ours)
	if err != nil {
		t.Fatal(err)
	}
	if err := send(far, greeting{Version: version, Instance: instance}, nil); err != nil {
		t.Fatal(err)
	}
	e, err := Connect(t.Context(), near, instance)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	waits := make(chan error, 1)
	go func() { _, err := e.List(t.Context()); waits <- err }()
	if _, _, err := receive(far, nil); err != nil { // it asks
		t.Fatal(err)
	}
	_ = far.Close()
	if err := <-waits; !errors.Is(err, sandbox.ErrUnavailable) || !strings.Contains(err.Error(), "they live on") {
		t.Errorf("List when the helper ended = %v, want ErrUnavailable and what is kept", err)
	}
	<-e.Ended()
	if _, err := e.List(t.Context()); !errors.Is(err, sandbox.ErrUnavailable) {
		t.Errorf("List after the helper's end = %v, want ErrUnavailable", err)
	}
}

func TestConnectSaysWhyThereIsNoEngine(t *testing.T) {
	for what, c := range map[string]struct {
		helper func(*net.UnixConn) error
		want   string
	}{
		"refused": {func(c *net.UnixConn) error {
			return Refuse(c, instance, fmt.Errorf("open engine: %w; start it", sandbox.ErrUnavailable))
		}, "open engine: engine does not answer; start it"},
		"gone":    {func(*net.UnixConn) error { return nil }, "ended at once"},
		"another": {func(c *net.UnixConn) error { return Refuse(c, "other", nil) }, "from one build"},
	} {
		theirs, ours, err := Pair()
		if err != nil {
			t.Fatal(err)
		}
		far, err := Conn(theirs)
		if err != nil {
			t.Fatal(err)
		}
		near, err := Conn(ours)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.helper(far); err != nil {
			t.Fatal(err)
		}
		_ = far.Close()
		if _, err := Connect(t.Context(), near, instance); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Connect, %s = %v, want %q", what, err, c.want)
		}
	}
}

// Both kinds of stream carry every byte, in both directions, up to the end.
func TestStreamsCarryEveryByte(t *testing.T) {
	for _, kind := range []string{"a socket", "no socket"} {
		t.Run(kind, func(t *testing.T) {
			far, guests, err := pair()
			if err != nil {
				t.Fatal(err)
			}
			guest, err := net.FileConn(guests)
			guests.Close()
			if err != nil {
				t.Fatal(err)
			}
			e := parted(t, &scripted{attach: func(string) (io.ReadWriteCloser, error) {
				if kind == "a socket" {
					return far, nil
				}
				return struct{ io.ReadWriteCloser }{far}, nil
			}})
			stream, err := e.Attach(t.Context(), someID)
			if err != nil {
				t.Fatal(err)
			}
			if _, direct := stream.(*net.UnixConn); direct != (kind == "a socket") {
				t.Errorf("Attach returned a %T", stream)
			}
			want := make([]byte, 3<<20)
			for i := range want {
				want[i] = byte(i * i >> 7)
			}
			var both sync.WaitGroup
			both.Go(func() {
				if _, err := stream.Write(want); err != nil {
					t.Error(err)
				}
			})
			both.Go(func() {
				got := make([]byte, len(want))
				if _, err := io.ReadFull(guest, got); err != nil || !slices.Equal(got, want) {
					t.Errorf("the guest read other bytes, %v", err)
				}
			})
			both.Wait()
			both.Go(func() {
				_, _ = stream.Write([]byte("the guest does not read this"))
				if _, err := guest.Write(want); err != nil {
					t.Error(err)
				}
				guest.Close() // with bytes unread, at which the kernel resets
			})
			got, err := io.ReadAll(stream)
			both.Wait()
			if kind == "a socket" && errors.Is(err, unix.ECONNRESET) {
				err = nil // it is the kernel's own
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("the server read %d bytes, %v; want %d and io.EOF", len(got), err, len(want))
			}
			_ = stream.Close()
		})
	}
}

func TestClosingTheStreamClosesTheEngines(t *testing.T) {
	far, guests, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	defer guests.Close()
	e := parted(t, &scripted{attach: func(string) (io.ReadWriteCloser, error) { return struct{ io.ReadWriteCloser }{far}, nil }})
	stream, err := e.Attach(t.Context(), someID)
	if err != nil {
		t.Fatal(err)
	}
	_ = stream.Close()
	if _, err := guests.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the guest read %v, want io.EOF", err)
	}
}

func FuzzRequest(f *testing.F) {
	limits, s := sandbox.DefaultLimits(), spec()
	for _, r := range []request{
		{Number: 1, Verb: verbCreate, Spec: &s, Timeout: time.Second},
		{Number: 2, Verb: verbAttach, ID: someID},
		{Number: 3, Verb: verbUpdate, ID: someID, Limits: &limits},
		{Number: 4, Verb: verbList}, {Number: 5, Verb: verbRemove, ID: someID}, {Number: 6, Verb: verbImage}, {Number: 6, Verb: verbGiveUp},
	} {
		packet, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packet)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		r, err := decodeRequest(packet)
		if err != nil {
			return
		}
		// What is taken for a request can be said again, and means the same.
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		back, err := decodeRequest(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if once, _ := json.Marshal(back); string(once) != string(again) {
			t.Errorf("%s came back as %s", again, once)
		}
	})
}
