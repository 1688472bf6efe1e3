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

var gvisorGaps = []Gap{}
