// Package docker runs sandboxes as containers of a Docker Engine: in goes a
// [sandbox.Spec], out comes a link to the guest: a socket past the engine, or its
// attached stdio.
//
// Open (docker.go) finds the engine and agrees on an API version; create.go
// turns a Spec and its profile into a container; direct.go reaches the guest on this
// kernel, and attach.go everywhere, cutting the engine's multiplexed stream; update.go changes limits; list.go finds and removes. The
// oldest engine served is 20.10 (API 1.41), with cgroup v1 or v2.
//
// A container is ours when its name and its labels both say so; no other is
// ever touched. The archive API is not used at all: it has led out of
// containers more than once (CVE-2018-15664, CVE-2026-41567).
//
// Concurrency:
//  1. Every method of Engine may be called by any number of goroutines.
//  2. No goroutine outlives a call; an attached stream has none of its own.
//  3. Every call ends: a context without a deadline is given one.
//  4. One goroutine reads an attached stream and one writes it; any may close it.
package docker
