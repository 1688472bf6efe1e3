package local

import "slices"

// Gap is something that sandboxes do not owe where an ordinary user runs them. Its name
// is that of the test in package enginetest, which fails there.
type Gap struct{ Name, Why string }

// Gaps are those of this engine: none where root runs it.
func (e *Engine) Gaps() []Gap {
	if e.ids == nil {
		return nil
	}
	gaps := []Gap{
		{"accounting", "the kernel has no acct(2) in a user namespace: checks fall back to weaker evidence"},
		{"oom-victim", "without that record the victim of a kill has no name"},
		{"oom-twenty", "without that record the victim of a kill has no name"},
		{"budgets-apart", "the kernel counts inotify instances of all sandboxes of a user as his, too"},
	}
	for _, c := range controllers {
		if !slices.Contains(e.cgroups.holds, c) {
			gaps = append(gaps, withoutCgroup[c]...)
		}
	}
	return gaps
}

// withoutCgroup is what is lost without each controller.
var withoutCgroup = map[string][]Gap{
	"memory": {
		{"limit-memory", noMemory},
		{"limit-memory-live-seen-inside", noMemory},
		{"limit-below-use", noMemory},
		{"oom-child", noMemory},
		{"oom-count", noMemory},
	},
	"pids": {{"limit-pids", "no cgroup holds their number; that of the learner's processes is held by a resource limit"}},
	"cpu":  {{"limit-cpu", "no cgroup holds CPU time to a limit"}},
}

const noMemory = "no cgroup holds memory to a limit: a program takes what the machine has"
