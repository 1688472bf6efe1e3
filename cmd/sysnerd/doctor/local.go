package doctor

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
	"sysnerd/sandbox/local"
)

// localFacts is what the local engine says of itself and its machine.
type localFacts struct {
	local.Facts
	Kernel   string
	Swapless bool  // the machine has no swap to be limited
	Free     int64 // bytes where images lie
}

func readLocal(f local.Facts) localFacts {
	found := localFacts{Facts: f, Free: -1}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		found.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	var memory unix.Sysinfo_t
	found.Swapless = unix.Sysinfo(&memory) == nil && memory.Totalswap == 0
	if free, err := freeSpace(f.Images); err == nil {
		found.Free = free
	}
	return found
}

// judgeLocal looks for limits that are missing where an ordinary user runs the engine;
// for root it does not open without them.
func judgeLocal(f localFacts) []Finding {
	found := []Finding{ok("engine", "local: %s, no daemon", f.Program)}
	if f.Runtime == local.Runc {
		found = append(found, judgeRunc(f.Version, f.Build))
	} else {
		found = append(found, ok("runtime", "%s %s, as chosen", f.Runtime, f.Version))
		found = append(found, judgeGaps(f.Runtime, f.Gaps)...)
	}
	found = append(found, judgeKernel(f.Kernel))
	found = append(found, ok("cgroup", "version %s", f.Cgroup))
	lost := func(name string) bool {
		return slices.ContainsFunc(f.Gaps, func(g sandbox.Gap) bool { return g.Name == name })
	}
	switch {
	case f.Rootless && (lost("limit-memory") || lost("limit-pids")):
		found = append(found, warn("limits", "start it by sudo, or have a cgroup given to you (OPERATING.md)",
			"you were given no cgroup that holds memory and processes: a program in a sandbox could take the machine"))
	case f.SwapLimit || f.Swapless:
		found = append(found, ok("limits", "memory, swap and processes of a sandbox can be limited"))
	default:
		found = append(found, warn("swap limit", "turn swap off (swapoff -a), or start the kernel with swapaccount=1", "the kernel cannot limit swap: a learner's memory may go on there"))
	}
	if f.Rootless {
		var gaps []string
		for _, g := range f.Gaps {
			gaps = append(gaps, g.Name)
		}
		found = append(found, warn("rootless", "start it by sudo, or use Docker, for a class; OPERATING.md says what the names are",
			"sandboxes of an ordinary user are for himself alone, and do without %s", strings.Join(gaps, ", ")))
	}
	if !f.Seccomp {
		found = append(found, fail("seccomp", "build it with: make runc", "%s was built without the filter of system calls", f.Program))
	}
	switch {
	case f.Runtime == local.Runsc:
		found = append(found, ok("apparmor", "not asked: a kernel of its own holds each sandbox, and seccomp that kernel"))
	case f.AppArmor != "":
		found = append(found, ok("apparmor", "profile %s", f.AppArmor))
	case f.Rootless:
		found = append(found, ok("apparmor", "only root could load a profile; seccomp, namespaces and a user namespace hold sandboxes"))
	default:
		found = append(found, ok("apparmor", "this kernel has none; seccomp, namespaces and capabilities hold sandboxes"))
	}
	if f.Free >= 0 {
		found = append(found, judgeSpace("images' disk", f.Images, f.Free, roomForImage))
	}
	return found
}
