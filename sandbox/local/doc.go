// Package local runs sandboxes without a daemon, by runc driven directly: in goes
// a [sandbox.Spec], out comes a connection to the guest.
//
// Open (local.go) takes the instance's folder, finds runc and the cgroups, and
// sweeps. create.go makes a sandbox's folder (folder.go), has describe.go turn Spec
// and profile into an OCI bundle, and runs it with a listening socket that the guest
// inherits; attach.go dials that socket. Under gVisor (gvisor.go) runsc takes runc's place
// and two FIFOs that of the socket (pipes.go). update.go changes limits, list.go reads the
// folders, remove.go ends and removes, sweep.go finds what a crash has left.
//
//	DIR/<instance>/lock              held while an Engine is open
//	DIR/<instance>/<id>/sandbox.json what it is; written first
//	                    config.json  the bundle, in OCI's format
//	                    link.sock    the guest listens here
//	                    in, out      or, under gVisor, these are its standard input and output
//	                    pid          PID 1, when it started and in which boot; written last
//	                    stderr       what runc and the guest complain of
//	/run/sysnerd/runc/<instance>     runc's own state
//	<cgroup>/sysnerd/<instance>/<id> in each hierarchy
//	IMAGES/sha256-<digest>/          root file systems, see [Config]
//
// An ordinary user runs it too, in user namespaces (rootless.go), with the cgroups that
// he was given (delegated.go) and without what gaps.go names. His places are others, see
// [Config].
//
// A sandbox is ours when it lies below the instance's name in these four places;
// nothing else is ever touched. It needs nothing of this process once it runs: the
// next Engine on the same folder dials the same socket. No mount of the host is
// made, so none can be left.
//
// # Concurrency
//
//		Engine.tend   from Open until Close: sweeps
//
//	 1. Every method of Engine may be called by any number of goroutines.
//	 2. Create, Update, Remove and the sweep of one sandbox take turns; those of
//	    different ones do not, but for at most two starts at a time.
//	 3. Attach and List wait for nobody.
//	 4. No other goroutine outlives a call; a connection has none of its own.
package local
