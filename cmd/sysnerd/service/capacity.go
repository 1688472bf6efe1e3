package service

import (
	"fmt"

	"golang.org/x/sys/unix"

	"sysnerd/config"
	"sysnerd/labs"
	"sysnerd/sandbox"
)

// mostSandboxes leaves uids to rest before they are given out again.
const mostSandboxes = sandbox.Slots / 2

// Capacity is how many sandboxes fit, and why.
type Capacity struct {
	Sandboxes int
	Budget    int64 // bytes, for all together
	Each      int64 // bytes, of one
	Chosen    bool  // by the operator; then Sandboxes may exceed what Budget holds
}

// Overcommit is how often the memory promised to sandboxes is there, as promised / there.
func (c Capacity) Overcommit() float64 {
	return float64(c.Sandboxes) * float64(c.Each) / float64(c.Budget)
}

// promise is the memory that all sandboxes may ever take together: no more than
// there is, unless the operator chose how many they are. 0 means that it does not count.
func (c Capacity) promise() int64 {
	if c.Chosen {
		return 0
	}
	return max(c.Budget, c.Each) // one always fits
}

// FindCapacity holds what the operator chose against the memory of this machine.
// By itself it promises no byte twice.
func FindCapacity(cfg config.Sandbox) (Capacity, error) {
	c := Capacity{Sandboxes: cfg.Capacity, Budget: cfg.Budget, Each: sandbox.DefaultLimits().Memory, Chosen: cfg.Capacity > 0}
	if c.Budget == 0 {
		var info unix.Sysinfo_t
		if err := unix.Sysinfo(&info); err != nil {
			return c, fmt.Errorf("ask the kernel how much memory there is: %w; say it by sandbox.budget", err)
		}
		c.Budget = int64(uint64(info.Totalram)*uint64(info.Unit)) / 4 * 3
	}
	if !c.Chosen {
		c.Sandboxes = int(min(max(c.Budget/c.Each, 1), mostSandboxes))
	}
	return c, nil
}

// firstLabs are in demand before anybody came: where each module begins.
func firstLabs(library *labs.Library) (first []*labs.Lab) {
	for _, m := range library.Modules {
		if len(m.Labs) > 0 {
			first = append(first, m.Labs[0])
		}
	}
	return first
}
