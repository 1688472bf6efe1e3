// Package faulttest breaks a running sysnerd from outside and looks at what its
// learners saw: the real program, on a Docker Engine of the suite's own and on the
// local engine, through the public API over loopback. README.md says which test shows
// which row, and on which engine.
//
// # The parts
//
//	runner    what runs the sandboxes, as root sees it past the server: one of two
//	engine    a second dockerd, which may be killed, with a data root of its own
//	local     the engine without a daemon: folders, cgroups, processes (daemonless)
//	server    a `sysnerd serve` process, killed and started anew on the same folder
//	relay     stands between two of them and cuts, freezes or slows the line
//	learner   a browser without a screen: cookie, API, events
//	terminal  comes back by offset when its socket breaks, and keeps the history
//	guard     a process that outlives the tests and takes everything away again
//
// # The history
//
// A terminal numbers each byte that it saw. Bytes may be missing only where the
// server said so, with their number; none may come twice. At the end a second
// terminal reads what the sandbox kept and must see the same bytes at the same
// offsets.
package faulttest
