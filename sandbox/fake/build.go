package fake

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// New returns an engine with a freshly built guest, closed when the test ends.
func New(tb testing.TB, instance string) *Engine {
	tb.Helper()
	e, err := Open(Config{Instance: instance, Guest: BuildGuest(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = e.Close() })
	return e
}

// BuildGuest builds the guest for a test and returns the path of its binary.
func BuildGuest(tb testing.TB) string {
	tb.Helper()
	guest := filepath.Join(tb.TempDir(), "guest")
	build := exec.Command("go", "build", "-o", guest, "sysnerd/cmd/guest")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("go build sysnerd/cmd/guest: %v\n%s", err, out)
	}
	return guest
}
