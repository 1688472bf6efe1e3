package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is for a server to start or to end; a healthy one needs a fraction of it.
const patience = 30 * time.Second

// server is a running `sysnerd serve`.
type server struct {
	cmd     *exec.Cmd
	address string
	out     *bufio.Reader
	log     lockedBuffer
}

// lockedBuffer can be read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func startServer(t *testing.T, data string) *server {
	t.Helper()
	return startIn(t, "", []string{"sysnerd", "serve", "--data", data, "--listen", "127.0.0.1:0", "--log-format", "json"})
}

// startIn starts a server in a folder, by that command line, and waits for its address.
func startIn(t *testing.T, dir string, command []string) *server {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	return startBy(t, cmd)
}

// startBy starts a server by that command, and waits for its address.
func startBy(t *testing.T, cmd *exec.Cmd) *server {
	t.Helper()
	s := &server{cmd: cmd}
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	watchdog := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	defer watchdog.Stop()

	s.out = bufio.NewReader(out)
	line, err := s.out.ReadString('\n')
	if err != nil {
		_ = s.cmd.Wait()
		t.Fatalf("serve said %q and ended: %s", line, s.log.String())
	}
	const opening = "sysnerd is at "
	if !strings.HasPrefix(line, opening+"http://127.0.0.1:") {
		t.Fatalf("first line = %q, want %s and the address", line, opening)
	}
	s.address = strings.TrimSpace(strings.TrimPrefix(line, opening))
	return s
}

// stop asks the server to end, and tells what else it printed.
func (s *server) stop(t *testing.T) (rest string) {
	t.Helper()
	watchdog := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	defer watchdog.Stop()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(s.out)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Fatalf("serve after SIGTERM: %v\n%s", err, s.log.String())
	}
	return string(text)
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// The whole server, on the machine's engine: it comes up, is ready, is alone on
// its data folder, ends when told, and comes up again on the same folder.
func TestServe(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if out, err := exec.Command("sysnerd", "image", "build").CombinedOutput(); err != nil {
		t.Fatalf("image build: %v\n%s", err, out)
	}
	first := startServer(t, data)
	if status, body := get(t, first.address+"/readyz"); status != http.StatusOK {
		t.Errorf("GET /readyz = %d %s, want 200", status, body)
	}
	if status, body := get(t, first.address+"/"); status != http.StatusOK || !strings.Contains(body, "<html") {
		t.Errorf("GET / = %d %.80q, want 200 and a page", status, body)
	}

	second := exec.Command("sysnerd", "serve", "--data", data, "--listen", "127.0.0.1:0")
	said, err := second.CombinedOutput()
	if want := "another sysnerd (pid " + strconv.Itoa(first.cmd.Process.Pid) + ") uses " + data; err == nil || !strings.Contains(string(said), want) {
		t.Errorf("second serve: %v, %q, want it to fail and say %q", err, said, want)
	}

	if rest := first.stop(t); rest != "" {
		t.Errorf("serve printed more than its address: %q", rest)
	}
	again := startServer(t, data)
	if status, _ := get(t, again.address+"/healthz"); status != http.StatusOK {
		t.Errorf("GET /healthz after a restart = %d, want 200", status)
	}
	again.stop(t)
}
