package main

import (
	"os/exec"
	"slices"
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

// What stays root must be small, and speak with nobody but its server.
func TestHelperIsSmall(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "sysnerd/cmd/sysnerd-engine").Output()
	if err != nil {
		t.Fatalf("go list -deps sysnerd/cmd/sysnerd-engine: %v", err)
	}
	allowed := []string{
		"sysnerd/cmd/sysnerd-engine", "sysnerd/images/folders", "sysnerd/sandbox",
		"github.com/containerd/go-runc", "github.com/containerd/console", "github.com/opencontainers/runtime-spec",
		"github.com/moby/profiles/seccomp", "golang.org/x/sys", "vendor/golang.org",
	}
	forbidden := []string{"net/http", "net/rpc", "net/smtp", "crypto/tls", "html/template", "database/sql", "sysnerd/sandbox/docker", "sysnerd/sandbox/guest", "plugin"}
	all := strings.Fields(string(out))
	for _, pkg := range all {
		if strings.Contains(strings.Split(pkg, "/")[0], ".") || strings.HasPrefix(pkg, "sysnerd/") {
			if !slices.ContainsFunc(allowed, func(a string) bool { return pkg == a || strings.HasPrefix(pkg, a+"/") }) {
				t.Errorf("%s is linked into the helper; only %v may be", pkg, allowed)
			}
		}
		if slices.Contains(forbidden, pkg) {
			t.Errorf("%s is linked into the helper", pkg)
		}
	}
	if len(all) < 50 || len(all) > 160 {
		t.Errorf("the helper has %d packages, want about 140: look at what came in", len(all))
	}
}
