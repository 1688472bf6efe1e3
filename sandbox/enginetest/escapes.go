package enginetest

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"sysnerd/sandbox"
)

// attempts is a program whose arguments name ways out of a sandbox: it tries
// each and prints its name and "open", or why not.
//
//go:embed testdata/escape.c
var attempts string

// probe is where it lies in a sandbox.
const probe = "/tmp/escape"

// escapes has a test for each way out: none may be open to the learner, and
// those of root not to a check either.
func escapes() []test {
	var all []test
	for _, e := range []struct {
		name  string
		needs string // seccomp: nothing else stands in the way on every kernel
		root  bool   // closed to root in the sandbox, too
	}{
		{"mount", "", true}, {"chroot", "", true}, {"pivot-root", "", true}, {"mknod", "", true},
		{"setns", "", true}, {"open-by-handle", "", true}, {"module", "", true}, {"reboot", "", true},
		{"settime", "", true}, {"raw-socket", "", true}, {"packet-socket", "", true}, {"syslog", "", true},
		{"kmsg", "", true}, {"sysrq", "", true}, {"sysctl", "", true}, {"devices", "", true}, {"cgroup", "", true},
		{"swap", "", true}, {"acct", "", false}, {"ptrace-1", "", false}, {"read-memory-1", "", false},
		{"setuid-root", "", false}, {"nice", "", false}, {"core-dump", "", false}, {"raise-limits", "", false},
		{"unshare-user", "seccomp", true}, {"clone-user", "seccomp", true}, {"clone3", "seccomp", true},
		{"bpf", "seccomp", true}, {"perf", "seccomp", true}, {"userfaultfd", "seccomp", true}, {"keyctl", "seccomp", true},
		{"io-uring", "seccomp", true}, {"aio", "seccomp", true}, {"vsock", "seccomp", true}, {"alg", "seccomp", true},
		{"netfilter", "seccomp", true}, {"read-implies-exec", "seccomp", true}, {"32-bit-calls", "seccomp", true},
	} {
		all = append(all, test{name: "escape-" + e.name, needs: e.needs, body: func(b *bench) error {
			got, err := b.escapesOf(true)
			if err != nil {
				return err
			}
			if got[e.name] == "" || got[e.name] == "open" {
				return fmt.Errorf("tried by the learner: %q, want it closed", got[e.name])
			}
			if !e.root {
				return nil
			}
			if got, err = b.escapesOf(false); err != nil {
				return err
			}
			if got[e.name] == "" || got[e.name] == "open" {
				return fmt.Errorf("tried by a check: %q, want it closed", got[e.name])
			}
			return nil
		}})
	}
	return all
}

// escapesOf tries everything once, in a sandbox of its own, and remembers.
func (b *bench) escapesOf(learner bool) (map[string]string, error) {
	if b.escaped == nil {
		b.escaped = map[bool]map[string]string{}
	}
	if got, ok := b.escaped[learner]; ok {
		return got, nil
	}
	box, err := b.start()
	if err != nil {
		return nil, err
	}
	got, err := b.escape(box, learner, "all")
	if err == nil {
		b.escaped[learner] = got
	}
	return got, err
}

// build compiles the attempts in a sandbox.
func (b *bench) build(box *sandbox.Sandbox) error {
	_, err := b.asLearner(box, "[ -x "+probe+" ] || gcc -w -x c - -o "+probe+" <<'end of program'\n"+attempts+"\nend of program\n")
	return err
}

// escape makes the named attempts in a sandbox.
func (b *bench) escape(box *sandbox.Sandbox, learner bool, names ...string) (map[string]string, error) {
	if err := b.build(box); err != nil {
		return nil, err
	}
	// Each by itself: an attempt may cost the process its life.
	if slices.Equal(names, []string{"all"}) {
		names = []string{"$(" + probe + ")"}
	}
	script := "for name in " + strings.Join(names, " ") + "; do " + probe + " $name || echo $name ended with $?; done"
	out, err := b.inside(box, sandbox.Run{Script: []byte(script), Learner: learner})
	return fields(out), err
}
