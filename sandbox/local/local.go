package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	runc "github.com/containerd/go-runc"
	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

const (
	// starts is how many sandboxes are started at a time. More are no faster, and
	// what already runs would stutter.
	starts = 2
	// sweepPeriod is how often an open Engine looks for what was left.
	sweepPeriod = 30 * time.Second
	// changeDeadline bounds create, update and remove.
	changeDeadline = 30 * time.Second
)

// Sandboxes is where an engine keeps its own, for all instances of a machine: in memory,
// since none outlives a boot, and out of any data folder, which is the pages'.
const Sandboxes = "/run/sysnerd/sandboxes"

// ErrHeld says that another process has the instance open.
var ErrHeld = errors.New("another process runs the sandboxes")

// Config says where an Engine keeps its sandboxes, and for whom.
type Config struct {
	Instance string // whose sandboxes these are, [a-z0-9]{1,32}
	// Dir is absolute; a folder for each instance is made in it. Nobody but root and the
	// engine's own user may be able to change what lies there, or above. /run suits: no
	// sandbox outlives a boot.
	Dir string
	// Images holds root file systems, ready to run: one folder each, called after the
	// image's id with "-" for ":", as in sha256-6e3…. They are only read.
	Images string
	// Runtime is [Runc] or [Runsc]; empty means the first. The other needs root.
	Runtime string
	Program string // path of the runtime; empty means the one beside this program, else that on PATH
	State   string // absolute, for the runtime's state; empty means /run/sysnerd/runc, for root alone
	Cgroup  string // absolute, below which each instance has a cgroup; empty means /sysnerd, without root /sysnerd-<uid>
	// Relayed attaches by a stream over which no terminal can be handed over.
	Relayed bool
	Log     *slog.Logger
}

// Engine is a [sandbox.Engine] on this machine's kernel.
type Engine struct {
	cfg      Config
	runc     runc.Runc
	dir      string   // DIR/<instance>
	ids      *mapping // nil for root
	cgroups  cgroups
	apparmor string // profile; "" where the kernel has no AppArmor, or root is not there to load one
	booted   string // this boot's name
	locks    []*os.File
	start    chan struct{}
	turns    turns
	attached attached // under gVisor

	holding sync.Mutex
	held    map[string]*os.File // folders of images, locked against removal

	stop func()
	over sync.WaitGroup
}

var _ sandbox.Engine = (*Engine)(nil)

// Open takes the instance's folder and removes what a crash has left in it. One Engine at
// a time may be open for an instance, on all of the machine. An ordinary user needs what
// [CheckRootless] looks at, and gets sandboxes with [Engine.Gaps].
// Errors: [sandbox.ErrUnavailable].
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	e, err := open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open local engine: %w", err)
	}
	return e, nil
}

func open(ctx context.Context, cfg Config) (*Engine, error) {
	if err := sandbox.CheckInstance(cfg.Instance); err != nil {
		return nil, err
	}
	root := os.Geteuid() == 0
	if root {
		cfg.State = cmp.Or(cfg.State, "/run/sysnerd/runc")
		cfg.Cgroup = cmp.Or(cfg.Cgroup, "/sysnerd")
	}
	cfg.Cgroup = cmp.Or(cfg.Cgroup, "/sysnerd-"+strconv.Itoa(os.Geteuid()))
	for _, dir := range []string{cfg.Dir, cfg.Images, cfg.State} {
		if !filepath.IsAbs(dir) {
			return nil, fmt.Errorf("folder %q: want an absolute path", dir)
		}
	}
	cfg.Log = cmp.Or(cfg.Log, slog.Default())
	cfg.Runtime = cmp.Or(cfg.Runtime, Runc)
	if cfg.Runtime == Runsc && !root {
		return nil, fmt.Errorf("%w: sandboxes under gVisor are root's here; start it by sudo, or leave the setting runtime empty", sandbox.ErrUnavailable)
	}
	program, err := findProgram(cfg.Runtime, cfg.Program)
	if err != nil {
		return nil, err
	}
	var (
		ids     *mapping
		found   cgroups
		profile string
	)
	const mountinfo = "/proc/self/mountinfo"
	if root {
		found, err = findCgroups(mountinfo, filepath.Join(cfg.Cgroup, cfg.Instance))
		if err == nil {
			profile, err = loadAppArmor()
		}
	} else {
		found = delegated(mountinfo, cfg.Cgroup, cfg.Instance, os.Geteuid())
		ids, err = findMapping(ctx)
	}
	if err != nil {
		return nil, err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, fmt.Errorf("%w: %v", sandbox.ErrUnavailable, err)
	}
	e := &Engine{
		apparmor: profile,
		cfg:      cfg,
		dir:      filepath.Join(cfg.Dir, cfg.Instance),
		ids:      ids,
		cgroups:  found,
		booted:   string(boot[:len(boot)-1]),
		start:    make(chan struct{}, starts),
		held:     map[string]*os.File{},
		runc: runc.Runc{
			Command: program,
			Root:    filepath.Join(cfg.State, cfg.Instance),
			// No PdeathSignal: sandboxes outlive this process.
			SystemdCgroup: found.scope != "",
		},
	}
	if e.underGVisor() {
		e.runc.ExtraArgs = runscArgs
		e.apparmor = "" // no process of a sandbox is the machine's
	}
	for _, dir := range []string{e.dir, e.runc.Root} {
		if err := e.take(dir); err != nil {
			e.unlock()
			return nil, err
		}
	}
	err = e.endStrangers(ctx)
	if err == nil {
		err = e.sweep(ctx)
	}
	if err != nil {
		e.unlock()
		return nil, err
	}
	tending, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.over.Go(func() { e.tend(tending) })
	return e, nil
}

// findProgram is the path of the runtime to use: the named one, else the one beside this
// program, which was built with it, else the first on PATH.
// Errors: [sandbox.ErrUnavailable].
func findProgram(runtime, named string) (string, error) {
	how, ok := map[string]string{
		Runc:  "build it with: make build, or install it: apt-get install runc",
		Runsc: "install it: https://gvisor.dev/docs/user_guide/install",
	}[runtime]
	if !ok {
		return "", fmt.Errorf("%w: the local engine can't drive the runtime %s, only %s and %s", sandbox.ErrUnavailable, runtime, Runc, Runsc)
	}
	if named == "" {
		if self, err := os.Executable(); err == nil {
			beside := filepath.Join(filepath.Dir(self), runtime)
			if unix.Access(beside, unix.X_OK) == nil {
				return beside, nil
			}
		}
	}
	path, err := exec.LookPath(cmp.Or(named, runtime))
	if err != nil {
		return "", fmt.Errorf("%w: %v; %s", sandbox.ErrUnavailable, err, how)
	}
	return path, nil
}

// take makes a folder that nobody else may enter, and locks it until unlock.
func (e *Engine) take(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("%w: %v", sandbox.ErrUnavailable, err)
	}
	if err := checkOwned(dir); err != nil {
		return fmt.Errorf("%w: %w", sandbox.ErrUnavailable, err)
	}
	lock, err := lockIn(dir)
	if lock == nil && err == nil {
		return e.take(dir) // somebody let go of it, and of the folder, in this moment
	}
	if lock != nil {
		e.locks = append(e.locks, lock)
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("%w: %w of instance %s (it holds %s); stop that one first",
			sandbox.ErrUnavailable, ErrHeld, e.cfg.Instance, dir)
	}
	if err != nil {
		return fmt.Errorf("%w: lock %s: %v", sandbox.ErrUnavailable, dir, err)
	}
	return nil
}

// lockIn locks a folder's lock file. It returns nothing when that is another file now.
func lockIn(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // the folder is gone
	}
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, err
	}
	held, err := lock.Stat()
	if err == nil {
		var named fs.FileInfo
		if named, err = os.Lstat(path); err == nil && os.SameFile(held, named) {
			return lock, nil
		}
	}
	_ = lock.Close()
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return nil, err
}

// checkOwned says who else could put another folder in dir's place, or a link.
func checkOwned(dir string) error {
	for at := dir; ; at = filepath.Dir(at) {
		var st unix.Stat_t
		if err := unix.Lstat(at, &st); err != nil {
			return &fs.PathError{Op: "lstat", Path: at, Err: err}
		}
		open := st.Mode&0o022 != 0 && (at == dir || st.Mode&unix.S_ISVTX == 0)
		if st.Mode&unix.S_IFMT != unix.S_IFDIR || st.Uid != 0 && st.Uid != uint32(os.Geteuid()) || open {
			return fmt.Errorf("%s can be changed by others than root and uid %d, or is no folder; choose another place than %s, or chmod go-w %[1]s", at, os.Geteuid(), dir)
		}
		if at == "/" {
			return nil
		}
	}
}

// unlock lets go of the folders, and removes those in which nothing but the lock is left.
func (e *Engine) unlock() {
	for _, lock := range e.locks {
		dir := filepath.Dir(lock.Name())
		if entries, err := os.ReadDir(dir); err == nil && len(entries) == 1 {
			_ = os.Remove(lock.Name()) // while it is held: see lockIn
			_ = os.Remove(dir)
		}
		_ = lock.Close()
	}
}

// Close lets another open the instance. Sandboxes and connections live on.
func (e *Engine) Close() error {
	e.stop()
	e.over.Wait()
	e.cgroups.removeParent()
	e.unlock()
	for _, image := range e.held {
		_ = image.Close()
	}
	return nil
}

// withDeadline gives a context that has no deadline one.
func withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, changeDeadline)
}
