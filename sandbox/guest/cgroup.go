package guest

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// unlimited is where a memory limit stands for none: "max" on version 2, the
// largest number of whole pages on version 1.
const unlimited = 1 << 60

// cgroup reads the limits and counters of this sandbox, with the same words on
// version 1 and 2 (kernel admin-guide/cgroup-v1/memory, admin-guide/cgroup-v2).
type cgroup struct {
	version                               int
	memUsed, memLimit, memEvents, memStat *gauge
	pidsUsed, pidsLimit                   *gauge
}

func findCgroup(root string) cgroup {
	if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err == nil {
		in := func(name string) *gauge { return newGauge(root, name) }
		// Not memory.events.local: a kill in a cgroup below is one in this sandbox too.
		return cgroup{
			2, in("memory.current"), in("memory.max"), in("memory.events"), in("memory.stat"),
			in("pids.current"), in("pids.max"),
		}
	}
	mem := func(name string) *gauge { return newGauge(root, "memory", "memory."+name) }
	return cgroup{
		1,
		mem("usage_in_bytes"), mem("limit_in_bytes"), mem("oom_control"), mem("stat"),
		newGauge(root, "pids", "pids.current"), newGauge(root, "pids", "pids.max"),
	}
}

// gauge is a file of the cgroup, which is read many times a second for a sandbox's
// life. It is opened once: that takes memory, and so does its first reading. At the
// limit, whoever asks for some makes the kernel end a process. Safe for concurrent use.
type gauge struct {
	path string
	mu   sync.Mutex
	fd   int // -1 until it could be opened
}

func newGauge(path ...string) *gauge { return &gauge{path: filepath.Join(path...), fd: -1} }

// read reads its beginning into buf; nothing when it can't.
func (g *gauge) read(buf []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fd < 0 {
		fd, err := retry(func() (int, error) { return unix.Open(g.path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
		if err != nil {
			return nil
		}
		g.fd = fd
	}
	n, _ := retry(func() (int, error) { return unix.Pread(g.fd, buf, 0) })
	return buf[:max(0, n)]
}

// number is what it holds, as numberIn has it.
func (g *gauge) number() int64 {
	var buf [64]byte
	return numberIn(g.read(buf[:]))
}

// limit is the memory limit in bytes, 0 for none.
func (c cgroup) limit() int64 {
	n := c.memLimit.number()
	if n >= unlimited {
		return 0
	}
	return n
}

// readNumber reads a file that holds one number, as numberIn has it.
func readNumber(path string) int64 {
	var buf [64]byte
	return numberIn(readInto(buf[:], path))
}

// numberIn is the one number in a file; "max" is the largest. A file that is not
// there counts as 0.
func numberIn(p []byte) int64 {
	p = bytes.TrimSpace(p)
	if string(p) == "max" {
		return math.MaxInt64
	}
	n, _ := strconv.ParseInt(string(p), 10, 64)
	return n
}

// readInto reads the beginning of a file into buf; nothing when it can't. It makes
// no garbage: these files are read many times a second for a sandbox's life.
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
	return keyed(c.memEvents.read(buf[:]), "oom_kill")
}

// cache is how much of the memory in use holds files of a disk, in bytes. The
// kernel takes that back before it ends anybody. What lies in a tmpfs does not count.
func (c cgroup) cache() int64 {
	var buf [4096]byte
	p := c.memStat.read(buf[:])
	return keyed(p, "active_file") + keyed(p, "inactive_file")
}

// keyed finds the number behind a key in a file of "key number" lines.
func keyed(p []byte, key string) int64 {
	for len(p) > 0 {
		var line []byte
		line, p, _ = bytes.Cut(p, []byte("\n"))
		name, rest, _ := bytes.Cut(line, []byte(" "))
		if string(name) != key {
			continue
		}
		number, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" "))
		n, _ := strconv.ParseInt(string(number), 10, 64)
		return n
	}
	return 0
}
