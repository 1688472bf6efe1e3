package guest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// watched are the programs whose real files are watched, those of the labs among
// them. A process chooses its own name, but not which file was opened for it.
var watched = []string{"/usr/bin/strace", "/usr/bin/gdb", "/usr/bin/ps", "/usr/bin/lsof", "/usr/bin/kill", "/usr/local/bin/*"}

// unseen are those of them that are run so often, and for so short a time, that
// nobody looks which process it was.
var unseen = map[string]bool{"/usr/bin/ps": true, "/usr/bin/kill": true}

const (
	keptOpened = 512
	keptSeen   = 512
	seenArgs   = 1 << 10 // bytes kept of a command line
	// A process runs the file a moment after it was opened, later when the CPU is busy.
	// It is looked for that long at most, after seekFirst, and then ever more rarely.
	seekTime  = 500 * time.Millisecond
	seekFirst = 200 * time.Microsecond
	seekMost  = 4 * time.Millisecond
	seekNice  = -15
)

// watch remembers when the watched programs were opened, inotify(7), and which
// processes ran them, by /proc/PID/exe. Its goroutine is follow. Safe for concurrent use.
type watch struct {
	fd    int
	paths map[int32]string // by inotify's number
	files map[file]string

	mu   sync.Mutex
	kept []opened
	seen []seen

	reading sync.Mutex // taken before mu; guards what follows
	sought  map[string]*sought
	pause   time.Duration
	buf     [1024]byte
}

type file struct{ device, inode uint64 }

type opened struct {
	at   int64 // Unix milliseconds
	path string
}

// sought is a program that was opened, and not yet seen to run as often.
type sought struct {
	times int
	until time.Time
}

// seen is one process that ran a watched program.
type seen struct {
	opened
	pid    int
	loaded bool   // with code of the learner's in it: a library put in front of its own
	args   string // separated by the byte 1f
}

// newWatch starts watching on the learner's account: the kernel allows each uid
// 128 inotify instances over all sandboxes of the host, and root is in every one.
func newWatch(learner int) (*watch, error) {
	fd, err := as(learner, func() (int, error) { return unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK) })
	if err != nil {
		return nil, fmt.Errorf("start inotify: %w", err)
	}
	w := &watch{fd: fd, paths: map[int32]string{}, files: map[file]string{}, sought: map[string]*sought{}}
	for _, pattern := range watched {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			var st unix.Stat_t
			// A link leads to a program under another name: `answer` is the guest.
			if unix.Lstat(path, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
				continue
			}
			if wd, err := unix.InotifyAddWatch(fd, path, unix.IN_OPEN); err == nil {
				w.paths[int32(wd)] = path
				w.files[file{st.Dev, st.Ino}] = path
			}
		}
	}
	go w.follow()
	return w, nil
}

// as calls f with another effective uid, on a thread that ends if it can't be
// turned back. Raw system calls, since Go's would change every thread.
func as(uid int, f func() (int, error)) (int, error) {
	type result struct {
		n   int
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread()
		keep := ^uintptr(0) // -1: leave as it is, setresuid(2)
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, keep, uintptr(uid), keep); errno != 0 {
			done <- result{0, errno} // the thread ends with this goroutine
			return
		}
		n, err := f()
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, keep, 0, keep); errno == 0 {
			runtime.UnlockOSThread()
		}
		done <- result{n, err}
	}()
	r := <-done
	return r.n, r.err
}

// follow takes the events as they come, and looks for the processes.
func (w *watch) follow() {
	// A thread of its own that goes before the learner's: what it looks for may be
	// gone after a few milliseconds.
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), seekNice)
	for pause := time.Duration(0); ; {
		timeout := -1
		if pause > 0 {
			time.Sleep(pause)
			timeout = 0
		}
		fds := []unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}
		if _, err := retry(func() (int, error) { return unix.Poll(fds, timeout) }); err != nil {
			return // the descriptor is gone
		}
		pause = w.look(time.Now())
	}
}

// look takes the events that have come, and looks once for processes. It returns
// when to look again; 0 is when the next event comes.
func (w *watch) look(now time.Time) time.Duration {
	w.reading.Lock()
	defer w.reading.Unlock()
	w.read(now)
	if len(w.sought) == 0 {
		return 0
	}
	w.seek(now)
	pause := w.pause
	w.pause = min(2*w.pause, seekMost)
	return pause
}

// read takes the events that have come. Under reading.
func (w *watch) read(now time.Time) {
	for {
		n, err := retry(func() (int, error) { return unix.Read(w.fd, w.buf[:]) })
		if n <= 0 || err != nil {
			return
		}
		w.mu.Lock()
		for p := w.buf[:n]; len(p) >= unix.SizeofInotifyEvent; {
			wd := int32(binary.NativeEndian.Uint32(p))
			name := int(binary.NativeEndian.Uint32(p[12:]))
			if path, ok := w.paths[wd]; ok {
				w.kept = append(w.kept, opened{now.UnixMilli(), path})
				if !unseen[path] {
					if w.sought[path] == nil {
						w.sought[path] = &sought{}
					}
					w.sought[path].times++
					w.sought[path].until = now.Add(seekTime)
					w.pause = seekFirst
				}
			}
			p = p[min(len(p), unix.SizeofInotifyEvent+name):]
		}
		if over := len(w.kept) - keptOpened; over > 0 {
			w.kept = append(w.kept[:0], w.kept[over:]...)
		}
		w.mu.Unlock()
	}
}

// seek looks once for processes that run what was opened of late. Under reading.
func (w *watch) seek(now time.Time) {
	for _, pid := range processes() {
		proc := "/proc/" + strconv.Itoa(pid)
		var st unix.Stat_t
		if unix.Stat(proc+"/exe", &st) != nil {
			continue
		}
		path, ok := w.files[file{st.Dev, st.Ino}]
		if !ok {
			continue
		}
		if s := w.sought[path]; s != nil && !w.knows(pid, path, now) && w.witness(pid, path, proc, now) {
			s.times--
		}
	}
	for path, s := range w.sought {
		if s.times <= 0 || now.After(s.until) {
			delete(w.sought, path)
		}
	}
}

// knows says whether this process was seen within the time that one is looked for.
func (w *watch) knows(pid int, path string, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.seen) - 1; i >= 0; i-- {
		s := &w.seen[i]
		if now.UnixMilli()-s.at > 2*seekTime.Milliseconds() {
			return false
		}
		if s.pid == pid && s.path == path {
			return true
		}
	}
	return false
}

// witness writes down a process, and says whether the file was opened for it: a copy
// of a process that is known already opened nothing.
func (w *watch) witness(pid int, path, proc string, now time.Time) bool {
	line, _ := os.ReadFile(proc + "/cmdline")
	if len(line) == 0 {
		return false // it is about to begin
	}
	stat, _ := os.ReadFile(proc + "/stat")
	p, _ := parseStat(stat)
	copied := w.knows(p.PPID, path, now)
	var args []string
	for arg := range strings.SplitSeq(strings.TrimSuffix(string(line[:min(len(line), seenArgs)]), "\x00"), "\x00") {
		args = append(args, printable([]byte(arg)))
	}
	loaded := loadedMore(proc)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, seen{opened{now.UnixMilli(), path}, pid, loaded, strings.Join(args, "\x1f")})
	if over := len(w.seen) - keptSeen; over > 0 {
		w.seen = append(w.seen[:0], w.seen[over:]...)
	}
	return !copied
}

// loadedMore says whether a process that begins has more to load than its program
// asks for, ld.so(8): its environment says so at first, and its map soon.
func loadedMore(proc string) bool {
	environment, _ := os.ReadFile(proc + "/environ")
	for variable := range bytes.SplitSeq(environment, []byte{0}) {
		name, value, _ := bytes.Cut(variable, []byte("="))
		switch string(name) {
		case "LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH":
			if len(value) > 0 {
				return true
			}
		}
	}
	regions, _ := os.ReadFile(proc + "/maps")
	for line := range bytes.Lines(regions) {
		// Range, rights, offset, device, inode, path.
		f := bytes.Fields(line)
		if len(f) > 5 && string(f[3]) != "00:00" && !bytes.HasPrefix(f[5], []byte("/usr/")) && !bytes.HasPrefix(f[5], []byte("/lib")) && string(f[5]) != "/etc/ld.so.cache" {
			return true
		}
	}
	return false
}

// table is what a check reads as SN_OPENED, with what was opened up to now.
func (w *watch) table() []byte {
	w.look(time.Now())
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, o := range w.kept {
		fmt.Fprintf(&b, "%d\t%s\n", o.at, o.path)
	}
	for _, s := range w.seen {
		loaded := 0
		if s.loaded {
			loaded = 1
		}
		fmt.Fprintf(&b, "%d\t%s\t%d\t%d\t%s\n", s.at, s.path, s.pid, loaded, s.args)
	}
	return []byte(b.String())
}

func (w *watch) forget() {
	w.mu.Lock()
	w.kept, w.seen = nil, nil
	w.mu.Unlock()
}
