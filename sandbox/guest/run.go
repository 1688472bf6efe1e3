package guest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/link"
)

// maxRuns is how many scripts run at once; more are refused.
const maxRuns = 16

// run is a script that arrives, runs, and is ended with everything it started.
type run struct {
	g      *Guest
	c      *conn
	id     uint32
	spec   link.Run
	data   []byte // the script and then the files, as they arrive
	want   int
	begun  bool // all of it is here; only the link's reader asks
	cancel chan struct{}
	once   sync.Once
}

// announce begins a run; it starts when all its data is here.
func (g *Guest) announce(c *conn, id uint32, spec link.Run) {
	r := &run{g: g, c: c, id: id, spec: spec, cancel: make(chan struct{})}
	err := spec.Check()
	g.mu.Lock()
	switch {
	case err != nil:
	case len(g.runs) >= maxRuns:
		err = fmt.Errorf("%d scripts run already", maxRuns)
	case g.runs[id] != nil:
		err = fmt.Errorf("request %d is in use", id)
	default:
		g.runs[id] = r
	}
	g.mu.Unlock()
	if err != nil {
		c.sendJSON(link.KindRunDone, id, link.RunDone{Exit: -1, Error: err.Error()})
		return
	}
	r.want = spec.Script
	for _, f := range spec.Files {
		if !f.Fill {
			r.want += f.Size
		}
	}
	r.data = make([]byte, 0, r.want)
	r.begin()
}

// feed takes the next piece of the script and its files. The caller is the link's reader.
func (r *run) feed(p []byte) {
	if len(r.data) >= r.want || len(p) == 0 {
		return
	}
	r.data = append(r.data, p[:min(len(p), r.want-len(r.data))]...)
	r.begin()
}

func (r *run) begin() {
	if len(r.data) == r.want && !r.begun {
		r.begun = true
		go r.do()
	}
}

// stop ends the run, or forgets it if the rest of it never came. The caller is the
// link's reader.
func (r *run) stop() {
	r.once.Do(func() { close(r.cancel) })
	if !r.begun {
		r.end(link.RunDone{Exit: -1, Error: "cancelled before it began"})
	}
}

func (r *run) do() {
	r.g.wall.room()
	began := time.Now()
	done, err := r.execute()
	if err != nil {
		done = link.RunDone{Exit: -1, Error: err.Error()}
	}
	done.Micros = time.Since(began).Microseconds()
	r.end(done)
}

func (r *run) end(done link.RunDone) {
	r.g.mu.Lock()
	delete(r.g.runs, r.id)
	r.g.used = true
	r.g.mu.Unlock()
	r.c.sendJSON(link.KindRunDone, r.id, done)
}

// mark is in the environment of everything that a run starts.
func (r *run) mark() string { return "SN_RUN=" + strconv.FormatUint(uint64(r.id), 10) }

func (r *run) execute() (link.RunDone, error) {
	var files []*os.File // descriptors 0, 1, 2, then those of spec.Files
	closeAll := func() {
		for _, f := range files {
			f.Close()
		}
		files = nil
	}
	defer closeAll()
	env := append([]string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", r.mark(),
	}, r.spec.Env...)

	// bash reads a script from a pipe byte by byte; from a file it reads it whole.
	script, err := memfd("script", r.data[:r.spec.Script])
	if err != nil {
		return link.RunDone{}, err
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		script.Close()
		return link.RunDone{}, err
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		script.Close()
		outR.Close()
		outW.Close()
		return link.RunDone{}, err
	}
	defer outR.Close()
	defer errR.Close()
	files = append(files, script, outW, errW)
	rest := r.data[r.spec.Script:]
	for _, f := range r.spec.Files {
		data := r.g.fill(f.Name)
		if !f.Fill {
			data, rest = rest[:f.Size], rest[f.Size:]
		}
		mem, err := memfd("file", data)
		if err != nil {
			return link.RunDone{}, err
		}
		env = append(env, f.Name+"=/proc/self/fd/"+strconv.Itoa(len(files)))
		files = append(files, mem)
	}
	fds := make([]uintptr, len(files))
	for i, f := range files {
		fds[i] = f.Fd()
	}
	program, argv := "/bin/bash", []string{"bash", "-s"}
	if r.spec.Learner {
		program, argv = self, r.g.enterArgs("bash", "-s")
		env = append(r.g.learnerEnv(0), append(env[4:], r.mark())...)
	}
	pid, exited, err := r.g.children.start(program, argv, &syscall.ProcAttr{
		Dir: "/", Env: env, Files: fds, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return link.RunDone{}, fmt.Errorf("start bash: %w", err)
	}
	closeAll()

	var (
		reading   sync.WaitGroup
		truncated [2]bool
	)
	for i, pipe := range []*os.File{outR, errR} {
		reading.Go(func() { truncated[i] = r.forward(byte(i+1), pipe) })
	}
	done := link.RunDone{}
	deadline := time.NewTimer(time.Duration(r.spec.Deadline) * time.Millisecond)
	defer deadline.Stop()
	var status syscall.WaitStatus
	select {
	case status = <-exited:
	case <-deadline.C:
		done.TimedOut = true
		_ = unix.Kill(pid, unix.SIGKILL)
		status = <-exited
	case <-r.cancel:
		_ = unix.Kill(pid, unix.SIGKILL)
		status = <-exited
	}
	r.g.endMarked(r)
	// What it started is dead, so the pipes end; a learner's process that was
	// given one by its own means must not hold up the answer.
	_ = outR.SetReadDeadline(time.Now().Add(time.Second))
	_ = errR.SetReadDeadline(time.Now().Add(time.Second))
	reading.Wait()
	done.Truncated = truncated[0] || truncated[1]
	done.Exit, done.Signal = status.ExitStatus(), 0
	if status.Signaled() {
		done.Exit, done.Signal = -1, int(status.Signal())
	}
	return done, nil
}

// forward sends what the script prints, up to the limit, and reads on beyond it.
func (r *run) forward(fd byte, pipe *os.File) (truncated bool) {
	buf := make([]byte, 1+4<<10)
	buf[0] = fd
	left := r.spec.Output
	for {
		n, err := pipe.Read(buf[1:])
		if n > left {
			n, truncated = left, true
		}
		if n > 0 {
			left -= n
			r.c.send(link.Frame{Kind: link.KindRunOut, Stream: r.id, Payload: buf[:1+n]})
		}
		if err != nil {
			return truncated
		}
	}
}

// fill is the content of a file that the guest itself provides.
func (g *Guest) fill(name string) []byte {
	switch {
	case name == "SN_ENDED" && g.account != nil:
		return g.account.table()
	case name == "SN_OPENED" && g.watch != nil:
		return g.watch.table()
	}
	return nil
}

func memfd(name string, data []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make memfd: %w", err)
	}
	f := os.NewFile(uintptr(fd), name)
	if _, err := f.WriteAt(data, 0); err != nil {
		f.Close()
		return nil, fmt.Errorf("fill memfd: %w", err)
	}
	return f, nil
}

// endMarked ends everything that the run started and that still lives: what
// carries its mark, and every process of root that belongs to nobody else. Only
// checks run as root in a sandbox, so a daemon that cleared its environment is found too.
func (g *Guest) endMarked(r *run) {
	for range 100 {
		if !g.killOnce(r) {
			return
		}
		time.Sleep(time.Millisecond) // the killed need a moment to be gone
	}
}

func (g *Guest) killOnce(r *run) (found bool) {
	for _, pid := range processes() {
		if pid == os.Getpid() || g.children.has(pid) {
			continue
		}
		uid, ok := uidOf(pid)
		if !ok || (uid != 0 && !r.spec.Learner) {
			continue
		}
		environ, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
		if err != nil {
			continue
		}
		mark := ""
		for _, v := range bytes.Split(environ, []byte{0}) {
			if strings.HasPrefix(string(v), "SN_RUN=") {
				mark = string(v)
			}
		}
		// Asked after the mark was read: a run is known before anything has its mark.
		if mark == r.mark() || (uid == 0 && !g.isOfAnother(pid, mark, r) && !isZombie(pid)) {
			found = unix.Kill(pid, unix.SIGKILL) == nil || found
		}
	}
	return found
}

// isOfAnother says whether a process belongs to a run under way other than r: by its
// mark, or below a child of ours, since in the middle of execve(2) it has no mark.
func (g *Guest) isOfAnother(pid int, mark string, r *run) bool {
	for above := parentOf(pid); above > 1; above = parentOf(above) {
		if g.children.has(above) {
			return true
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, o := range g.runs {
		if o != r && o.mark() == mark {
			return true
		}
	}
	return false
}
