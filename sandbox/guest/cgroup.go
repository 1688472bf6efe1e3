package guest

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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
	p, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	s := strings.TrimSpace(string(p))
	if s == "max" {
		return math.MaxInt64
	}
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// oomKills counts the kills so far. `failcnt` and the engine's OOMKilled tell
// nothing of the kind.
func (c cgroup) oomKills() int64 {
	p, err := os.ReadFile(c.memEvents)
	if err != nil {
		return 0
	}
	return keyed(p, "oom_kill")
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
