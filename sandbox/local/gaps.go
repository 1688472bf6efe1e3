package local

import (
	"slices"

	"sysnerd/sandbox"
	"sysnerd/sandbox/gvisor"
)

// Gaps are what this engine's sandboxes do without: nothing where root runs it with runc.
func (e *Engine) Gaps() []sandbox.Gap {
	switch {
	case e.underGVisor():
		return gvisor.Gaps
	case e.ids == nil:
		return nil
	}
	gaps := []sandbox.Gap{
		{Name: "accounting", Why: "the kernel has no acct(2) in a user namespace: checks fall back to weaker evidence"},
		{Name: "oom-victim", Why: "without that record the victim of a kill has no name"},
		{Name: "oom-twenty", Why: "without that record the victim of a kill has no name"},
		{Name: "budgets-apart", Why: "the kernel counts inotify instances of all sandboxes of a user as his, too"},
	}
	for _, c := range controllers {
		if !slices.Contains(e.cgroups.holds, c) {
			gaps = append(gaps, withoutCgroup[c]...)
		}
	}
	return gaps
}

// withoutCgroup is what is lost without each controller.
var withoutCgroup = map[string][]sandbox.Gap{
	"memory": {
		{Name: "limit-memory", Why: noMemory},
		{Name: "limit-memory-live-seen-inside", Why: noMemory},
		{Name: "limit-below-use", Why: noMemory},
		{Name: "oom-child", Why: noMemory},
		{Name: "oom-count", Why: noMemory},
	},
	"pids": {{Name: "limit-pids", Why: "no cgroup holds their number; that of the learner's processes is held by a resource limit"}},
	"cpu":  {{Name: "limit-cpu", Why: "no cgroup holds CPU time to a limit"}},
}

const noMemory = "no cgroup holds memory to a limit: a program takes what the machine has"
