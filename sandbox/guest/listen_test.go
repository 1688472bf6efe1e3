package guest_test

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sysnerd/sandbox/link"
)

// namespaces becomes the guest, $1, as PID 1 of a small world, with the listening
// socket as descriptor 3 and nothing but /dev/null for stdio.
const namespaces = `set -eu
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /home
mkdir -m 1777 /home/learner
exec 4<"$1"
mount -t tmpfs tmpfs /run
mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts
exec /proc/self/fd/4
`

// startGuest starts a guest that inherits a listening socket, and returns its path.
func startGuest(t *testing.T, env ...string) (socket string, ended <-chan error) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "guest")
	build := exec.Command("go", "build", "-o", program, "sysnerd/cmd/guest")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	socket = filepath.Join(dir, "link.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	listener.SetUnlinkOnClose(false)
	inherited, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	defer inherited.Close()
	cmd := exec.Command("/bin/sh", "-c", namespaces, "sh", program)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, env...)
	cmd.ExtraFiles = []*os.File{inherited}
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWIPC,
		Setsid:     true,
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	gone := make(chan struct{})
	go func() { over <- cmd.Wait(); close(gone) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-gone
	})
	return socket, over
}

// far is the server's end of a link.
type far struct {
	*net.UnixConn
	t       *testing.T
	decoder link.Decoder
	waiting []link.Frame
}

func dial(t *testing.T, socket string) *far {
	t.Helper()
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &far{UnixConn: c, t: t}
}

func (f *far) send(k link.Kind, stream uint32, v any) {
	f.t.Helper()
	p, err := link.AppendJSON([]byte{link.End}, k, stream, v)
	if err == nil {
		_, err = f.Write(p)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// next is the first frame of that kind; others before it are dropped.
func (f *far) next(k link.Kind) link.Frame {
	f.t.Helper()
	buf := make([]byte, 32<<10)
	for {
		for len(f.waiting) > 0 {
			got := f.waiting[0]
			f.waiting = f.waiting[1:]
			if got.Kind == k {
				return got
			}
		}
		n, err := f.Read(buf)
		_ = f.decoder.Feed(buf[:n], func(got link.Frame) error {
			got.Payload = append([]byte(nil), got.Payload...)
			f.waiting = append(f.waiting, got)
			return nil
		})
		if err != nil && len(f.waiting) == 0 {
			f.t.Fatalf("wait for a frame of kind %d: %v", k, err)
		}
	}
}

func (f *far) greet(epoch int64) (w link.Welcome) {
	f.t.Helper()
	f.send(link.KindHello, 0, link.Hello{
		Version: link.Version, Epoch: epoch,
		Setup: link.Setup{UID: 29999, Processes: 64, Home: "/home/learner"},
	})
	if err := f.next(link.KindWelcome).JSON(&w); err != nil {
		f.t.Fatal(err)
	}
	return w
}

// run runs a script and returns what it printed.
func (f *far) run(script string, learner bool) string {
	f.t.Helper()
	f.send(link.KindRun, 7, link.Run{Script: len(script), Deadline: 10000, Output: 32 << 10, Learner: learner})
	p, err := link.Append(nil, link.Frame{Kind: link.KindRunData, Stream: 7, Payload: []byte(script)})
	if err == nil {
		_, err = f.Write(p)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	var printed strings.Builder
	buf := make([]byte, 32<<10)
	for {
		over := false
		n, err := f.Read(buf)
		if err != nil {
			f.t.Fatal(err)
		}
		_ = f.decoder.Feed(buf[:n], func(got link.Frame) error {
			switch got.Kind {
			case link.KindRunOut:
				printed.Write(got.Payload[1:])
			case link.KindRunDone:
				over = true
				var done link.RunDone
				if got.JSON(&done) != nil || done.Error != "" || done.Exit != 0 {
					f.t.Errorf("script %q: %+v, printed %q", script, done, printed.String())
				}
			}
			return nil
		})
		if over {
			return printed.String()
		}
	}
}

func TestLinksOnAnInheritedSocket(t *testing.T) {
	socket, ended := startGuest(t, "LISTEN_FDS=1")

	first := dial(t, socket)
	started := first.greet(1).Started
	second := dial(t, socket)
	if got := second.greet(2); got.Started != started || got.Epoch != 2 {
		t.Errorf("second welcome = %+v, want epoch 2 of the guest started at %d", got, started)
	}
	if _, err := io.Copy(io.Discard, first); err != nil {
		t.Errorf("the older link after a newer hello: %v, want its end", err)
	}

	// One that is not newer is told so, and costs the present one nothing.
	stale := dial(t, socket)
	stale.send(link.KindHello, 0, link.Hello{Version: link.Version, Epoch: 2, Setup: link.Setup{UID: 29999, Processes: 64, Home: "/home/learner"}})
	var rejected link.Rejected
	if err := stale.next(link.KindRejected).JSON(&rejected); err != nil || rejected.Epoch != 2 {
		t.Errorf("hello of an epoch of before = %+v, %v; want epoch 2 rejected", rejected, err)
	}

	for _, learner := range []bool{false, true} {
		out := second.run(`env | grep LISTEN; for f in /proc/self/fd/*; do readlink $f; done; :`, learner)
		if strings.Contains(out, "LISTEN") || strings.Contains(out, "socket:") {
			t.Errorf("learner %t: a script has %q, want neither the socket nor its name", learner, out)
		}
	}

	// A link's end is the end of nothing else, however often it comes.
	second.Close()
	for epoch := int64(3); epoch < 80; epoch++ {
		again := dial(t, socket)
		if got := again.greet(epoch); got.Started != started {
			t.Fatalf("epoch %d: the guest started at %d, and at %d before", epoch, got.Started, started)
		}
		again.Close()
	}
	select {
	case err := <-ended:
		t.Errorf("the guest has ended: %v", err)
	default:
	}
}

func TestAStuckLinkStopsNobody(t *testing.T) {
	socket, _ := startGuest(t, "LISTEN_FDS=1")
	stuck := dial(t, socket)
	stuck.greet(1)
	if err := stuck.SetReadBuffer(1); err != nil {
		t.Fatal(err)
	}
	// Far more answers than the socket takes, and nobody reads them.
	var pings []byte
	for i := range 20000 {
		pings, _ = link.Append(pings, link.Frame{Kind: link.KindPing, Stream: uint32(i)})
	}
	if _, err := stuck.Write(pings); err != nil {
		t.Fatal(err)
	}
	silent := dial(t, socket) // and one that never says anything
	defer silent.Close()
	fresh := dial(t, socket)
	fresh.greet(2)
	if out := fresh.run("echo here", false); out != "here\n" {
		t.Errorf("beside a stuck link a script printed %q", out)
	}
}

// A guest that nobody could ever reach says so.
func TestNoLinkIsAnError(t *testing.T) {
	for _, env := range [][]string{nil, {"LISTEN_FDS=1", "LISTEN_PID=77"}, {"LISTEN_FDS=2"}} {
		_, ended := startGuest(t, env...)
		var exit *exec.ExitError
		if err := <-ended; !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("with %q: %v, want exit status 1", env, err)
		}
	}
}
