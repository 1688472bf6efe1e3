package sandbox_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sysnerd/sandbox"
	"sysnerd/sandbox/link"
)

// memory is an engine in memory whose guests say hello and run nothing, so that a
// test can turn the clock. What a guest really does is tested on the real ones.
type memory struct {
	mu      sync.Mutex
	boxes   map[string]sandbox.Spec
	conns   map[string][]net.Conn
	created int
	sick    map[string]bool // answers no run
	silent  bool            // answers no ping
	deaf    chan struct{}   // until it is closed, nothing is removed
	work    sync.WaitGroup
}

func newMemory() *memory {
	return &memory{boxes: map[string]sandbox.Spec{}, conns: map[string][]net.Conn{}, sick: map[string]bool{}}
}

func (m *memory) Create(_ context.Context, spec sandbox.Spec) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.boxes[spec.ID] = spec
	m.created++
	return nil
}

func (m *memory) Attach(_ context.Context, id string) (io.ReadWriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.boxes[id]; !ok {
		return nil, sandbox.ErrNotFound
	}
	ours, theirs := net.Pipe()
	m.conns[id] = append(m.conns[id], theirs)
	m.work.Go(func() { m.guest(id, theirs) })
	return ours, nil
}

func (m *memory) guest(id string, c net.Conn) {
	var d link.Decoder
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		_ = d.Feed(buf[:n], func(f link.Frame) error {
			m.mu.Lock()
			sick, silent := m.sick[id], m.silent
			m.mu.Unlock()
			var reply []byte
			switch f.Kind {
			case link.KindHello:
				var h link.Hello
				_ = f.JSON(&h)
				reply, _ = link.AppendJSON(nil, link.KindWelcome, 0, link.Welcome{Version: link.Version, Epoch: h.Epoch, Started: 1})
			case link.KindRun:
				if !sick {
					reply, _ = link.AppendJSON(nil, link.KindRunDone, f.Stream, link.RunDone{})
				}
			case link.KindPing:
				if !silent {
					reply, _ = link.Append(nil, link.Frame{Kind: link.KindPong, Stream: f.Stream})
				}
			}
			_, _ = c.Write(reply)
			return nil
		})
	}
}

func (m *memory) Update(context.Context, string, sandbox.Limits) error { return nil }

func (m *memory) List(context.Context) (all []sandbox.Listed, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, spec := range m.boxes {
		all = append(all, sandbox.Listed{ID: id, Lab: spec.Lab, UID: spec.UID, Expires: spec.Expires, Running: true})
	}
	return all, nil
}

func (m *memory) Remove(_ context.Context, id string) error {
	if m.deaf != nil {
		<-m.deaf
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.boxes, id)
	for _, c := range m.conns[id] {
		c.Close()
	}
	delete(m.conns, id)
	return nil
}

func (m *memory) count() (now, ever int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.boxes), m.created
}

// inBubble runs body with a Keeper on a clock that the test turns by sleeping.
func inBubble(t *testing.T, cfg sandbox.KeeperConfig, body func(t *testing.T, k *sandbox.Keeper, m *memory)) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		cfg.Engine, cfg.Instance = m, "test"
		if cfg.Capacity == 0 {
			cfg.Capacity = 100
		}
		if cfg.Lifetime == 0 {
			cfg.Lifetime = time.Hour
		}
		cfg.MaxLife = 4 * time.Hour
		k := sandbox.NewKeeper(cfg)
		body(t, k, m)
		if err := k.Close(t.Context()); err != nil {
			t.Error(err)
		}
		m.mu.Lock()
		for _, conns := range m.conns {
			for _, c := range conns {
				c.Close()
			}
		}
		m.mu.Unlock()
		m.work.Wait()
	})
}

func claimed(t *testing.T, k *sandbox.Keeper, owner, lab string) *sandbox.Sandbox {
	t.Helper()
	s, _, err := k.Claim(context.Background(), sandbox.Claim{Owner: owner, Lab: lab})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pass lets time go by, and the learner show up every minute.
func pass(d time.Duration, s *sandbox.Sandbox) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Minute) {
		s.Touch()
	}
	synctest.Wait()
}

func TestSandboxEndsWhenItsTimeIsUp(t *testing.T) {
	inBubble(t, sandbox.KeeperConfig{}, func(t *testing.T, k *sandbox.Keeper, m *memory) {
		s := claimed(t, k, "ada", "m/l")
		pass(59*time.Minute, s)
		if s.State() != sandbox.Live {
			t.Fatalf("after 59 min of 60: %s", s.State())
		}
		if _, err := k.Extend(context.Background(), s.ID(), 15*time.Minute); err != nil {
			t.Fatal(err)
		}
		pass(14*time.Minute, s)
		if s.State() != sandbox.Live {
			t.Fatalf("after 73 min of 75: %s", s.State())
		}
		pass(3*time.Minute, s)
		if n, _ := m.count(); s.State() != sandbox.Ended || n != 0 {
			t.Errorf("after 76 min of 75: %s, %d containers", s.State(), n)
		}
	})
}

func TestExtendStopsAtTheLongestLife(t *testing.T) {
	inBubble(t, sandbox.KeeperConfig{}, func(t *testing.T, k *sandbox.Keeper, m *memory) {
		s := claimed(t, k, "ada", "m/l")
		end, err := k.Extend(context.Background(), s.ID(), 10*time.Hour)
		if err != nil || time.Until(end) > 4*time.Hour {
			t.Errorf("Extend = %s from now, %v; want at most 4 h", time.Until(end), err)
		}
		if _, err := k.Extend(context.Background(), s.ID(), time.Minute); !errors.Is(err, sandbox.ErrMaxLife) {
			t.Errorf("once more: %v, want ErrMaxLife", err)
		}
	})
}

func TestIdleSandboxWarnsAndEnds(t *testing.T) {
	inBubble(t, sandbox.KeeperConfig{Idle: 10 * time.Minute}, func(t *testing.T, k *sandbox.Keeper, m *memory) {
		s := claimed(t, k, "ada", "m/l")
		events, cancel := s.Subscribe()
		defer cancel()
		pass(30*time.Minute, s)
		if s.State() != sandbox.Live {
			t.Fatalf("with its learner there: %s", s.State())
		}
		time.Sleep(8*time.Minute + 30*time.Second)
		synctest.Wait()
		warned := 0
		for len(events) > 0 {
			if e := <-events; e.Notice != nil && e.Notice.Code == "idle" {
				warned++
			}
		}
		if warned != 1 {
			t.Errorf("warned %d times, want once", warned)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s.State() != sandbox.Ended {
			t.Errorf("after 10 min without a sign: %s", s.State())
		}
	})
}

func TestPoolIsFullUsedAndRefilled(t *testing.T) {
	inBubble(t, sandbox.KeeperConfig{Pool: 3}, func(t *testing.T, k *sandbox.Keeper, m *memory) {
		k.Warm([]sandbox.Claim{{Lab: "m/l"}})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if s := k.Stats(); s.Warm != 3 || s.InUse != 0 {
			t.Fatalf("before anybody came: %+v", s)
		}
		uids := map[int]bool{}
		for _, owner := range []string{"ada", "bob", "eve"} {
			uids[claimed(t, k, owner, "m/l").UID()] = true
		}
		claimed(t, k, "zoe", "m/other")
		if s := k.Stats(); s.FromPool != 3 || s.Cold != 1 || len(uids) != 3 {
			t.Errorf("three claims of a warm lab and one of another: %+v, uids %v", s, uids)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if s := k.Stats(); s.Warm != 6 || s.InUse != 4 {
			t.Errorf("afterwards: %+v; want 3 warm of each lab", s)
		}
		time.Sleep(61 * time.Minute)
		synctest.Wait()
		if n, _ := m.count(); n != 3 {
			t.Errorf("%d containers an hour after the last claim, want the 3 of the lab that is always warm", n)
		}
	})
}

// Who claims a warm sandbox does not wait for its preparation, and never gets what
// another version of it made.
func TestWarmSandboxesArePrepared(t *testing.T) {
	inBubble(t, sandbox.KeeperConfig{Pool: 2}, func(t *testing.T, k *sandbox.Keeper, m *memory) {
		var (
			mu       sync.Mutex
			prepared = map[string]string{} // sandbox: version
			admitted = map[string]string{} // sandbox: owner
		)
		seen := func() (p, a map[string]string) {
			mu.Lock()
			defer mu.Unlock()
			return maps.Clone(prepared), maps.Clone(admitted)
		}
		of := func(owner, version string) sandbox.Claim {
			return sandbox.Claim{
				Owner: owner, Lab: "m/l", Version: version,
				Prepare: func(_ context.Context, s *sandbox.Sandbox) error {
					time.Sleep(time.Second)
					mu.Lock()
					defer mu.Unlock()
					prepared[s.ID()] = version
					return nil
				},
				Admit: func(_ context.Context, s *sandbox.Sandbox) error {
					mu.Lock()
					defer mu.Unlock()
					admitted[s.ID()] = owner
					return nil
				},
			}
		}
		k.Warm([]sandbox.Claim{of("", "1")})
		time.Sleep(10 * time.Second)
		if p, a := seen(); len(p) != 2 || len(a) != 0 {
			t.Fatalf("before anybody came: prepared %v, admitted %v", p, a)
		}
		claim := func(owner, version string) (*sandbox.Sandbox, time.Duration) {
			began := time.Now()
			s, _, err := k.Claim(t.Context(), of(owner, version))
			if err != nil {
				t.Fatal(err)
			}
			return s, time.Since(began)
		}
		ada, took := claim("ada", "1")
		if p, a := seen(); took >= time.Second || p[ada.ID()] != "1" || a[ada.ID()] != "ada" {
			t.Errorf("ada's after %s: prepared %v, admitted %v", took, p, a)
		}
		bob, _ := claim("bob", "2")
		if p, a := seen(); p[bob.ID()] != "2" || a[bob.ID()] != "bob" {
			t.Errorf("bob's: prepared %v, admitted %v", p, a)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n, _ := m.count(); n != 4 {
			t.Errorf("%d containers: two in use, two warm of the new version", n)
		}
		eve, took := claim("eve", "2")
		if _, a := seen(); took >= time.Second || a[eve.ID()] != "eve" {
			t.Errorf("eve's after %s: admitted %v", took, a)
		}
	})
}

func TestSickSandboxIsNeverHandedOut(t *testing.T) {
	inBubble(t, sandbox.KeeperConfig{Pool: 2}, func(t *testing.T, k *sandbox.Keeper, m *memory) {
		k.Warm([]sandbox.Claim{{Lab: "m/l"}})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		sick := map[string]bool{}
		m.mu.Lock()
		for id := range m.boxes {
			m.sick[id], sick[id] = true, true
		}
		m.mu.Unlock()
		s := claimed(t, k, "ada", "m/l")
		if sick[s.ID()] {
			t.Error("a sick sandbox was handed out")
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		for id := range sick {
			if _, ok := m.boxes[id]; ok {
				t.Errorf("sick sandbox %s is still there", id)
			}
		}
	})
}

func TestCloseDoesNotWaitForADeafEngine(t *testing.T) {
	inBubble(t, sandbox.KeeperConfig{Pool: 2}, func(t *testing.T, k *sandbox.Keeper, m *memory) {
		claim(t, k, "ada")
		time.Sleep(time.Minute)
		if now, _ := m.count(); now != 3 {
			t.Fatalf("%d sandboxes, want one and two warm ones", now)
		}
		m.deaf = make(chan struct{})
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := k.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 3*time.Second {
			t.Errorf("Close = %v after %v, want its deadline after 3 s", err, time.Since(begun))
		}
		close(m.deaf)
	})
}

func TestClaimsGoBeforeThePool(t *testing.T) {
	inBubble(t, sandbox.KeeperConfig{Capacity: 4, Pool: 4}, func(t *testing.T, k *sandbox.Keeper, m *memory) {
		k.Warm([]sandbox.Claim{{Lab: "m/l"}})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for _, owner := range []string{"ada", "bob", "eve", "dan"} {
			claimed(t, k, owner, "m/other")
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n, _ := m.count(); n != 4 {
			t.Errorf("%d containers with room for 4", n)
		}
		if s := k.Stats(); s.InUse != 4 || s.Warm != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestQueueIsFairAndForgetsWhoLeft(t *testing.T) {
	inBubble(t, sandbox.KeeperConfig{Capacity: 1}, func(t *testing.T, k *sandbox.Keeper, m *memory) {
		s := claimed(t, k, "ada", "m/l")
		ask := func(owner string) int {
			t.Helper()
			_, _, err := k.Claim(context.Background(), sandbox.Claim{Owner: owner, Lab: "m/l"})
			var full *sandbox.FullError
			if err != nil && !errors.As(err, &full) {
				t.Fatal(err)
			}
			if full == nil {
				return 0
			}
			return full.Place
		}
		if got := []int{ask("bob"), ask("eve"), ask("dan"), ask("eve"), ask("bob")}; got[0] != 1 || got[1] != 2 || got[2] != 3 || got[3] != 2 || got[4] != 1 {
			t.Errorf("places of bob, eve, dan, eve, bob: %v", got)
		}
		time.Sleep(30 * time.Second)
		ask("eve")
		ask("dan")
		time.Sleep(20 * time.Second) // bob has not asked for 50 s
		if err := k.Remove(context.Background(), s.ID()); err != nil {
			t.Fatal(err)
		}
		if got := ask("dan"); got != 1 {
			t.Errorf("dan's place is %d, want 1: eve is before him, bob has left", got)
		}
		if got := ask("eve"); got != 0 {
			t.Errorf("eve's place is %d, want in", got)
		}
	})
}

func TestSilentGuestIsNoticed(t *testing.T) {
	inBubble(t, sandbox.KeeperConfig{}, func(t *testing.T, k *sandbox.Keeper, m *memory) {
		s := claimed(t, k, "ada", "m/l")
		events, cancel := s.Subscribe()
		defer cancel()
		m.mu.Lock()
		m.silent = true
		m.mu.Unlock()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		told := 0
		for len(events) > 0 {
			if e := <-events; e.Notice != nil && e.Notice.Code == "silent" && e.Notice.Text != "" {
				told++
			}
		}
		if told != 1 {
			t.Errorf("told %d times, want once", told)
		}
	})
}
