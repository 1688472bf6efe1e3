// Package pidlink connects a server to the guest in a sandbox on the same kernel:
// in goes the process id of the sandbox's PID 1, out comes a unix socket between the
// two. Nothing is mounted, no path is opened, and the sandbox shows nothing of it.
//
// The guest makes a pair of sockets and keeps both ends (package inlet). The server takes
// a copy of one by pidfd_getfd(2), makes a pair of its own, and sends one end of that
// through it (dial.go). So every connection is a new one, which ends with either side,
// while the guest's own pair only ever carries descriptors.
//
// pidfd_getfd needs what ptrace(2) needs to attach: root, or CAP_SYS_PTRACE. The
// server gives away the end of a fresh socket and nothing else. What it takes from the guest
// it holds against what it wants, sends one byte to it without blocking, and closes it.
//
// # Concurrency
//
//  1. Dial may be called by any number of goroutines; it has none of its own.
//  2. A Process is used by one goroutine at a time.
package pidlink
