package local

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"sysnerd/sandbox"
)

// Facts are what an operator may want to know of an open engine.
type Facts struct {
	Runtime   string // runc or runsc
	Program   string // its path
	Version   string // "1.5.3"
	Build     string // of a distribution, or ""
	Seccomp   bool   // it was built with the filter of system calls
	Cgroup    string // "1" or "2"
	SwapLimit bool
	AppArmor  string        // the profile; "" where the kernel has no AppArmor, or an ordinary user runs it
	Images    string        // folder
	Rootless  bool          // an ordinary user runs it
	Gaps      []sandbox.Gap // what sandboxes do without
}

// Facts asks runc for its version. Errors: [sandbox.ErrUnavailable].
func (e *Engine) Facts(ctx context.Context) (Facts, error) {
	f := Facts{Runtime: e.cfg.Runtime, Program: e.runc.Command, Cgroup: "1", SwapLimit: e.cgroups.limitsSwap(), AppArmor: e.apparmor, Images: e.cfg.Images, Rootless: e.ids != nil, Gaps: e.Gaps()}
	if e.cgroups.v2 {
		f.Cgroup = "2"
	}
	said, err := exec.CommandContext(ctx, e.runc.Command, "--version").Output()
	if err != nil {
		return Facts{}, fmt.Errorf("%w: ask %s for its version: %v", sandbox.ErrUnavailable, e.runc.Command, err)
	}
	f.Version, f.Build, f.Seccomp = parseVersion(string(said))
	f.Seccomp = f.Seccomp || e.underGVisor() // which has a filter of its own
	return f, nil
}

// parseVersion reads what `runc --version` prints, or runsc.
func parseVersion(said string) (version, build string, seccomp bool) {
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		for _, runtime := range []string{Runc, Runsc} {
			if v, ok := strings.CutPrefix(line, runtime+" version "); ok {
				version = v
			}
		}
		if b, ok := strings.CutPrefix(line, "commit: "); ok {
			build = b
		}
		if strings.HasPrefix(line, "libseccomp: ") {
			seccomp = true
		}
	}
	return version, build, seccomp
}
