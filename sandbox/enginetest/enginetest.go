// Package enginetest is what every engine must pass: in goes a way to open one,
// out comes a subtest for each thing that a [sandbox.Engine] owes, from the five
// verbs to what a learner must not reach from inside.
//
// The tests talk to the real guest and look from inside, as a learner or as a
// check would; none asks the engine what it thinks it has set.
//
// What an engine can't give is exempt by the name of its test, with a reason.
// An exempt test is run all the same and must fail, so that an engine which
// learns the ability is noticed.
//
// Run is called once per engine, by one goroutine.
package enginetest

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"sysnerd/sandbox"
)

// Config says what is tested.
type Config struct {
	// Open opens the engine for an instance. It is called more than once; the
	// engines must see each other's sandboxes if those of one machine do.
	Open  func(tb testing.TB, instance string) sandbox.Engine
	Image string
	// Exempt names tests that this engine can't pass, each with the reason.
	Exempt map[string]string
}

// patience bounds each test. It is no measure: what passes takes a second or two.
const patience = time.Minute

// test is one thing owed. Its body returns what is wrong.
type test struct {
	name string
	body func(*bench) error
	// needs names another test: where that is exempt, this one says nothing
	// about the engine and is left out.
	needs string
}

// Run runs the whole suite.
func Run(t *testing.T, cfg Config) {
	all := slices.Concat(verbs, guests, terminals, profiles, limits, escapes())
	known := map[string]bool{}
	for _, c := range all {
		if known[c.name] {
			t.Fatalf("two tests are called %s", c.name)
		}
		known[c.name] = true
	}
	for name := range cfg.Exempt {
		if !known[name] {
			t.Errorf("%s is exempt, and there is no such test", name)
		}
	}
	s := &suite{cfg: cfg, t: t, instance: "test" + strings.ToLower(rand.Text()[:8])}
	s.engine = cfg.Open(t, s.instance)
	t.Cleanup(s.close)
	for _, c := range all {
		if _, out := cfg.Exempt[c.needs]; out {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			b := &bench{suite: s, t: t, ctx: ctx}
			defer b.close()
			err := c.body(b)
			switch reason, exempt := cfg.Exempt[c.name]; {
			case exempt && err == nil:
				t.Errorf("%s is exempt (%s), and yet it passes: take the exemption out", c.name, reason)
			case exempt:
				t.Logf("exempt (%s): %v", reason, err)
			case err != nil:
				t.Error(err)
			}
		})
	}
}

// suite is what all tests of one Run share.
type suite struct {
	cfg      Config
	t        *testing.T
	instance string
	engine   sandbox.Engine
	slots    int

	// The sandbox of those tests that only look, made when first asked for.
	looked  *bench
	box     *sandbox.Sandbox
	boxErr  error
	escaped map[bool]map[string]string // by whether the learner tried, what the attempts of testdata/escape.c came to
}

func (s *suite) close() {
	if s.looked != nil {
		s.looked.close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	left, err := s.engine.List(ctx)
	if err != nil || len(left) > 0 {
		s.t.Errorf("after all tests, List = %v, %v; want nothing", left, err)
	}
}

// bench is what one test works with.
type bench struct {
	*suite
	t    *testing.T
	ctx  context.Context
	undo []func()
}

func (b *bench) close() {
	for _, undo := range slices.Backward(b.undo) {
		undo()
	}
}

// spec returns a new default spec: an id and a uid that nobody else has.
func (b *bench) spec() sandbox.Spec {
	b.slots++
	return sandbox.Spec{
		ID:       strings.ToLower(rand.Text()[:16]),
		Instance: b.instance,
		Lab:      "processes/fork",
		Image:    b.cfg.Image,
		UID:      sandbox.FirstUID + sandbox.Slots - b.slots,
		Expires:  time.Now().Add(time.Hour).Truncate(time.Second),
		Limits:   sandbox.DefaultLimits(),
	}
}

// create makes a sandbox that is removed after the test.
func (b *bench) create(spec sandbox.Spec) error {
	b.undo = append(b.undo, func() { b.remove(spec.ID) })
	return b.engine.Create(b.ctx, spec)
}

func (b *bench) remove(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.engine.Remove(ctx, id); err != nil {
		b.t.Errorf("clean up: %v", err)
	}
}

// start makes a sandbox whose guest has been greeted.
func (b *bench) start() (*sandbox.Sandbox, error) {
	spec := b.spec()
	box, err := sandbox.Start(b.ctx, b.engine, spec, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	b.undo = append(b.undo, func() {
		box.Detach()
		b.remove(spec.ID)
	})
	return box, nil
}

// look returns the sandbox that tests share which change nothing in it.
func (b *bench) look() (*sandbox.Sandbox, error) {
	if b.looked == nil {
		b.looked = &bench{suite: b.suite, t: b.suite.t, ctx: context.WithoutCancel(b.ctx)}
		b.box, b.boxErr = b.looked.start()
	}
	return b.box, b.boxErr
}

// listed finds a sandbox in the engine's list.
func (b *bench) listed(id string) (sandbox.Listed, bool, error) {
	all, err := b.engine.List(b.ctx)
	i := slices.IndexFunc(all, func(l sandbox.Listed) bool { return l.ID == id })
	if i < 0 {
		return sandbox.Listed{}, false, err
	}
	return all[i], true, err
}
