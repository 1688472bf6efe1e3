package faulttest

import (
	"flag"
	"testing"
)

// runner runs the sandboxes of servers. The tests reach past a server to it, as root of
// the machine may.
type runner interface {
	// arguments are those of `sysnerd serve` that choose it.
	arguments() []string
	// all are the sandboxes of an instance, whole or not, running or not.
	all(instance string) (ids []string, err error)
	// end ends a sandbox's PID 1, as the kernel does when memory is short.
	end(instance, id string) error
	// remove removes a sandbox, as somebody does who does not ask the server.
	remove(instance, id string) error
	// leave makes what a crash in the middle of a start leaves of an instance, and what
	// is somebody else's and only looks like that.
	leave(t *testing.T, instance string) (ours, foreign []leftover)
	// clear removes all of an instance that no server has any more.
	clear(instance string) error
}

// alike is another instance, whose name begins like that of one of ours.
func alike(instance string) string { return instance + "x" }

// leftover is something that a sandbox consists of, without the rest of it.
type leftover struct {
	name   string
	there  func() bool
	remove func()
}

const always = true

// asked says whether all that can be shown on either engine is to be shown on both.
var asked = flag.Bool("everything", false, "show on the local engine, too, what does not depend on the engine")

// onEach runs a test on our Docker Engine, and on the local engine if it is so wished.
func onEach(t *testing.T, local bool, test func(t *testing.T, on runner)) {
	t.Run("docker", func(t *testing.T) { test(t, own) })
	if local {
		t.Run("local", func(t *testing.T) { test(t, daemonless{}) })
	}
}
