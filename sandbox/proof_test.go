package sandbox_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"sysnerd/sandbox"
	"sysnerd/sandbox/fake"
)

// counting counts the sandboxes that an engine made, and fails on demand.
type counting struct {
	sandbox.Engine
	made atomic.Int32
	fail atomic.Bool
}

var errSick = errors.New("engine is sick")

func (c *counting) Create(ctx context.Context, s sandbox.Spec) error {
	if c.fail.Load() {
		return errSick
	}
	c.made.Add(1)
	return c.Engine.Create(ctx, s)
}

func TestProofStartsOneSandboxAndLasts(t *testing.T) {
	engine := &counting{Engine: fake.New(t, "test")}
	k := open(t, engine, 1)
	for range 3 {
		if err := k.Prove(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	left, err := engine.List(t.Context())
	if err != nil || len(left) != 0 || engine.made.Load() != 1 {
		t.Errorf("three proofs made %d sandboxes and left %d (%v), want 1 and 0", engine.made.Load(), len(left), err)
	}
	claim(t, k, "ada")
	if err := k.Prove(t.Context()); err != nil || engine.made.Load() != 2 {
		t.Errorf("Prove with all in use = %v after %d starts, want nil and no start of its own", err, engine.made.Load())
	}
}

func TestProofTellsOfASickEngine(t *testing.T) {
	engine := &counting{Engine: fake.New(t, "test")}
	engine.fail.Store(true)
	k := open(t, engine, 1)
	for range 2 {
		if err := k.Prove(t.Context()); !errors.Is(err, errSick) || !strings.Contains(err.Error(), "start sandbox") {
			t.Errorf("Prove = %v, want %v", err, errSick)
		}
	}
	// What proves that it is well again is a sandbox, whoever started it.
	engine.fail.Store(false)
	claim(t, k, "ada")
	if err := k.Prove(t.Context()); err != nil {
		t.Errorf("Prove after a claim was served = %v", err)
	}
}
