package faulttest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is a `sysnerd serve` at one address and on one data folder, across restarts.
type server struct {
	t       *testing.T
	on      runner
	address string // host:port
	data    string
	args    []string
	cmd     *exec.Cmd
	ended   chan error
	log     string // path
	cookies []string
}

// newServer starts one. Its data folder is made unless args name one.
func newServer(t *testing.T, on runner, args ...string) *server {
	t.Helper()
	dir, err := os.MkdirTemp(place, "server-")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, on: on, address: l.Addr().String(), data: filepath.Join(dir, "data"), log: filepath.Join(dir, "log")}
	l.Close()
	s.args = slices.Concat([]string{"serve", "--listen", s.address, "--data", s.data,
		"--labs", filepath.Join(place, "labs"), "--log-format", "json"}, on.arguments(), args)
	t.Cleanup(s.end)
	s.start()
	return s
}

// start returns when it serves.
func (s *server) start() {
	s.t.Helper()
	if err := s.try(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) try() error {
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd = exec.Command(program, s.args...)
	s.cmd.Stderr = log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	watchdog := time.AfterFunc(30*time.Second, func() { _ = s.cmd.Process.Kill() })
	line, readErr := bufio.NewReader(out).ReadString('\n')
	watchdog.Stop()
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	s.ended = ended
	if readErr != nil || !strings.HasPrefix(line, "sysnerd is at ") {
		err := <-ended
		s.ended = nil
		return fmt.Errorf("serve said %q and ended: %v\n%s", line, err, s.tail())
	}
	return nil
}

// kill ends it without a word.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
	s.ended = nil
}

// killHelper kills the process that runs its sandboxes, with which it ends.
func (s *server) killHelper() {
	s.t.Helper()
	text, err := os.ReadFile(s.log)
	if err != nil {
		s.t.Fatal(err)
	}
	helper := 0
	for line := range bytes.Lines(text) { // each start has another
		var entry struct{ Helper int }
		if json.Unmarshal(line, &entry) == nil && entry.Helper > 0 {
			helper = entry.Helper
		}
	}
	if helper == 0 {
		s.t.Fatalf("the server says nothing of a helper: %s", s.tail())
	}
	if err := syscall.Kill(helper, syscall.SIGKILL); err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-s.ended:
		s.ended = nil
	case <-time.After(20 * time.Second):
		s.t.Error("serve still runs 20 s after its helper was killed")
		s.kill()
	}
}

// stop asks it to end, and returns how long that took.
func (s *server) stop() time.Duration {
	s.t.Helper()
	began := time.Now()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Errorf("serve after SIGTERM: %v", err)
		}
	case <-time.After(20 * time.Second):
		s.t.Error("serve still runs 20 s after SIGTERM")
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	s.ended = nil
	return time.Since(began)
}

// end stops it for good and reads its log: there must be no panic and no secret in it.
func (s *server) end() {
	if s.ended != nil {
		s.kill()
	}
	text, err := os.ReadFile(s.log)
	if err != nil {
		return
	}
	for _, bad := range append([]string{"panic:", "fatal error:", "Something broke"}, s.cookies...) {
		if at := bytes.Index(text, []byte(bad)); at >= 0 {
			s.t.Errorf("the server's log has %q: %.2000s", bad, text[at:])
		}
	}
	if s.t.Failed() {
		s.t.Logf("the server's log ends with:\n%s", s.tail())
	}
	if err := s.on.clear(s.instance()); err != nil {
		s.t.Errorf("what is left of the server could not be removed: %v", err)
	}
}

func (s *server) tail() []byte {
	text, _ := os.ReadFile(s.log)
	return text[max(0, len(text)-4000):]
}

func (s *server) instance() string {
	text, err := os.ReadFile(filepath.Join(s.data, "instance"))
	if err != nil {
		return "none"
	}
	return strings.TrimSpace(string(text))
}

// metric reads one number of /metrics.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	r, err := http.Get("http://" + s.address + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return n
		}
	}
	s.t.Fatalf("no metric %s", name)
	return 0
}

// strays are sandboxes of the server's instance that are no live session, and
// not in its pool.
func (s *server) strays(live int) string {
	ids, err := s.on.all(s.instance())
	if want := live + int(s.metric("sysnerd_sandboxes_warm")); err != nil || len(ids) != want {
		return fmt.Sprintf("there are %d sandboxes, %v, %v; want %d", len(ids), ids, err, want)
	}
	return ""
}

// hasNoStrays waits as long as the sweep may take.
func (s *server) hasNoStrays(live int) {
	s.t.Helper()
	if !eventually(35*time.Second, func() bool { return s.strays(live) == "" }) {
		s.t.Errorf("35 s later: %s", s.strays(live))
	}
}
