package guest

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// cgroup reads the limits and counters of this sandbox, with the same words on
// version 1 and 2 (kernel admin-guide/cgroup-v1/memory, admin-guide/cgroup-v2).
type cgroup struct {
	version                      int
	memUsed, memLimit, memEvents string
	pidsUsed, pidsLimit          string
}

func findCgroup(root string) cgroup {
	if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err == nil {
		in := func(name string) string { return filepath.Join(root, name) }
		return cgroup{2, in("memory.current"), in("memory.max"), in("memory.events"), in("pids.current"), in("pids.max")}
	}
	mem, pids := filepath.Join(root, "memory"), filepath.Join(root, "pids")
	return cgroup{
		1,
		filepath.Join(mem, "memory.usage_in_bytes"), filepath.Join(mem, "memory.limit_in_bytes"), filepath.Join(mem, "memory.oom_control"),
		filepath.Join(pids, "pids.current"), filepath.Join(pids, "pids.max"),
	}
}

// readNumber reads a file that holds one number; "max" is the largest. A file
// that is not there counts as 0.
func readNumber(path string) int64 {
	var buf [64]byte
	p := bytes.TrimSpace(readInto(buf[:], path))
	if string(p) == "max" {
		return math.MaxInt64
	}
	n, _ := strconv.ParseInt(string(p), 10, 64)
	return n
}

// readInto reads the beginning of a file into buf; nothing when it can't. It makes
// no garbage: these files are read twice a second for a sandbox's life.
func readInto(buf []byte, path string) []byte {
	fd, err := retry(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	n, _ := retry(func() (int, error) { return unix.Read(fd, buf) })
	return buf[:max(0, n)]
}

// oomKills counts the kills so far. `failcnt` and the engine's OOMKilled tell
// nothing of the kind.
func (c cgroup) oomKills() int64 {
	var buf [512]byte
	return keyed(readInto(buf[:], c.memEvents), "oom_kill")
}

// keyed finds the number behind a key in a file of "key number" lines.
func keyed(p []byte, key string) int64 {
	for line := range bytes.Lines(p) {
		f := bytes.Fields(line)
		if len(f) >= 2 && string(f[0]) == key {
			n, _ := strconv.ParseInt(string(f[1]), 10, 64)
			return n
		}
	}
	return 0
}
