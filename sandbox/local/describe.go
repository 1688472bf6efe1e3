package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"sysnerd/sandbox"
)

// describe is the default profile in OCI's words.
func (e *Engine) describe(spec sandbox.Spec) (*specs.Spec, error) {
	p := spec.Profile()
	var capabilities []string
	for _, c := range p.Capabilities {
		capabilities = append(capabilities, "CAP_"+c)
	}
	var limits []specs.POSIXRlimit
	for _, u := range p.Ulimits {
		limits = append(limits, specs.POSIXRlimit{Type: "RLIMIT_" + strings.ToUpper(u.Name), Soft: uint64(u.Soft), Hard: uint64(u.Hard)})
	}
	score := oomScore()
	s := &specs.Spec{
		Version:  "1.0.2", // the oldest that says all of this: Debian 12's runc reads it too
		Hostname: p.Hostname,
		Root:     &specs.Root{Path: e.imageFolder(spec.Image), Readonly: true},
		Process: &specs.Process{
			Args: p.Command,
			Env:  append(p.Env, "HOME=/root"),
			Cwd:  "/",
			Capabilities: &specs.LinuxCapabilities{
				Bounding: capabilities, Effective: capabilities, Permitted: capabilities,
			},
			Rlimits:         limits,
			NoNewPrivileges: true,
			ApparmorProfile: e.apparmor,
			OOMScoreAdj:     &score,
		},
		Mounts: e.mounts(p.Tmpfs),
		Linux: &specs.Linux{
			CgroupsPath: e.cgroups.oci(spec.ID),
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace}, {Type: specs.NetworkNamespace}, {Type: specs.IPCNamespace},
				{Type: specs.UTSNamespace}, {Type: specs.MountNamespace}, {Type: specs.CgroupNamespace},
			},
			Resources:     e.resources(spec.Limits),
			MaskedPaths:   p.MaskedPaths,
			ReadonlyPaths: p.ReadonlyPaths,
		},
	}
	if e.ids != nil {
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		s.Linux.UIDMappings, s.Linux.GIDMappings = e.ids.uids, e.ids.gids
	}
	if !e.underGVisor() {
		s.Process.Env = append(s.Process.Env, "LISTEN_FDS=1")
	}
	var err error
	if s.Linux.Seccomp, err = seccomp.LoadProfile(p.Seccomp, s); err != nil {
		return nil, fmt.Errorf("convert the seccomp profile: %w", err)
	}
	return s, nil
}

// mounts are those that Docker makes, too, and then the profile's. A sandbox that has no
// cgroup of its own is shown none: it would be that of whoever runs the server.
func (e *Engine) mounts(tmpfs []sandbox.Tmpfs) []specs.Mount {
	all := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "noexec", "strictatime", "mode=755", "size=64k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
	}
	if len(e.cgroups.roots) > 0 {
		all = append(all, specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "noexec", "nodev", "ro"}})
	}
	for _, t := range tmpfs {
		all = append(all, specs.Mount{Destination: t.Path, Type: "tmpfs", Source: "tmpfs", Options: strings.Split(t.Options(), ",")})
	}
	return all
}

// resources are the limits in OCI's words, as far as a cgroup holds them; all devices are
// denied but those that every container has.
func (e *Engine) resources(l sandbox.Limits) *specs.LinuxResources {
	const period = 100_000 // microseconds
	var (
		memory = l.Memory
		pids   = int64(l.Processes)
		quota  = int64(l.CPUs * period)
		every  = uint64(period)
	)
	r := &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}}
	for _, c := range e.cgroups.holds {
		switch c {
		case "memory":
			r.Memory = &specs.LinuxMemory{Limit: &memory}
			if e.cgroups.limitsSwap() {
				r.Memory.Swap = &memory // the sum of both, so no swap
			}
		case "cpu":
			r.CPU = &specs.LinuxCPU{Quota: &quota, Period: &every}
		case "pids":
			r.Pids = &specs.LinuxPids{Limit: &pids}
		}
	}
	return r
}

// oomScore is 0, or this process's own where that is higher: to lower it would need
// CAP_SYS_RESOURCE, which root in a container may lack.
func oomScore() int {
	text, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return 0
	}
	own, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil {
		return 0
	}
	return max(0, own)
}

// bundle writes the sandbox's description where runc looks for it.
func (e *Engine) bundle(spec sandbox.Spec) error {
	s, err := e.describe(spec)
	if err != nil {
		return err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(e.folder(spec.ID), bundleName), text, 0o600)
}
