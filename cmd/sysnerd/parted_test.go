package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/docker"
	"sysnerd/sandbox/local"
)

// needRoot fails a test of what only root can show.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("only root can part with anything: run the tests by sudo")
	}
}

// said finds an entry of a server's log by the beginning of its message.
func (s *server) said(t *testing.T, beginning string) map[string]any {
	t.Helper()
	for line := range strings.Lines(s.log.String()) {
		var entry map[string]any
		if json.Unmarshal([]byte(line), &entry) == nil && strings.HasPrefix(entry["msg"].(string), beginning) {
			return entry
		}
	}
	return nil
}

// helper is the process id of a server's helper.
func (s *server) helper(t *testing.T) int {
	t.Helper()
	entry := s.said(t, "pages run as an ordinary user")
	if entry == nil {
		t.Fatalf("the server says nothing of a helper: %s", s.log.String())
	}
	return int(entry["helper"].(float64))
}

// ends waits until a process that is nobody's child here has ended.
func ends(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(poll, int(patience.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n != 1 || err != nil {
			t.Fatalf("process %d does not end: %v", pid, err)
		}
		return
	}
}

// status are the fields of a thread's /proc status.
func status(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.Join(strings.Fields(value), " ")
	}
	return fields
}

// onEach runs a test on each engine. Its image is there: make image builds it.
func onEach(t *testing.T, test func(t *testing.T, engine string)) {
	needRoot(t)
	for _, engine := range []string{"docker", "local"} {
		t.Run(engine, func(t *testing.T) { test(t, engine) })
	}
}

// The pages' process has nothing of root in any of its threads; what it may open is
// tried with the same ids, in the same mount namespace.
func TestPagesHaveNothingOfRoot(t *testing.T) { onEach(t, testPagesHaveNothingOfRoot) }

func testPagesHaveNothingOfRoot(t *testing.T, engine string) {
	data := filepath.Join(t.TempDir(), "data")
	s := startIn(t, "", []string{"sysnerd", "serve", "--engine", engine, "--data", data, "--listen", "127.0.0.1:0", "--log-format", "json"})
	if code, body := get(t, s.address+"/readyz"); code != http.StatusOK {
		t.Errorf("GET /readyz = %d %s, want 200", code, body)
	}
	pid := s.cmd.Process.Pid
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("threads of %d: %v, %v", pid, threads, err)
	}
	var ids string // of the user: one uid, and the same gid
	for _, thread := range threads {
		got := status(t, thread)
		ids = strings.Fields(got["Uid"])[0]
		want := map[string]string{
			"Uid": strings.Repeat(ids+" ", 3) + ids, "Groups": "", "NoNewPrivs": "1",
			"CapInh": "0000000000000000", "CapPrm": "0000000000000000", "CapEff": "0000000000000000",
			"CapBnd": "0000000000000000", "CapAmb": "0000000000000000",
		}
		for name, value := range want {
			if got[name] != value || ids == "0" {
				t.Errorf("%s has %s %q, want %q", thread, name, got[name], value)
			}
		}
	}

	// A folder as an engine keeps for each sandbox.
	sandboxes := filepath.Join(data, "sandboxes")
	if err := os.MkdirAll(filepath.Join(sandboxes, "0123456789abcdef"), 0o700); err != nil {
		t.Fatal(err)
	}
	socket, err := docker.Ping(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	helper := s.helper(t)
	for _, path := range []string{
		strings.TrimPrefix(socket, "unix://"), sandboxes, sandboxes + "/0123456789abcdef", "/run/sysnerd/data/sandboxes",
		local.Sandboxes, fmt.Sprintf("/proc/%d/root%s", pid, local.Sandboxes), "/etc/shadow", fmt.Sprintf("/proc/%d/fd", helper), fmt.Sprintf("/proc/%d/root/etc", helper),
	} {
		for _, try := range []string{"open", "connect", "replace"} {
			if err := asUser(pid, ids, try, path); err == nil {
				t.Errorf("%s %s as %s succeeds, want it refused", try, path, ids)
			}
		}
	}
	// What it must have, so that the above is not refused for another reason.
	if err := asUser(pid, ids, "open", "/run/sysnerd/data/sysnerd.db"); err != nil {
		t.Errorf("open the database: %v", err)
	}
	s.stop(t)
	ends(t, helper)
}

// asUser tries something with the ids of a process and in its mount namespace.
func asUser(pid int, uid, try, path string) error {
	c := exec.Command("nsenter", "--target", strconv.Itoa(pid), "--mount", "--",
		"setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all")
	switch try {
	case "open":
		c.Args = append(c.Args, "sh", "-c", `if [ -d "$1" ]; then ls "$1"; else head -c 1 "$1"; fi`, "sh", path)
	case "connect":
		c.Args = append(c.Args, "perl", "-MIO::Socket::UNIX", "-e", `IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$!\n"`, path)
	case "replace":
		c.Args = append(c.Args, "mv", "-T", path, path+".away")
	}
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// claim gives a learner with a sandbox.
func claim(t *testing.T, address string) (learner *http.Client, id string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	learner = &http.Client{Jar: jar}
	t.Cleanup(learner.CloseIdleConnections)
	page, err := learner.Get(address + "/")
	if err != nil {
		t.Fatal(err)
	}
	page.Body.Close()
	status, text := ask(t, learner, http.MethodPost, address, "", `{"module":"operating-systems","lab":"syscall-boundary"}`)
	var made struct{ ID string }
	if err := json.Unmarshal(text, &made); err != nil || status != http.StatusCreated {
		t.Fatalf("POST /api/v1/sandboxes = %d %s, %v; want 201", status, text, err)
	}
	return learner, made.ID
}

// ask has the server at address do something with its sandboxes, as a page of its own would.
func ask(t *testing.T, learner *http.Client, method, address, sandbox, body string) (status int, text []byte) {
	t.Helper()
	r, err := http.NewRequest(method, strings.TrimSuffix(address+"/api/v1/sandboxes/"+sandbox, "/"), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", address)
	r.Header.Set("Content-Type", "application/json")
	answer, err := learner.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, text
}

// Whichever of the two is killed, the other ends, the sandbox lives on, and the next
// server has it again.
func TestKillOfEitherLeavesSandboxes(t *testing.T) { onEach(t, testKillOfEitherLeavesSandboxes) }

func testKillOfEitherLeavesSandboxes(t *testing.T, engine string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	command := []string{"sysnerd", "serve", "--engine", engine, "--data", filepath.Join(t.TempDir(), "data"), "--listen", at, "--sandbox-pool", "0", "--log-format", "json"}
	s := startIn(t, "", command)
	learner, id := claim(t, s.address)
	alive := func(when string) {
		t.Helper()
		status, text := ask(t, learner, http.MethodGet, s.address, id, "")
		var now struct{ ID string }
		if err := json.Unmarshal(text, &now); err != nil || status != http.StatusOK || now.ID != id {
			t.Errorf("%s, GET of the sandbox = %d %s, %v; want it", when, status, text, err)
		}
	}
	alive("at first")

	helper := s.helper(t)
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
	ends(t, helper)
	s = startIn(t, "", command)
	alive("after the server was killed")

	if err := syscall.Kill(s.helper(t), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(s.out); err != nil {
		t.Fatal(err)
	}
	err = s.cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitFailed || !strings.Contains(s.log.String(), "the helper that runs the sandboxes has ended; they live on") {
		t.Errorf("serve after its helper was killed: %v, %s; want status 1 and the reason", err, s.log.String())
	}
	s = startIn(t, "", command)
	alive("after the helper was killed")

	if status, text := ask(t, learner, http.MethodDelete, s.address, id, ""); status != http.StatusNoContent {
		t.Errorf("DELETE of the sandbox = %d %s, want 204", status, text)
	}
	helper = s.helper(t)
	s.stop(t)
	ends(t, helper)
}

// A folder that was root's alone goes on to serve, and the log says what became of it.
func TestFolderOfBeforeIsGiven(t *testing.T) {
	needRoot(t)
	data := filepath.Join(t.TempDir(), "data")
	first := startServer(t, data)
	first.stop(t)
	for _, name := range []string{".", "lock", "instance", "sysnerd.db"} {
		if err := os.Chown(filepath.Join(data, name), 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(data, 0o700); err != nil {
		t.Fatal(err)
	}
	second := startServer(t, data)
	if code, _ := get(t, second.address+"/"); code != http.StatusOK {
		t.Errorf("GET / = %d, want 200", code)
	}
	if second.said(t, "the data folder's database now belongs to") == nil {
		t.Errorf("nothing is said of the folder: %s", second.log.String())
	}
	second.stop(t)
	info, err := os.Stat(data)
	if err != nil || info.Mode() != fs.ModeDir|fs.ModeSticky|0o770 {
		t.Errorf("the folder is %v, %v; want it sticky, and its group's", info, err)
	}
}

// Who starts a server may have it end with himself, as a rehearsal does.
func TestServerEndsWithItsParent(t *testing.T) {
	needRoot(t)
	s := startIn(t, "", []string{"sh", "-c", `setpriv --pdeathsig TERM sysnerd serve --engine local --data "$1" --listen 127.0.0.1:0 --log-format json & wait`,
		"sh", filepath.Join(t.TempDir(), "data")})
	helper := s.helper(t)
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ends(t, helper) // which ends with its server
	_ = s.cmd.Wait()
}

func TestPortOfRootsIsListenedOn(t *testing.T) {
	needRoot(t)
	s := startIn(t, "", []string{"sysnerd", "serve", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:891", "--log-format", "json"})
	if code, _ := get(t, s.address+"/healthz"); code != http.StatusOK {
		t.Errorf("GET %s/healthz = %d, want 200", s.address, code)
	}
	s.stop(t)
}
