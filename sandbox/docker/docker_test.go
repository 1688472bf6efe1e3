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
	e, err := docker.Open(tb.Context(), docker.Config{Instance: instance})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = e.Close() })
	return e
}

func TestEngine(t *testing.T) {
	enginetest.Run(t, enginetest.Config{
		Open:  func(tb testing.TB, instance string) sandbox.Engine { return open(tb, instance) },
		Image: imageTag(t),
	})
}
