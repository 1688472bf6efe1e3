package local

import (
	"strings"

	"sysnerd/sandbox/gvisor"
)

// The runtimes that the engine can drive: runsc takes runc's command line.
const (
	Runc  = "runc"
	Runsc = gvisor.Runtime
)

// runscArgs are what runsc is told beside that.
var runscArgs = []string{
	"--oci-seccomp",                 // else it passes over the profile's filter of system calls
	"--network=none",                // not even a device
	"--gofer-network-namespace=new", // else it pins one by a mount of the host
}

// underGVisor says whether sandboxes have a kernel of their own.
func (e *Engine) underGVisor() bool { return e.cfg.Runtime == Runsc }

// stateID is the sandbox of an entry in the runtime's folder: runc's is a folder of that
// name, runsc's are files as runsc-ID.sock and ID_sandbox:ID.state.
func stateID(entry string) string {
	id := strings.TrimPrefix(entry, Runsc+"-")
	if end := strings.IndexAny(id, "_."); end >= 0 {
		id = id[:end]
	}
	return id
}
