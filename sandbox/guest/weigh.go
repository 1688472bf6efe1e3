package guest

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	keptWeights = 16
	// weightLasts is how long what a process weighed says something about its end.
	weightLasts = 2 * time.Second
)

// weight is what a process weighed when it was last looked at. The kernel ends the
// one for which rss × 1000 / limit + adj is largest, oom_badness() in mm/oom_kill.c.
type weight struct {
	pid int
	rss int64 // bytes
	adj int64 // oom_score_adj
	at  time.Time
}

// scale keeps the heaviest processes of the last looks, those too that have ended since.
type scale struct {
	kept    [keptWeights]weight
	entries [4096]byte // of /proc
	file    [64]byte
}

// weigh looks at every process once. Near the wall that happens ten times a second,
// inside the memory that is running out: so it makes next to no garbage.
func (s *scale) weigh(now time.Time) {
	dir, err := retry(func() (int, error) { return unix.Open("/proc", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return
	}
	defer unix.Close(dir)
	for {
		n, err := retry(func() (int, error) { return unix.ReadDirent(dir, s.entries[:]) })
		if n <= 0 || err != nil {
			return
		}
		// getdents64(2): inode and offset (16), length (2), type (1), name.
		for p := s.entries[:n]; len(p) > 19; {
			size := int(binary.NativeEndian.Uint16(p[16:]))
			if size < 20 || size > len(p) {
				return
			}
			name, _, _ := bytes.Cut(p[19:size], []byte{0})
			if pid, err := strconv.Atoi(string(name)); err == nil && pid > 1 {
				s.take(pid, now)
			}
			p = p[size:]
		}
	}
}

func (s *scale) take(pid int, now time.Time) {
	dir := "/proc/" + strconv.Itoa(pid)
	// proc_pid_statm(5): size, resident, …, in pages.
	_, rest, _ := bytes.Cut(readInto(s.file[:], filepath.Join(dir, "statm")), []byte(" "))
	resident, _, _ := bytes.Cut(rest, []byte(" "))
	pages, err := strconv.ParseInt(string(resident), 10, 64)
	if err != nil || pages == 0 {
		return // ended, or ending: what it weighed before counts
	}
	place := &s.kept[0]
	for i := range s.kept {
		w := &s.kept[i]
		if w.pid == pid {
			place = w
			break
		}
		if w.before(place, now) {
			place = w
		}
	}
	if place.pid != pid && place.rss >= pages*pageSize && now.Sub(place.at) <= weightLasts {
		return // all that are kept are heavier
	}
	*place = weight{pid, pages * pageSize, readNumber(filepath.Join(dir, "oom_score_adj")), now}
}

// before says whether w is the better one of the two to be forgotten.
func (w *weight) before(other *weight, now time.Time) bool {
	old, otherOld := now.Sub(w.at) > weightLasts, now.Sub(other.at) > weightLasts
	if old != otherOld {
		return old
	}
	return w.rss < other.rss
}

// of is what a process weighed, if it was looked at lately.
func (s *scale) of(pid int, now time.Time) (weight, bool) {
	for _, w := range s.kept {
		if w.pid == pid && pid > 0 && now.Sub(w.at) <= weightLasts {
			return w, true
		}
	}
	return weight{}, false
}
