// Package gvisor says what sandboxes under gVisor do without, on whichever engine: its
// kernel, a program of an ordinary user, answers their system calls in place of the
// machine's.
package gvisor

import "sysnerd/sandbox"

// Runtime is the name of its OCI runtime.
const Runtime = "runsc"

// Gaps were found with the runsc that scripts/gvisor.sh names; see `make gvisor`.
var Gaps = []sandbox.Gap{
	{Name: "accounting", Why: "its kernel has no acct(2): checks fall back to weaker evidence"},
	{Name: "handover", Why: "its ptys are not the machine's, so terminals are relayed"},
	{Name: "no-randomize", Why: "its kernel has no personality(2) without random addresses"},
	{Name: "no-network", Why: "a device and a route are there, though they lead nowhere"},
	{Name: "tmpfs", Why: "it mounts without nodev, and its kernel makes no device nodes"},
	{Name: "tmpfs-fills-and-ends", Why: "nr_inodes is ignored; the memory limit holds"},
	{Name: "oom-child", Why: "out of memory ends the whole sandbox"},
	{Name: "oom-count", Why: "out of memory ends the whole sandbox"},
	{Name: "oom-victim", Why: "out of memory ends the whole sandbox"},
	{Name: "oom-twenty", Why: "out of memory ends the whole sandbox"},
	{Name: "oom-apart", Why: "out of memory ends the whole sandbox"},
	{Name: "limit-memory-live-seen-inside", Why: "runsc refuses the update that Docker makes"},
	{Name: "limit-pids", Why: "the machine's limit counts its own threads, and is not seen inside"},
	{Name: "nproc", Why: "its kernel counts no processes of a user"},
	{Name: "check-under-fork-bomb", Why: "a fork bomb ends the sandbox"},
	{Name: "budgets-apart", Why: "what is held for it ends the sandbox"},
	{Name: "pid-1-is-out-of-reach", Why: "its kernel lets everybody raise a priority, of his own processes"},
	{Name: "escape-nice", Why: "its kernel lets everybody raise a priority, and acts on none"},
	{Name: "escape-cgroup", Why: "what opens is a cgroup of its own kernel"},
	{Name: "escape-sysrq", Why: "what opens is a file of its own kernel"},
	{Name: "escape-devices", Why: "what opens are devices of its own kernel"},
}
