package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/client"
	"github.com/docker/go-units"
	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
	"sysnerd/sandbox/docker"
)

// askTime bounds all that the engine is asked.
const askTime = 20 * time.Second

// engineFacts is what a Docker Engine says of itself and its machine.
type engineFacts struct {
	Host                             string // where it listens
	Version, API                     string
	Runtime                          string // name of the default one
	Chosen                           string // by the setting runtime; "" means the default one
	Runtimes                         []string
	Runc, RuncBuild                  string // version, and the distribution's build of it; "" when not runc
	Kernel                           string
	Cgroup                           string // "1" or "2"
	MemoryLimit, SwapLimit, PidLimit bool
	Driver, Root                     string
	RootFree                         int64 // bytes; -1 when the engine is on another machine
	Swapless                         bool  // the machine has no swap to be limited
	LiveRestore                      bool
	Security                         []string // "name=seccomp,profile=default"
}

func askEngine(ctx context.Context, runtime string) (engineFacts, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	engine, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return engineFacts{}, err
	}
	defer engine.Close()
	info, err := engine.Info(ctx)
	if err != nil {
		return engineFacts{}, err
	}
	version, err := engine.ServerVersion(ctx)
	if err != nil {
		return engineFacts{}, err
	}

	f := engineFacts{
		Host: engine.DaemonHost(), Version: version.Version, API: version.APIVersion,
		Runtime: info.DefaultRuntime, Chosen: runtime, Runtimes: slices.Sorted(maps.Keys(info.Runtimes)), Kernel: info.KernelVersion, Cgroup: info.CgroupVersion,
		MemoryLimit: info.MemoryLimit, SwapLimit: info.SwapLimit, PidLimit: info.PidsLimit,
		Driver: info.Driver, Root: info.DockerRootDir, RootFree: -1,
		LiveRestore: info.LiveRestoreEnabled, Security: info.SecurityOptions,
	}
	for _, c := range version.Components {
		if c.Name == "runc" {
			f.Runc, f.RuncBuild = c.Version, c.Details["GitCommit"]
		}
	}
	if strings.HasPrefix(f.Host, "unix://") {
		if free, err := freeSpace(f.Root); err == nil {
			f.RootFree = free
		}
		var memory unix.Sysinfo_t
		f.Swapless = unix.Sysinfo(&memory) == nil && memory.Totalswap == 0
	}
	return f, nil
}

// roomForImage is what the image and its making take at most, in bytes.
const roomForImage = 3 << 30

func judgeEngine(f engineFacts) []Finding {
	found := []Finding{ok("engine", "Docker Engine %s, API %s, at %s", f.Version, f.API, f.Host)}
	if f.Chosen == "" || f.Chosen == f.Runtime {
		found = append(found, judgeRunc(f.Runc, f.RuncBuild))
	} else {
		found = append(found, judgeRuntime(f.Chosen, f.Runtimes)...)
	}
	found = append(found, judgeKernel(f.Kernel))

	found = append(found, ok("cgroup", "version %s", f.Cgroup))
	if !f.MemoryLimit {
		found = append(found, fail("memory limit", "start the kernel with cgroup_enable=memory", "the engine cannot limit memory: one learner could take all of it"))
	}
	if !f.PidLimit {
		found = append(found, fail("process limit", "use a kernel with the pids cgroup (CONFIG_CGROUP_PIDS)", "the engine cannot limit processes: a fork bomb would take the machine"))
	}
	swapHeld := f.SwapLimit || f.Swapless
	if !swapHeld {
		found = append(found, warn("swap limit", "turn swap off (swapoff -a), or start the kernel with swapaccount=1", "the engine cannot limit swap: a learner's memory may go on there"))
	}
	if f.MemoryLimit && f.PidLimit && swapHeld {
		found = append(found, ok("limits", "memory, swap and processes of a sandbox can be limited"))
	}
	if !slices.ContainsFunc(f.Security, func(s string) bool { return strings.HasPrefix(s, "name=seccomp") }) {
		found = append(found, fail("seccomp", "use a kernel with CONFIG_SECCOMP_FILTER and an engine built with seccomp", "the engine cannot filter system calls"))
	}
	if f.Driver == "vfs" {
		found = append(found, warn("storage", "use overlay2, on a file system that has it", "storage driver vfs copies the whole image for every sandbox"))
	} else {
		found = append(found, ok("storage", "%s in %s", f.Driver, f.Root))
	}
	if f.RootFree >= 0 {
		found = append(found, judgeSpace("engine's disk", f.Root, f.RootFree, roomForImage))
	}
	if f.LiveRestore {
		found = append(found, ok("live-restore", "on: sandboxes outlive a restart of the engine"))
	} else {
		found = append(found, warn("live-restore", `set {"live-restore": true} in /etc/docker/daemon.json, then systemctl reload docker`, "off: a restart of the engine ends every sandbox"))
	}
	return found
}

// judgeRuntime looks at a runtime that the operator has chosen.
func judgeRuntime(chosen string, known []string) []Finding {
	if !slices.Contains(known, chosen) {
		return []Finding{fail("runtime", "install it and tell the engine of it (OPERATING.md), or leave the setting runtime empty",
			"the engine knows no %s, only %s", chosen, strings.Join(known, ", "))}
	}
	return append([]Finding{ok("runtime", "%s, as chosen", chosen)}, judgeGaps(chosen, docker.Gaps(chosen))...)
}

// judgeGaps names what sandboxes do without under a runtime.
func judgeGaps(runtime string, gaps []sandbox.Gap) []Finding {
	if len(gaps) == 0 {
		return nil
	}
	var names []string
	for _, g := range gaps {
		names = append(names, g.Name)
	}
	return []Finding{warn("gaps", "leave the setting runtime empty for a course that needs them; OPERATING.md says what they are",
		"under %s sandboxes do without %s", runtime, strings.Join(names, ", "))}
}

func judgeSpace(subject, path string, free, need int64) Finding {
	text := fmt.Sprintf("%s free in %s", units.BytesSize(float64(free)), path)
	switch {
	case free < need/20:
		return fail(subject, "free some space there", "%s", text)
	case free < need:
		return warn(subject, "have "+units.BytesSize(float64(need))+" free there", "%s", text)
	}
	return ok(subject, "%s", text)
}

// freeSpace is what is free below path for others than root, in bytes.
func freeSpace(path string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * s.Bsize, nil
}
