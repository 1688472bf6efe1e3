package faulttest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestEngineIsSickly has the engine slow, cut off and hanging, behind a relay: row
// Engine of the table. It is reached by TCP, as if it were on another machine, so that
// links go through it; those past it know nothing of its troubles.
func TestEngineIsSickly(t *testing.T) {
	t.Parallel()
	line := newRelay(t, "tcp", "unix", own.socket())
	s := newServer(t, reached{own, "tcp://" + line.address()}, "--sandbox-capacity", "4", "--sandbox-pool", "0")
	b := s.learner().claim("one")
	c, page := b.terminal(""), b.page()
	c.types(counting)
	c.sees("n=3\r\n", 10*time.Second)

	t.Run("slow", func(t *testing.T) {
		line.slow(50 * time.Millisecond)
		defer line.slow(0)
		other := s.learner().claim("one")
		other.terminal("").runs("true", 10*time.Second)
		if verdict, a := other.check("file"); verdict != "fail" || a.took > 5*time.Second {
			t.Errorf("check = %q, %d %s after %s", verdict, a.status, a.body, a.took)
		}
		if a := other.call("DELETE", "/api/v1/sandboxes/"+other.ID, nil); a.status != http.StatusNoContent {
			t.Errorf("end = %d %s", a.status, a.body)
		}
	})

	t.Run("links-cut", func(t *testing.T) {
		for range 10 {
			began := time.Now()
			line.cut()
			page.hears(began, 5*time.Second, "state", "lost")
			page.hears(began, 10*time.Second, "state", "live")
		}
		c.sees(fmt.Sprintf("n=%d\r\n", c.number()+10), 10*time.Second)
	})

	t.Run("hanging", func(t *testing.T) {
		began := time.Now()
		line.freeze(true)
		var wg sync.WaitGroup
		for what, call := range map[string]struct {
			ask   func() answer
			bound time.Duration
		}{
			"check": {func() answer { return second(b.check("file")) }, 40 * time.Second},
			"claim": {func() answer {
				return s.learner().call("POST", "/api/v1/sandboxes", map[string]string{"module": "os", "lab": "one"})
			}, 31 * time.Second},
			"rescue": {func() answer { return b.do("rescue", nil) }, 6 * time.Second},
			"ready":  {func() answer { return b.call("GET", "/readyz", nil) }, 6 * time.Second},
			"page":   {func() answer { return b.call("GET", "/os/labs/one", nil) }, time.Second},
		} {
			wg.Go(func() {
				a := call.ask()
				if what == "page" {
					if a.status != http.StatusOK || a.took > call.bound {
						t.Errorf("the lab's page, the engine hanging = %d after %s", a.status, a.took)
					}
					return
				}
				if a.err != nil || a.took > call.bound || a.status != http.StatusServiceUnavailable || what != "ready" && a.text() == "" {
					t.Errorf("%s, the engine hanging = %d %s %v after %s, want 503 in words within %s", what, a.status, a.body, a.err, a.took, call.bound)
				}
			})
		}
		page.hears(began, 15*time.Second, "notice", "silent")
		wg.Wait()
		line.freeze(false)
		at := c.number()
		c.sees(fmt.Sprintf("n=%d\r\n", at+10), 20*time.Second)
		// The rescue that was given up may come through the old link yet, and end a check.
		if !eventually(10*time.Second, func() bool { verdict, _ := b.check("file"); return verdict == "fail" }) {
			t.Error("no check answers after that")
		}
	})
	c.judge()
	// The claim that was given up may have been made all the same.
	s.hasNoStrays(int(s.metric("sysnerd_sandboxes_live")))
}

// TestWhoHasASandboxDoesNotFeelTheEngine has the engine cut off and hanging where it is on
// this machine: terminals and checks do without it.
func TestWhoHasASandboxDoesNotFeelTheEngine(t *testing.T) {
	t.Parallel()
	line := newRelay(t, "unix", "unix", own.socket())
	s := newServer(t, reached{own, "unix://" + line.address()}, "--sandbox-capacity", "4", "--sandbox-pool", "0")
	b := s.learner().claim("one")
	c := b.terminal("")
	c.types(counting)
	c.sees("n=3\r\n", 10*time.Second)
	line.freeze(true)
	line.cut()
	claimed := make(chan answer, 1)
	go func() {
		claimed <- s.learner().call("POST", "/api/v1/sandboxes", map[string]string{"module": "os", "lab": "one"})
	}()
	for range 3 {
		c.sees(fmt.Sprintf("n=%d\r\n", c.number()+10), 5*time.Second)
		if verdict, a := b.check("file"); verdict != "fail" || a.took > 5*time.Second {
			t.Errorf("check, the engine hanging = %q, %d %s after %s", verdict, a.status, a.body, a.took)
		}
	}
	if a := <-claimed; a.err != nil || a.status != http.StatusServiceUnavailable || a.took > 31*time.Second || a.text() == "" {
		t.Errorf("claim, the engine hanging = %d %s %v after %s, want 503 in words", a.status, a.body, a.err, a.took)
	}
	line.freeze(false)
	c.judge()
	s.hasNoStrays(int(s.metric("sysnerd_sandboxes_live")))
}

// TestEndWhileTheEngineHangs ends a server whose warm sandboxes can't be removed, with a
// claim under way.
func TestEndWhileTheEngineHangs(t *testing.T) {
	t.Parallel()
	line := newRelay(t, "unix", "unix", own.socket())
	s := newServer(t, reached{own, "unix://" + line.address()}, "--sandbox-capacity", "6", "--sandbox-pool", "2")
	b := s.learner().claim("one")
	c := b.terminal("")
	c.types(counting)
	c.sees("n=3\r\n", 10*time.Second)
	if !eventually(20*time.Second, func() bool { return s.metric("sysnerd_sandboxes_warm") == 2 }) {
		t.Fatalf("%v warm sandboxes, want 2", s.metric("sysnerd_sandboxes_warm"))
	}
	line.freeze(true)
	line.cut()
	var claims sync.WaitGroup
	for range 3 { // the last is not in the pool
		l := s.learner()
		claims.Go(func() { l.call("POST", "/api/v1/sandboxes", map[string]string{"module": "os", "lab": "one"}) })
	}
	if !eventually(5*time.Second, func() bool { return s.metric("sysnerd_sandboxes_live") == 4 }) {
		t.Errorf("%v sandboxes in use, want one and three claimed", s.metric("sysnerd_sandboxes_live"))
	}
	if took := s.stop(); took > 10*time.Second {
		t.Errorf("SIGTERM, the engine hanging: ended after %s, want at most 10 s", took)
	}
	claims.Wait()
	line.freeze(false)
	s.start()
	c.sees(fmt.Sprintf("n=%d\r\n", c.number()+10), 20*time.Second)
	c.judge()
	s.hasNoStrays(int(s.metric("sysnerd_sandboxes_live")))
}

// TestDataDirectory fills the disk under the data folder, then has it turn
// read-only, as file systems do after an error: row Server of the table.
func TestDataDirectory(t *testing.T) {
	t.Parallel()
	onEach(t, always, testDataDirectory)
}

func testDataDirectory(t *testing.T, on runner) {
	disk := newDisk(t)
	s := newServer(t, on, "--sandbox-capacity", "4", "--sandbox-pool", "0", "--data", filepath.Join(disk, "data"))
	s.data = filepath.Join(disk, "data")
	b := s.learner().claim("one")
	c := b.terminal("")
	c.runs("touch done", 10*time.Second)
	if verdict, a := b.check("file"); verdict != "pass" {
		t.Fatalf("check = %q, %d %s", verdict, a.status, a.body)
	}
	c.types(counting)
	c.sees("n=3\r\n", 10*time.Second)

	saves := func(value string) answer {
		return b.do("answer", map[string]string{"task": "word", "value": value})
	}
	refuses := func(t *testing.T) {
		t.Helper()
		// What there is room for yet, is taken.
		for i := range 1000 {
			a := saves(strings.Repeat("x", 4000) + fmt.Sprint(i))
			if a.status == http.StatusOK {
				continue
			}
			if a.status != http.StatusServiceUnavailable || !strings.Contains(a.text(), "can't write down") {
				t.Errorf("answer = %d %s, want 503 that says so", a.status, a.body)
			}
			break
		}
		if a := saves("secret"); a.status == http.StatusOK {
			t.Errorf("answer = %d %s, though nothing can be kept", a.status, a.body)
		}
		if a := b.do("extend", nil); a.status == http.StatusOK {
			t.Errorf("extend = %d %s, though nothing can be kept", a.status, a.body)
		}
		if passed, _ := b.progress("word"); passed {
			t.Error("what could not be kept counts as passed")
		}
		if passed, _ := b.progress("file"); !passed {
			t.Error("what was kept before is lost")
		}
		c.sees(fmt.Sprintf("n=%d\r\n", c.number()+10), 10*time.Second)
		b.terminal("?tab=2").runs("true", 10*time.Second)
	}

	t.Run("full", func(t *testing.T) {
		fill := filepath.Join(disk, "fill")
		f, err := os.Create(fill)
		if err != nil {
			t.Fatal(err)
		}
		for size := 1 << 20; size > 0; size /= 2 {
			for err = nil; err == nil; {
				_, err = f.Write(make([]byte, size))
			}
		}
		f.Close()
		refuses(t)
		if err := os.Remove(fill); err != nil {
			t.Fatal(err)
		}
		if a := saves("secret"); a.verdict() != "pass" {
			t.Errorf("answer once there is room = %d %s", a.status, a.body)
		}
	})

	t.Run("full-at-start", func(t *testing.T) {
		tiny := filepath.Join(t.TempDir(), "tiny")
		if err := os.Mkdir(tiny, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("tmpfs", tiny, "tmpfs", 0, "size=4k"); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = syscall.Unmount(tiny, syscall.MNT_DETACH) }()
		if err := os.WriteFile(filepath.Join(tiny, "fill"), make([]byte, 4096), 0o600); err != nil {
			t.Fatal(err)
		}
		failsToStart(t, s, tiny, "is full; free some space there")
		if err := syscall.Mount("", tiny, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		failsToStart(t, s, tiny, "read-only file system; make it writable")
	})

	t.Run("read-only", func(t *testing.T) {
		// What ext4 does after an error, on request (ext4(5), "abort").
		if err := command("mount", "-o", "remount,abort", disk); err != nil {
			t.Fatal(err)
		}
		passed, _ := b.progress("word")
		if !passed {
			t.Error("what was kept before is lost")
		}
		if a := saves("other"); a.status != http.StatusServiceUnavailable || !strings.Contains(a.text(), "can't write down") {
			t.Errorf("answer = %d %s, want 503 that says so", a.status, a.body)
		}
		c.sees(fmt.Sprintf("n=%d\r\n", c.number()+10), 10*time.Second)
		b.terminal("?tab=3").runs("true", 10*time.Second)
		if took := s.stop(); took > 10*time.Second {
			t.Errorf("SIGTERM: ended after %s, want at most 10 s", took)
		}
	})
}

// failsToStart says that a server on this data folder ends at once and says why.
func failsToStart(t *testing.T, like *server, data, want string) {
	t.Helper()
	s := &server{t: t, log: filepath.Join(t.TempDir(), "log"), args: append(append([]string{}, like.args...), "--listen", "127.0.0.1:0", "--data", data)}
	err := s.try()
	if err == nil {
		s.kill()
		t.Errorf("serve --data %s runs", data)
	} else if !strings.Contains(err.Error(), want) {
		t.Errorf("serve --data %s: %v; want it to say %q", data, err, want)
	}
}

// newDisk mounts a small file system on a file.
func newDisk(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(place, "disk-")
	if err != nil {
		t.Fatal(err)
	}
	file, on := filepath.Join(dir, "file"), filepath.Join(dir, "mounted")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 8<<20); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(on, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := command("mkfs.ext4", "-q", "-O", "^has_journal", file); err != nil {
		t.Fatal(err)
	}
	if err := command("mount", "-o", "loop", file, on); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(on, syscall.MNT_DETACH) })
	return on
}
