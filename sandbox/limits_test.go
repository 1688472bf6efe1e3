package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"sysnerd/sandbox"
	"sysnerd/sandbox/fake"
)

// limiter is an engine that notes how limits are changed, and may refuse.
type limiter struct {
	sandbox.Engine

	mu     sync.Mutex
	memory []int64
	least  int64 // what is in use
}

func (l *limiter) Update(ctx context.Context, id string, limits sandbox.Limits) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limits.Memory < l.least {
		return fmt.Errorf("update: %w", sandbox.ErrLimitBelowUse)
	}
	l.memory = append(l.memory, limits.Memory)
	return l.Engine.Update(ctx, id, limits)
}

func (l *limiter) set() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.memory
}

const mib = 1 << 20

// movable are limits whose memory may be moved.
func movable() sandbox.Limits {
	l := sandbox.DefaultLimits()
	l.MemoryLow, l.MemoryHigh = 224*mib, 512*mib
	return l
}

func TestMemoryMovesWithinItsRange(t *testing.T) {
	engine := &limiter{Engine: fake.New(t, "test")}
	k := open(t, engine, 4)
	s, _, err := k.Claim(t.Context(), sandbox.Claim{Owner: "ada", Lab: "m/l", Limits: movable()})
	if err != nil {
		t.Fatal(err)
	}
	events, cancel := s.Subscribe()
	defer cancel()
	for _, c := range []struct {
		memory int64
		want   error
	}{
		{512 * mib, nil}, {224 * mib, nil}, {300*mib + 100, nil},
		{224*mib - 1, sandbox.ErrLimitRange}, {512*mib + 4096, sandbox.ErrLimitRange}, {0, sandbox.ErrLimitRange}, {-1, sandbox.ErrLimitRange},
	} {
		if err := k.SetMemory(t.Context(), s.ID(), c.memory); !errors.Is(err, c.want) {
			t.Errorf("SetMemory(%d) = %v, want %v", c.memory, err, c.want)
		}
	}
	if got := fmt.Sprint(engine.set()); got != fmt.Sprint([]int64{512 * mib, 224 * mib, 300 * mib}) {
		t.Errorf("the engine was asked for %s", got)
	}
	for _, want := range []int64{512 * mib, 224 * mib, 300 * mib} {
		if e := <-events; e.Limits == nil || e.Limits.Memory != want {
			t.Errorf("event %+v, want the limit %d", e, want)
		}
	}
	fixed := claim(t, k, "bob")
	if err := k.SetMemory(t.Context(), fixed.ID(), 300*mib); !errors.Is(err, sandbox.ErrLimitFixed) {
		t.Errorf("where it is fixed, SetMemory = %v, want ErrLimitFixed", err)
	}
	if err := k.SetMemory(t.Context(), "nobodynobodynobo", 300*mib); !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("of nobody, SetMemory = %v, want ErrNotFound", err)
	}
}

func TestRefusedLimitChangesNothing(t *testing.T) {
	engine := &limiter{Engine: fake.New(t, "test"), least: 250 * mib}
	k := open(t, engine, 4)
	s, _, err := k.Claim(t.Context(), sandbox.Claim{Owner: "ada", Lab: "m/l", Limits: movable()})
	if err != nil {
		t.Fatal(err)
	}
	events, cancel := s.Subscribe()
	defer cancel()
	if err := k.SetMemory(t.Context(), s.ID(), 240*mib); !errors.Is(err, sandbox.ErrLimitBelowUse) {
		t.Errorf("SetMemory = %v, want ErrLimitBelowUse", err)
	}
	if got := s.Limits(); got != movable() || len(events) != 0 || len(engine.set()) != 0 {
		t.Errorf("after a refusal: limits %+v, %d events, engine set %v", got, len(events), engine.set())
	}
}

// Who raised a limit finds it raised after a restart, and as at the start after a reset.
func TestMovedLimitIsRememberedAndReset(t *testing.T) {
	engine := &limiter{Engine: fake.New(t, "test")}
	first := sandbox.NewKeeper(sandbox.KeeperConfig{Engine: engine, Instance: "test", Image: fake.Image, Capacity: 4, Lifetime: time.Hour})
	s, _, err := first.Claim(t.Context(), sandbox.Claim{Owner: "ada", Lab: "m/l", Limits: movable()})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.SetMemory(t.Context(), s.ID(), 384*mib); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	k := open(t, engine, 4)
	known := sandbox.Known{ID: s.ID(), Owner: "ada", Lab: "m/l", Expires: time.Now().Add(time.Hour), Limits: movable(), Memory: 384 * mib}
	if adopted, err := k.Recover(t.Context(), []sandbox.Known{known}); err != nil || len(adopted) != 1 {
		t.Fatalf("Recover = %v, %v", adopted, err)
	}
	again, err := k.Get(s.ID())
	if err != nil || again.Limits().Memory != 384*mib {
		t.Fatalf("after a restart: %+v, %v; want 384 MiB", again.Limits(), err)
	}
	events, cancel := again.Subscribe()
	defer cancel()
	if err := k.Reset(t.Context(), s.ID()); err != nil {
		t.Fatal(err)
	}
	if again.Limits() != movable() {
		t.Errorf("after a reset: %+v", again.Limits())
	}
	for {
		if e := <-events; e.Limits != nil {
			if e.Limits.Memory != 256*mib {
				t.Errorf("told of %d bytes, want 256 MiB", e.Limits.Memory)
			}
			break
		}
	}
}

// A sandbox that may grow is promised all that it may ever take.
func TestBudgetCountsWhatMayBeTaken(t *testing.T) {
	inBubble(t, sandbox.KeeperConfig{Budget: 1280 * mib, Pool: 4}, func(t *testing.T, k *sandbox.Keeper, m *memory) {
		k.Warm([]sandbox.Claim{{Lab: "m/l"}})
		time.Sleep(5 * time.Second)
		if n, _ := m.count(); n != 4 {
			t.Fatalf("%d warm sandboxes of 256 MiB beside a budget of 1280, want 4", n)
		}
		ask := func(owner string, l sandbox.Limits) (int, error) {
			_, _, err := k.Claim(context.Background(), sandbox.Claim{Owner: owner, Lab: "m/grows", Limits: l})
			var full *sandbox.FullError
			if errors.As(err, &full) {
				return full.Place, nil
			}
			return 0, err
		}
		for _, want := range []struct {
			owner string
			place int
		}{{"ada", 0}, {"bob", 0}, {"eve", 1}, {"dan", 2}, {"eve", 1}} {
			if place, err := ask(want.owner, movable()); err != nil || place != want.place {
				t.Errorf("%s's place is %d, %v; want %d", want.owner, place, err, want.place)
			}
		}
		// 256 MiB are free, and yet nobody passes who waits.
		if place, err := ask("zoe", sandbox.DefaultLimits()); err != nil || place != 3 {
			t.Errorf("zoe's place is %d, %v; want 3", place, err)
		}
		time.Sleep(5 * time.Second)
		if n, _ := m.count(); n > 3 {
			t.Errorf("%d containers: two that may take 512 MiB and one of 256 fit", n)
		}
		large := movable()
		large.MemoryHigh = 2048 * mib
		if _, err := ask("max", large); !errors.Is(err, sandbox.ErrTooLarge) {
			t.Errorf("a claim of 2 GiB = %v, want ErrTooLarge", err)
		}
	})
}

func TestRangeThatMakesNoSense(t *testing.T) {
	for name, spoil := range map[string]func(*sandbox.Limits){
		"only low":           func(l *sandbox.Limits) { l.MemoryHigh = 0 },
		"only high":          func(l *sandbox.Limits) { l.MemoryLow = 0 },
		"upside down":        func(l *sandbox.Limits) { l.MemoryLow, l.MemoryHigh = l.MemoryHigh, l.MemoryLow },
		"start outside":      func(l *sandbox.Limits) { l.Memory = 600 * mib },
		"more than a host":   func(l *sandbox.Limits) { l.MemoryHigh = 1 << 50 },
		"tmpfs over a third": func(l *sandbox.Limits) { l.MemoryLow = 128 * mib },
	} {
		l := movable()
		spoil(&l)
		if l.Check() == nil && l.CheckTmpfs() == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if l := movable(); l.Check() != nil || l.CheckTmpfs() != nil {
		t.Errorf("a good one was refused: %v, %v", l.Check(), l.CheckTmpfs())
	}
}
