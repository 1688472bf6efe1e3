package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is one that can't come to mean another: a pid is given out again, but
// not in the same moment of the same boot.
type process struct {
	pid   int
	start uint64 // clock ticks since boot, field 22 of proc_pid_stat(5)
	boot  string // boot_id, random(4)
}

func (p process) String() string { return fmt.Sprintf("%d %d %s\n", p.pid, p.start, p.boot) }

func readProcess(path string) (process, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return process{}, err
	}
	var p process
	if _, err := fmt.Sscanf(string(text), "%d %d %s", &p.pid, &p.start, &p.boot); err != nil || p.pid < 2 {
		return process{}, fmt.Errorf("%s holds %.60q: want pid, start and boot", path, text)
	}
	return p, nil
}

// startOf is when a process started; not ok when it has ended, as a zombie has.
func startOf(pid int) (start uint64, ok bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false
	}
	// The name, in brackets, may hold anything.
	end := bytes.LastIndexByte(stat, ')')
	f := strings.Fields(string(stat[end+1:]))
	if end < 0 || len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return 0, false
	}
	start, err = strconv.ParseUint(f[19], 10, 64)
	return start, err == nil
}

func (p process) alive() bool {
	start, ok := startOf(p.pid)
	return ok && start == p.start
}

// kill ends the process and returns when it has ended.
func (p process) kill(ctx context.Context) error {
	return killIf(ctx, p.pid, p.alive)
}

// killIf ends a process if it still is the one meant once we hold on to it, and
// returns when it has ended.
func killIf(ctx context.Context, pid int, meant func() bool) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	if !meant() {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill process %d: %w", pid, err)
	}
	if err := waitEnd(ctx, fd); err != nil {
		return fmt.Errorf("process %d does not end: %w", pid, err)
	}
	// Ours to reap where orphans come to us: as PID 1 of a container, or a subreaper.
	_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
	return nil
}

// waitEnd waits until the process of a pidfd has ended.
func waitEnd(ctx context.Context, fd int) error {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		// Often it takes no millisecond; now and then look at the context.
		n, err := unix.Poll(poll, int(100*time.Millisecond/time.Millisecond))
		if n > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
