package docker

import (
	"sysnerd/sandbox"
	"sysnerd/sandbox/gvisor"
)

// Gaps are what sandboxes do without under a runtime by the engine's name for it, as
// [Config] has it.
func Gaps(runtime string) []sandbox.Gap {
	if runtime != gvisor.Runtime {
		return nil
	}
	return gvisor.Gaps
}
