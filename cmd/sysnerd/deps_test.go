package main

import (
	"os/exec"
	"strings"
	"testing"
)

// Advisories against Docker's daemon do not apply, since none of it is in our
// programs: SECURITY.md says so.
func TestNothingOfDockersDaemonIsLinked(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "sysnerd/cmd/...").Output()
	if err != nil {
		t.Fatalf("go list -deps sysnerd/cmd/...: %v", err)
	}
	const module = "github.com/docker/docker/"
	allowed := []string{"api", "client", "pkg/stdcopy"}
	seen := false
next:
	for _, pkg := range strings.Fields(string(out)) {
		below, ours := strings.CutPrefix(pkg, module)
		if !ours {
			continue
		}
		seen = true
		for _, a := range allowed {
			if below == a || strings.HasPrefix(below, a+"/") {
				continue next
			}
		}
		t.Errorf("%s is linked; only %v of that module may be", pkg, allowed)
	}
	if !seen {
		t.Error("no package of Docker's client is listed: the test looks at the wrong place")
	}
}
