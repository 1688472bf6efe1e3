// Package fake runs sandboxes without a container engine, for tests and
// benchmarks of what lies above an engine: in goes a [sandbox.Spec] and the
// path of the real guest, out comes the guest's stdio.
//
// It isolates nothing that matters. The guest is the host's root, if only with
// the capabilities of the profile, without limits of memory, CPU or processes,
// on the host's network and without seccomp; every file of the host that is not
// secret can be read. What it does have are namespaces of its own for processes,
// mounts, IPC and host name: the guest is PID 1, so that its kill(-1) ends the
// sandbox and not the host; the host's root file system is read-only below it,
// and devices and cgroups are out of sight. Never give it to anyone but a test.
// It needs root.
//
// engine.go keeps the sandboxes, process.go starts one, stream.go lets its
// stdio be attached again and again, build.go builds the guest for a test.
//
// Concurrency: who starts what, and what ends it:
//
//	Engine.spawn, one per engine  starts processes; Close ends it
//	process.wait, one a sandbox   waits for PID 1; its end ends it
//	process.drain, one a sandbox  drops output while nobody is attached;
//	                              Attach and the end of PID 1 end it
//	exec.Cmd's copy of stderr     the end of PID 1 ends it
//
// Every method may be called by any number of goroutines.
package fake
