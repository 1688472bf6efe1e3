package docker

// Gap is something that sandboxes under an OCI runtime do not owe. Its name is that of
// the test in package enginetest, which fails there.
type Gap struct{ Name, Why string }

// Gaps are those of a runtime by the engine's name for it, as [Config] has it. They were
// found with the runsc that scripts/gvisor.sh names; see `make gvisor`.
func Gaps(runtime string) []Gap {
	if runtime != "runsc" {
		return nil
	}
	return gvisorGaps
}

var gvisorGaps = []Gap{
	{"accounting", "its kernel has no acct(2): checks fall back to weaker evidence"},
	{"handover", "its ptys are not the machine's, so terminals are relayed"},
	{"no-randomize", "its kernel has no personality(2) without random addresses"},
	{"no-network", "a device and a route are there, though they lead nowhere"},
	{"tmpfs", "it mounts without nodev, and its kernel makes no device nodes"},
	{"tmpfs-fills-and-ends", "nr_inodes is ignored; the memory limit holds"},
	{"oom-child", "out of memory ends the whole sandbox"},
	{"oom-count", "out of memory ends the whole sandbox"},
	{"oom-victim", "out of memory ends the whole sandbox"},
	{"oom-twenty", "out of memory ends the whole sandbox"},
	{"oom-apart", "out of memory ends the whole sandbox"},
	{"limit-memory-live-seen-inside", "runsc refuses the update that Docker makes"},
	{"limit-pids", "the machine's limit counts its own threads, and is not seen inside"},
	{"nproc", "its kernel counts no processes of a user"},
	{"check-under-fork-bomb", "a fork bomb ends the sandbox"},
	{"budgets-apart", "what is held for it ends the sandbox"},
	{"pid-1-is-out-of-reach", "its kernel lets everybody raise a priority, of his own processes"},
	{"escape-nice", "its kernel lets everybody raise a priority, and acts on none"},
	{"escape-cgroup", "what opens is a cgroup of its own kernel"},
	{"escape-sysrq", "what opens is a file of its own kernel"},
	{"escape-devices", "what opens are devices of its own kernel"},
}
