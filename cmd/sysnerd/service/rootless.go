package service

import (
	"os"
	"slices"
	"strings"

	"sysnerd/sandbox"
)

// Notice is what an operator has to read who runs sandboxes as an ordinary user: whom
// that is for, and what is lost. Nothing for every other engine.
func Notice(engine Engine) []string {
	e, ok := engine.(interface{ Gaps() []sandbox.Gap })
	if !ok || os.Geteuid() == 0 { // root's gaps are gVisor's
		return nil
	}
	return notice(e.Gaps())
}

func notice(gaps []sandbox.Gap) []string {
	lost := func(name string) bool {
		return slices.ContainsFunc(gaps, func(g sandbox.Gap) bool { return g.Name == name })
	}
	if len(gaps) == 0 {
		return nil
	}
	lines := []string{
		"ROOTLESS: for you alone, on your own machine. Not for a class.",
		"The pages and what runs the sandboxes are one process of yours: whoever breaks into the pages is you.",
	}
	var limits []string
	for _, l := range []struct{ gap, what string }{{"limit-memory", "memory"}, {"limit-cpu", "CPU time"}, {"limit-pids", "processes"}} {
		if lost(l.gap) {
			limits = append(limits, l.what)
		}
	}
	if len(limits) > 0 {
		lines = append(lines, "No limit of "+strings.Join(limits, ", ")+": a program in a sandbox takes what the machine has. OPERATING.md says how a cgroup is given to you.")
	}
	if lost("oom-child") {
		lines = append(lines, "The lab on running out of memory does not start.")
	}
	if lost("accounting") {
		lines = append(lines, "No record of processes by the kernel: checks fall back to weaker evidence.")
	}
	return append(lines, "All of it is there when root starts sysnerd (sudo), or a Docker Engine answers.")
}
