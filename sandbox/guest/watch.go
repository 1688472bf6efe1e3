package guest

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// watched are the programs whose real files are watched: that one was opened
// tells a real run from a copy with the same name.
var watched = []string{"/usr/bin/strace", "/usr/bin/gdb", "/usr/bin/ps", "/usr/bin/lsof", "/usr/bin/kill"}

const keptOpened = 512

// watch remembers when the watched programs were opened, inotify(7). Safe for
// concurrent use.
type watch struct {
	fd    int
	paths map[int32]string

	mu   sync.Mutex
	kept []opened
	buf  [1024]byte
}

type opened struct {
	at   int64 // Unix milliseconds
	path string
}

// newWatch starts watching on the learner's account: the kernel allows each uid
// 128 inotify instances over all sandboxes of the host, and root is in every one.
func newWatch(learner int) (*watch, error) {
	fd, err := as(learner, func() (int, error) { return unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK) })
	if err != nil {
		return nil, fmt.Errorf("start inotify: %w", err)
	}
	w := &watch{fd: fd, paths: map[int32]string{}}
	for _, path := range watched {
		if wd, err := unix.InotifyAddWatch(fd, path, unix.IN_OPEN); err == nil {
			w.paths[int32(wd)] = path
		}
	}
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

// read takes the events that came since the last call.
func (w *watch) read() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		n, err := retry(func() (int, error) { return unix.Read(w.fd, w.buf[:]) })
		if n <= 0 || err != nil {
			return
		}
		now := time.Now().UnixMilli()
		for p := w.buf[:n]; len(p) >= unix.SizeofInotifyEvent; {
			wd := int32(binary.NativeEndian.Uint32(p))
			name := int(binary.NativeEndian.Uint32(p[12:]))
			if path, ok := w.paths[wd]; ok {
				w.kept = append(w.kept, opened{now, path})
			}
			p = p[min(len(p), unix.SizeofInotifyEvent+name):]
		}
		if over := len(w.kept) - keptOpened; over > 0 {
			w.kept = append(w.kept[:0], w.kept[over:]...)
		}
	}
}

// table is what a check reads as SN_OPENED.
func (w *watch) table() []byte {
	w.read()
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, o := range w.kept {
		fmt.Fprintf(&b, "%d\t%s\n", o.at, o.path)
	}
	return []byte(b.String())
}

func (w *watch) forget() {
	w.read()
	w.mu.Lock()
	w.kept = nil
	w.mu.Unlock()
}
