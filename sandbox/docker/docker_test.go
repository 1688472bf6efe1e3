package docker_test

import (
	"testing"

	"go.uber.org/goleak"

	"sysnerd/images"
	"sysnerd/sandbox"
	"sysnerd/sandbox/docker"
	"sysnerd/sandbox/enginetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
	e, err := docker.Open(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = e.Close() })
	return e
}

// TestEngine runs the suite with terminals that are handed over, and relayed.
func TestEngine(t *testing.T) {
	for name, relayed := range map[string]bool{"handed over": false, "relayed": true} {
		t.Run(name, func(t *testing.T) {
			enginetest.Run(t, enginetest.Config{
				Open: func(tb testing.TB, instance string) sandbox.Engine {
					return openWith(tb, docker.Config{Instance: instance, Relayed: relayed})
				},
				Image:  imageTag(t),
				Exempt: exempt(relayed),
			})
		})
	}
}

func exempt(relayed bool) map[string]string {
	if relayed {
		return map[string]string{"handover": "terminals are relayed through the engine's attached stdio"}
	}
	return nil
}
