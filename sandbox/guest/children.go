package guest

import (
	"errors"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// children starts processes and is the only one that waits for any: as PID 1 the
// guest inherits every orphan, and os/exec would fight a reaper for its children.
type children struct {
	mu      sync.Mutex
	waiting map[int]chan<- syscall.WaitStatus
}

// start runs a program. Its status arrives once on the channel.
func (c *children) start(path string, argv []string, attr *syscall.ProcAttr) (int, <-chan syscall.WaitStatus, error) {
	done := make(chan syscall.WaitStatus, 1)
	// The lock keeps the reaper away until the child is known, however short its life.
	c.mu.Lock()
	defer c.mu.Unlock()
	pid, err := syscall.ForkExec(path, argv, attr)
	if err != nil {
		return 0, nil, err
	}
	c.waiting[pid] = done
	return pid, done, nil
}

// has says whether the process is a child that somebody waits for.
func (c *children) has(pid int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.waiting[pid]
	return ok
}

// reap collects every child that has ended, orphans too.
func (c *children) reap() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if done, ok := c.waiting[pid]; ok {
			delete(c.waiting, pid)
			done <- status
		}
	}
}

// shellStatus is a wait status as a shell shows it: 128 + signal for a signal.
func shellStatus(s syscall.WaitStatus) int {
	if s.Signaled() {
		return 128 + int(s.Signal())
	}
	return s.ExitStatus()
}

// retry calls f until it is not interrupted by a signal.
func retry(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
