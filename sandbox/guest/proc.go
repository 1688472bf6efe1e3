package guest

import (
	"bytes"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// processes lists the PIDs of this PID namespace, lowest first.
func processes() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	sort.Ints(pids)
	return pids
}

// Process is one process as the kernel window shows it; the JSON is package sandbox's.
type process struct {
	PID      int    `json:"pid"`
	PPID     int    `json:"ppid"`
	UID      int    `json:"uid"`
	State    string `json:"state"`
	Command  string `json:"command"`
	VSZ      int64  `json:"vsz"`
	RSS      int64  `json:"rss"`
	Threads  int    `json:"threads"`
	MinFlt   int64  `json:"minor_faults"`
	MajFlt   int64  `json:"major_faults"`
	OOMScore int    `json:"oom_score"`
	OOMAdj   int    `json:"oom_score_adj"`
	FDs      int    `json:"fds"`
}

var pageSize = int64(os.Getpagesize())

// parseStat takes apart /proc/PID/stat, proc_pid_stat(5). The command stands in
// brackets and may itself hold brackets, blanks and newlines.
func parseStat(p []byte) (process, bool) {
	open, end := bytes.IndexByte(p, '('), bytes.LastIndexByte(p, ')')
	if open < 1 || end < open {
		return process{}, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(p[:open])))
	rest := strings.Fields(string(p[end+1:]))
	if err != nil || len(rest) < 22 {
		return process{}, false
	}
	number := func(field int) int64 { // as numbered in the manual; state is 3
		n, _ := strconv.ParseInt(rest[field-3], 10, 64)
		return n
	}
	return process{
		PID: pid, Command: printable(p[open+1 : end]), State: rest[0],
		PPID: int(number(4)), MinFlt: number(10), MajFlt: number(12),
		Threads: int(number(20)), VSZ: number(23), RSS: number(24) * pageSize,
	}, true
}

func isZombie(pid int) bool {
	p, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return true // gone
	}
	s, ok := parseStat(p)
	return ok && s.State == "Z"
}

// parentOf is 0 for one that is gone.
func parentOf(pid int) int {
	p, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	s, _ := parseStat(p)
	return s.PPID
}

// uidOf is the real uid of a process. The owner of its folder will not do: that
// is root for every process that made itself undumpable, proc(5).
func uidOf(pid int) (int, bool) {
	p, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, false
	}
	_, rest, ok := bytes.Cut(p, []byte("\nUid:\t"))
	if !ok {
		return 0, false
	}
	field, _, _ := bytes.Cut(rest, []byte("\t"))
	uid, err := strconv.Atoi(string(field))
	return uid, err == nil
}
