package pidlink

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"sysnerd/sandbox/pidlink/inlet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func dial(t *testing.T, ctx context.Context, pid int) (*net.UnixConn, error) {
	t.Helper()
	p, err := Open(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	return p.Dial(ctx)
}

// program starts one that lives until the test ends.
func program(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	c := exec.Command("bash", "-c", script+"; echo ready; exec sleep 1000")
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEachDialIsAConnection(t *testing.T) {
	in, err := inlet.Listen()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		ours, err := dial(t, t.Context(), os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := in.Accept()
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 10)
		if _, err := ours.Write([]byte("ping")); err != nil {
			t.Error(err)
		}
		if n, err := unix.Read(theirs, buf); string(buf[:n]) != "ping" || err != nil {
			t.Errorf("the guest read %q, %v", buf[:n], err)
		}
		ours.Close()
		if n, err := unix.Read(theirs, buf); n != 0 || err != nil {
			t.Errorf("after the server has closed, the guest read %q, %v; want its end", buf[:n], err)
		}
		unix.Close(theirs)
	}
}

func TestAcceptDropsWhatIsNoConnection(t *testing.T) {
	in, err := inlet.Listen()
	if err != nil {
		t.Fatal(err)
	}
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(null)
	for _, rights := range [][]byte{nil, unix.UnixRights(null), unix.UnixRights(null, null, null), unix.UnixRights(inlet.FD)} {
		if err := unix.Sendmsg(inlet.FD, []byte{0}, rights, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	ours, err := dial(t, t.Context(), os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	theirs, err := in.Accept()
	if err != nil || !inlet.IsSocket(theirs, unix.SOCK_STREAM) {
		t.Fatalf("Accept = %d, %v; want the connection", theirs, err)
	}
	unix.Close(theirs)
}

func TestDialTellsWhoIsNoGuest(t *testing.T) {
	if _, err := dial(t, t.Context(), program(t, ":").Process.Pid); !errors.Is(err, ErrCannot) {
		t.Errorf("Dial of a program without an inlet = %v, want ErrCannot", err)
	}
	if _, err := dial(t, t.Context(), program(t, "exec 900</dev/null").Process.Pid); !errors.Is(err, ErrCannot) {
		t.Errorf("Dial of a program with a device there = %v, want ErrCannot", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dial(t, ctx, program(t, ":").Process.Pid); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial, cancelled = %v", err)
	}
	ended := program(t, ":")
	p, err := Open(ended.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	_ = ended.Process.Kill()
	_ = ended.Wait()
	if p.Alive() {
		t.Error("a program that was killed counts as alive")
	}
	if _, err := p.Dial(t.Context()); !errors.Is(err, ErrCannot) {
		t.Errorf("Dial of a program that has ended = %v, want ErrCannot", err)
	}
}
