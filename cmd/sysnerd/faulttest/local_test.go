package faulttest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
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

	"sysnerd/images"
	"sysnerd/sandbox/local"
)

// runcStates is where the local engine has runc keep its state, by instance.
const runcStates = "/run/sysnerd/runc"

// daemonless is the local engine. It is in the server's helper; here is what it leaves on
// the machine.
type daemonless struct{}

func (daemonless) arguments() []string { return []string{"--engine", "local"} }

// all reads every place in which there can be something of a sandbox.
func (daemonless) all(instance string) (ids []string, err error) {
	found := map[string]bool{}
	for _, dir := range append(cgroups("/sysnerd/"+instance), filepath.Join(local.Sandboxes, instance), filepath.Join(runcStates, instance)) {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir() {
				found[e.Name()] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

func (daemonless) end(instance, id string) error {
	text, err := os.ReadFile(filepath.Join(local.Sandboxes, instance, id, "pid"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), " ")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

func (daemonless) remove(instance, id string) error {
	return command(filepath.Join(filepath.Dir(program), "runc"), "--root", filepath.Join(runcStates, instance), "delete", "--force", id)
}

// leave makes a folder that was begun, a state of runc's that is cut off, and a process in
// a cgroup which nothing else tells of; and the same for an instance whose name begins
// like ours.
func (daemonless) leave(t *testing.T, instance string) (ours, foreign []leftover) {
	t.Helper()
	make := func(instance string) []leftover {
		text := fmt.Sprintf(`{"instance":%q,"id":"aaaabbbbccccdddd"}`, instance)
		return []leftover{
			leaveFile(t, filepath.Join(local.Sandboxes, instance, "aaaabbbbccccdddd", "sandbox.json"), text),
			leaveFile(t, filepath.Join(runcStates, instance, "aaaabbbbccccddde", "state-1.tmp"), `{"id":"aaaa`),
			leaveProcess(t, "/sysnerd/"+instance+"/aaaabbbbccccdddf"),
		}
	}
	return make(instance), make(alike(instance))
}

func leaveFile(t *testing.T, path, text string) leftover {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return leftover{
		name:  path,
		there: func() bool { _, err := os.Stat(path); return err == nil },
		remove: func() {
			_ = os.RemoveAll(filepath.Dir(path))
			_ = os.Remove(filepath.Dir(filepath.Dir(path)))
		},
	}
}

// leaveProcess has a process sleep in a new cgroup of one hierarchy.
func leaveProcess(t *testing.T, cgroup string) leftover {
	t.Helper()
	root := "/sys/fs/cgroup/pids" // version 1 has it
	if _, err := os.Stat(root); err != nil {
		root = "/sys/fs/cgroup"
	}
	dir := root + cgroup
	sleeper := exec.Command("sleep", "1000")
	if err := errors.Join(os.MkdirAll(dir, 0o755), sleeper.Start()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = sleeper.Wait(); close(ended) }()
	l := leftover{
		name: dir,
		there: func() bool {
			select {
			case <-ended:
				_, err := os.Stat(dir)
				return err == nil
			default:
				return true
			}
		},
		remove: func() {
			_ = sleeper.Process.Kill()
			<-ended
			eventually(time.Second, func() bool { _ = syscall.Rmdir(dir); _, err := os.Stat(dir); return err != nil })
			_ = syscall.Rmdir(filepath.Dir(dir))
		},
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(sleeper.Process.Pid)), 0); err != nil {
		l.remove()
		t.Fatal(err)
	}
	return l
}

func (daemonless) clear(instance string) error {
	if _, err := os.Stat(filepath.Join(local.Sandboxes, instance)); err != nil {
		return nil // it had none
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	e, err := local.OpenNext(ctx, local.Config{
		Instance: instance, Dir: local.Sandboxes, Images: images.LocalDir, Program: filepath.Join(filepath.Dir(program), "runc"),
	})
	if err != nil {
		return err
	}
	left, err := e.List(ctx)
	for _, l := range left {
		err = errors.Join(err, e.Remove(ctx, l.ID))
	}
	return errors.Join(err, e.Close())
}

// cgroups are those of that path in each hierarchy, of either version.
func cgroups(path string) []string {
	v1, _ := filepath.Glob("/sys/fs/cgroup/*" + path)
	v2, _ := filepath.Glob("/sys/fs/cgroup" + path)
	return append(v1, v2...)
}

// TestStartsAreCutOff kills every runc of a server for a while, as a machine short of
// memory may: claims are answered in words meanwhile, who has a sandbox feels nothing, and
// then all works and nothing is left.
func TestStartsAreCutOff(t *testing.T) {
	t.Parallel()
	s := newServer(t, daemonless{}, "--sandbox-capacity", "24", "--sandbox-pool", "0")
	c := s.learner().claim("one").terminal("")
	c.types(counting)
	c.sees("n=3\r\n", 10*time.Second)

	stop, killed := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		defer func() { killed <- n }()
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
			for _, pid := range processes(filepath.Join(local.Sandboxes, s.instance()), "runc") {
				// Somewhere in the middle: a start takes some 50 ms.
				time.Sleep(time.Duration(n%10) * 5 * time.Millisecond)
				if syscall.Kill(pid, syscall.SIGKILL) == nil {
					n++
				}
			}
		}
	}()
	refused := 0
	for range 20 {
		a := s.learner().call("POST", "/api/v1/sandboxes", map[string]string{"module": "os", "lab": "one"})
		switch {
		case a.status == http.StatusServiceUnavailable && a.text() != "" && a.took < 10*time.Second:
			refused++
		case a.status != http.StatusCreated:
			t.Errorf("claim, its runc killed = %d %s %v after %s, want a sandbox, or 503 in words", a.status, a.body, a.err, a.took)
		}
		c.sees(fmt.Sprintf("n=%d\r\n", c.number()+5), 5*time.Second)
	}
	close(stop)
	n := <-killed
	t.Logf("%d killed, %d of 20 claims refused", n, refused)
	if n < 5 || refused < 5 {
		t.Error("too few to show anything")
	}
	s.learner().claim("other").terminal("").runs("true", 10*time.Second)
	c.judge()
	s.hasNoStrays(int(s.metric("sysnerd_sandboxes_live")))
}

// TestPartsOfSandboxesAreTakenAway has somebody remove a sandbox's folder under an open
// terminal, and leave what starts that were cut off leave, while the server runs.
func TestPartsOfSandboxesAreTakenAway(t *testing.T) {
	t.Parallel()
	s := newServer(t, daemonless{}, "--sandbox-capacity", "4", "--sandbox-pool", "0")
	by := s.learner().claim("one").terminal("")
	by.types(counting)
	by.sees("n=3\r\n", 10*time.Second)
	seat := newClass(t, s, 1).seats[0]
	ours, foreign := daemonless{}.leave(t, s.instance())
	began := time.Now()
	if err := os.RemoveAll(filepath.Join(local.Sandboxes, s.instance(), seat.ID)); err != nil {
		t.Fatal(err)
	}
	// The next sweep sees to it.
	seat.hears(began, 35*time.Second, "state", "ended")
	for _, l := range ours {
		if !eventually(time.Until(began.Add(35*time.Second)), func() bool { return !l.there() }) {
			t.Errorf("%s is still there 35 s later", l.name)
		}
	}
	for _, l := range foreign {
		if !l.there() {
			t.Errorf("%s is not ours, and was removed", l.name)
		}
		l.remove()
	}
	seat.isRenewed(t)
	by.sees(fmt.Sprintf("n=%d\r\n", by.number()+5), 5*time.Second)
	by.judge()
	s.hasNoStrays(2)
}
