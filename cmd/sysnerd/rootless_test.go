package main

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sysnerd/cmd/sysnerd/doctor"
	"sysnerd/images"
	"sysnerd/images/folders"
	"sysnerd/sandbox/local/localtest"
)

// What an ordinary user without Docker does on his machine: build the image, ask the
// doctor, serve, and have his sandbox again after the server was killed.
func TestOrdinaryUser(t *testing.T) {
	needRoot(t)
	u := localtest.NewUser(t)
	self, err := exec.LookPath("sysnerd")
	if err != nil {
		t.Fatal(err)
	}
	sysnerd := u.Copy(t, self, "bin/sysnerd")
	u.Copy(t, "../../bin/runc", "bin/runc")
	giveBase(t, u)
	if said, err := u.Command(t, "", sysnerd, "image", "build").CombinedOutput(); err != nil || !strings.Contains(string(said), "is ready after") {
		t.Fatalf("image build: %v\n%s", err, said)
	}

	judged, err := u.Command(t, "", sysnerd, "doctor", "--json", "--listen", "127.0.0.1:0").Output()
	var findings []doctor.Finding
	if err == nil {
		err = json.Unmarshal(judged, &findings)
	}
	levels := map[string]doctor.Level{}
	for _, f := range findings {
		levels[f.Subject] = f.Level
	}
	if err != nil || levels["rootless"] != doctor.Warn || levels["sandbox"] != doctor.OK || levels["ptrace"] != doctor.OK || levels["compiler"] != doctor.OK {
		t.Errorf("doctor: %v\n%s\nwant a warning of what is lost, and a sandbox that works", err, judged)
	}

	serve := func() *server {
		t.Helper()
		return startBy(t, u.Command(t, "", sysnerd, "serve", "--listen", "127.0.0.1:0", "--sandbox-pool", "0", "--log-format", "json"))
	}
	s := serve()
	if s.said(t, "ROOTLESS: for you alone") == nil || s.said(t, "No limit of memory, CPU time, processes") == nil {
		t.Errorf("serve says nothing of what is lost: %s", s.log.String())
	}
	if code, body := get(t, s.address+"/readyz"); code != http.StatusOK {
		t.Errorf("GET /readyz = %d %s, want 200", code, body)
	}
	learner, id := claim(t, s.address)
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
	s = serve()
	for _, call := range []struct {
		method string
		want   int
	}{{http.MethodGet, http.StatusOK}, {http.MethodDelete, http.StatusNoContent}} {
		if status, text := ask(t, learner, call.method, s.address, id, ""); status != call.want {
			t.Errorf("%s of the sandbox, after the server was killed = %d %s, want %d", call.method, status, text, call.want)
		}
	}
	s.stop(t) // and nothing is left, see localtest

	said, err := u.Command(t, "mount --bind /dev/null /usr/bin/newuidmap", sysnerd, "serve", "--engine", "local").CombinedOutput()
	if err == nil || !strings.Contains(string(said), "apt-get install uidmap") {
		t.Errorf("serve without newuidmap: %v, %s; want the cure", err, said)
	}
}

// giveBase puts the base of this machine's image where the user's build finds it: to make
// one takes a minute, and is the same for everybody.
func giveBase(t *testing.T, u *localtest.User) {
	t.Helper()
	store, err := images.NewLocal(images.LocalDir)
	if err != nil {
		t.Fatal(err)
	}
	id, ok, err := store.Current(t.Context())
	if err != nil || !ok {
		t.Fatalf("no current image (%v); build it with: bin/sysnerd image build --engine local", err)
	}
	notes, err := folders.All(images.LocalDir)
	if err != nil {
		t.Fatal(err)
	}
	base := folders.Path(images.LocalDir, notes[id].Below)
	to := filepath.Join(u.Home, ".local/share/sysnerd-images")
	copying := exec.Command("sh", "-c", `mkdir -p "$2" && cp -a --reflink=auto "$1" "$1.json" "$2" && chown -R --no-dereference "$3:$3" "$4/.local"`,
		"sh", base, to, strconv.Itoa(u.UID), u.Home)
	if said, err := copying.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
}
