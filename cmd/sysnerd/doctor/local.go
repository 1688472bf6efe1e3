package doctor

import (
	"golang.org/x/sys/unix"

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

// judgeLocal needs say nothing of limits that are missing: without them the engine
// does not open.
func judgeLocal(f localFacts) []Finding {
	found := []Finding{ok("engine", "local: %s, no daemon", f.Runc), judgeRunc(f.Version, f.Build), judgeKernel(f.Kernel)}
	found = append(found, ok("cgroup", "version %s", f.Cgroup))
	if f.SwapLimit || f.Swapless {
		found = append(found, ok("limits", "memory, swap and processes of a sandbox can be limited"))
	} else {
		found = append(found, warn("swap limit", "turn swap off (swapoff -a), or start the kernel with swapaccount=1", "the kernel cannot limit swap: a learner's memory may go on there"))
	}
	if !f.Seccomp {
		found = append(found, fail("seccomp", "build it with: make runc", "%s was built without the filter of system calls", f.Runc))
	}
	if f.AppArmor != "" {
		found = append(found, ok("apparmor", "profile %s", f.AppArmor))
	} else {
		found = append(found, ok("apparmor", "this kernel has none; seccomp, namespaces and capabilities hold sandboxes"))
	}
	if f.Free >= 0 {
		found = append(found, judgeSpace("images' disk", f.Images, f.Free, roomForImage))
	}
	return found
}
