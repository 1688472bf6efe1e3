package fake

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

// process is PID 1 of one sandbox.
type process struct {
	spec   sandbox.Spec
	cmd    *exec.Cmd
	stderr *tail
	ended  chan struct{} // PID 1 is dead, and all below it

	conn    *net.UnixConn // our end of its stdio
	mu      sync.Mutex    // held while the attachment changes
	current *stream       // nil while nobody is attached
	drained chan struct{} // closed when drain has returned
}

// setup runs in the new namespaces and becomes the guest: $1 is its binary, $2
// a file for /etc/bash.bashrc or empty, $3 the capabilities to keep. The lower layers of /etc and
// /usr/local/bin give what the image has and the host lacks. The host's devices,
// cgroups and settings are put out of reach, since checks run as root.
const setup = `set -eu
mount --make-rprivate /
mount -o remount,bind,ro /
mount -t proc -o nosuid,nodev,noexec proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs -o ro,size=4k tmpfs /sys/fs/cgroup
mount -t tmpfs -o mode=0755,nosuid,noexec,size=64k tmpfs /dev
umask 0
mknod /dev/null c 1 3
mknod /dev/zero c 1 5
mknod /dev/full c 1 7
mknod /dev/random c 1 8
mknod /dev/urandom c 1 9
mknod /dev/tty c 5 0
umask 022
ln -s pts/ptmx /dev/ptmx
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
mkdir /dev/pts /dev/shm /dev/mqueue
mount -t mqueue mqueue /dev/mqueue
mount -t devpts -o newinstance,nosuid,noexec,ptmxmode=0666,mode=0620,gid=5 devpts /dev/pts
mount -t tmpfs -o mode=0755,size=64k tmpfs /home
mkdir -p /home/learner
exec 4<"$1"
[ -z "$2" ] || exec 5<"$2"
%s
touch /run/guest
mount -c --bind /proc/self/fd/4 /run/guest
mkdir /run/etc /run/bin
ln -s /run/passwd /run/etc/passwd
ln -s /run/group /run/etc/group
[ -z "$2" ] || cat <&5 >/run/etc/bash.bashrc
ln -s /run/guest /run/bin/answer
mount -t overlay -o lowerdir=/run/etc:/etc overlay /etc
mount -t overlay -o lowerdir=/run/bin:/usr/local/bin overlay /usr/local/bin
hostname sandbox 2>/dev/null || echo sandbox >/proc/sys/kernel/hostname
cd /
echo ready >&3
exec setpriv --no-new-privs --bounding-set "$3" /run/guest 3>&- 4<&- 5<&-
`

// run starts a guest and returns once it is PID 1 of its sandbox.
func (e *Engine) run(ctx context.Context, spec sandbox.Spec) (*process, error) {
	profile := spec.Profile()
	var mounts strings.Builder
	for _, t := range profile.Tmpfs {
		fmt.Fprintf(&mounts, "mount -t tmpfs -o %s tmpfs %s\n", t.Options(), t.Path)
	}
	conn, theirs, err := pair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	ready, readyW, err := os.Pipe()
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	defer ready.Close()

	p := &process{
		spec:   spec,
		stderr: &tail{log: e.cfg.Log.With("sandbox", spec.ID)},
		ended:  make(chan struct{}),
		conn:   conn,
	}
	keep := "-all,+" + strings.ToLower(strings.Join(profile.Capabilities, ",+"))
	p.cmd = exec.Command("/bin/sh", "-c", fmt.Sprintf(setup, mounts.String()), "guest", e.cfg.Guest, e.cfg.Bashrc, keep)
	p.cmd.Env = profile.Env
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = theirs, theirs, p.stderr
	p.cmd.ExtraFiles = []*os.File{readyW}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		// Without a PID namespace kill(-1) of the guest would end the host.
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true,
	}
	started := make(chan error, 1)
	e.start <- func() { started <- p.cmd.Start() }
	err = <-started
	_ = readyW.Close()
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("%w: %v", sandbox.ErrUnavailable, err)
	}
	go p.wait()
	p.mu.Lock()
	p.drain()
	p.mu.Unlock()

	stop := context.AfterFunc(ctx, func() { _ = p.cmd.Process.Kill() })
	said, _ := io.ReadAll(ready) // ends when the guest runs, or with the shell
	if !stop() || string(said) != "ready\n" {
		p.kill()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: set up namespaces: %s", sandbox.ErrUnavailable, p.stderr.text())
	}
	return p, nil
}

// pair returns both ends of a stream: ours for the poller, theirs as a plain file.
func pair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "stdio"), os.NewFile(uintptr(fds[1]), "guest's stdio")
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

func (p *process) wait() {
	_ = p.cmd.Wait() // how it ended makes no difference
	close(p.ended)
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends PID 1, and with it every process of its namespace, and drops all
// that p holds.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
	_ = p.conn.Close()
	p.mu.Lock()
	drained := p.drained
	p.mu.Unlock()
	if drained != nil {
		<-drained
	}
}

// tail logs the first few KiB of the guest's standard error and keeps them.
type tail struct {
	log *slog.Logger
	mu  sync.Mutex
	buf []byte
}

const maxTail = 8 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if keep := b[:min(len(b), maxTail-len(t.buf))]; len(keep) > 0 {
		t.buf = append(t.buf, keep...)
		t.log.Warn("guest wrote to standard error", "text", string(keep))
	}
	return len(b), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.buf))
}
