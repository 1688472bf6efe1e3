package docker_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"sysnerd/images"
	"sysnerd/sandbox"
	"sysnerd/sandbox/docker"
	"sysnerd/sandbox/enginetest"
)

func TestMain(m *testing.M) {
	enginetest.PlayServer(func(instance, way string) (sandbox.Engine, error) {
		return docker.Open(context.Background(), docker.Config{Instance: instance, Relayed: way == relayed, Log: slog.New(slog.DiscardHandler)})
	})
	goleak.VerifyTestMain(m)
}

// The two ways of a terminal's bytes.
const (
	handedOver = "handed over"
	relayed    = "relayed"
)

// imageTag is what `make image` built last. Without it nothing here can be tested,
// and that is a failure, not a reason to skip.
func imageTag(tb testing.TB) string {
	tb.Helper()
	tag, err := images.Tag()
	if err != nil {
		tb.Fatalf("%v; build guest and image with: make image", err)
	}
	return tag
}

func open(tb testing.TB, instance string) *docker.Engine {
	tb.Helper()
	return openWith(tb, docker.Config{Instance: instance})
}

func openWith(tb testing.TB, cfg docker.Config) *docker.Engine {
	tb.Helper()
	e, err := docker.Open(context.Background(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = e.Close() })
	return e
}

// TestEngine runs the suite with terminals that are handed over, and relayed.
func TestEngine(t *testing.T) {
	for way, exempt := range map[string]map[string]string{
		handedOver: nil,
		relayed:    {"handover": "terminals are relayed through the engine's attached stdio"},
	} {
		t.Run(way, func(t *testing.T) {
			enginetest.Run(t, enginetest.Config{
				Open: func(tb testing.TB, instance string) sandbox.Engine {
					return openWith(tb, docker.Config{Instance: instance, Relayed: way == relayed})
				},
				Image:  imageTag(t),
				Exempt: exempt,
			})
		})
	}
}

// TestNothingIsLostWhenServersAreKilled kills them under a shell that prints.
func TestNothingIsLostWhenServersAreKilled(t *testing.T) {
	for _, way := range []string{handedOver, relayed} {
		t.Run(way, func(t *testing.T) {
			instance := "kills" + strings.ToLower(rand.Text()[:8])
			enginetest.Kills(t, instance, way, imageTag(t), func() enginetest.Closer {
				return openWith(t, docker.Config{Instance: instance, Relayed: way == relayed})
			})
		})
	}
}
