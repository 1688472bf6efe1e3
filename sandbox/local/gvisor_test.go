//go:build gvisor

package local_test

import (
	"testing"

	"sysnerd/sandbox/enginetest"
	"sysnerd/sandbox/local"
)

// These are run by `make gvisor`, which puts runsc on PATH.

func TestEngineUnderGVisor(t *testing.T) {
	t.Setenv(testRuntime, local.Runsc)
	exempt := map[string]string{}
	for _, g := range open(t, newInstance(), t.TempDir()).Gaps() {
		exempt[g.Name] = g.Why
	}
	testEngine(t, false, exempt)
}

func TestKilledServerLeavesNothingUnderGVisor(t *testing.T) {
	t.Setenv(testRuntime, local.Runsc)
	TestKilledServerLeavesNothing(t)
}

func TestNothingIsLostWhenServersAreKilledUnderGVisor(t *testing.T) {
	t.Setenv(testRuntime, local.Runsc)
	dir, instance := t.TempDir(), newInstance()
	enginetest.Kills(t, instance, "relayed in "+dir, image(t), func() enginetest.Closer {
		return open(t, instance, dir)
	})
}
