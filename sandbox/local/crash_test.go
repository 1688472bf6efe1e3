package local_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sysnerd/images"
	"sysnerd/sandbox/local"
)

// The test's program starts sandboxes for the folder and the instance of these.
const (
	starterDir      = "SYSNERD_TEST_STARTER_DIR"
	starterInstance = "SYSNERD_TEST_STARTER_INSTANCE"
)

// startFor starts sandboxes, two at a time, until it is killed.
func startFor(dir, instance string) {
	e, err := local.Open(context.Background(), config(instance, dir))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	store, err := images.NewLocal(images.LocalDir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	image, _, _ := store.Current(context.Background())
	for worker := range 2 {
		go func() {
			for slot := worker; ; slot += 2 {
				id := newID()
				fmt.Println("start", id)
				if err := e.Create(context.Background(), spec(instance, id, image, slot%1000)); err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
			}
		}()
	}
	select {}
}

const (
	// killed is how often a server is killed in the middle of its starts, and each this
	// much later than the one before, so that all moments of a start are met.
	killed = 40
	later  = 4 * time.Millisecond
)

func TestKilledServerLeavesNothing(t *testing.T) {
	dir, instance := t.TempDir(), newInstance()
	image(t)
	step := 1
	if os.Geteuid() != 0 {
		step = 4 // for an ordinary user it is one test of many in one, see TestRootless
	}
	for i := 0; i < killed; i += step {
		killStarter(t, dir, instance, time.Duration(i)*later)
	}
	e := open(t, instance, dir)
	whole, err := e.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expect := map[string]bool{}
	for _, l := range whole {
		if !l.Running {
			t.Errorf("%s is whole, and does not run", l.ID)
		}
		expect[l.ID] = true
		conn, err := e.Attach(t.Context(), l.ID)
		if err != nil {
			t.Errorf("attach to one that is whole: %v", err)
			continue
		}
		_ = conn.Close()
	}
	t.Logf("after %d kills %d sandboxes are whole", killed/step, len(whole))
	for _, place := range places(t, dir, instance) {
		if !expect[filepath.Base(place)] {
			t.Errorf("%s is left", place)
		}
	}
	for _, l := range whole {
		if err := e.Remove(t.Context(), l.ID); err != nil {
			t.Error(err)
		}
	}
	for _, place := range places(t, dir, instance) {
		t.Errorf("after all were removed, %s is left", place)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, dir) || strings.Contains(line, images.LocalDir) || strings.Contains(line, instance) {
			t.Errorf("still mounted on the host: %s", line)
		}
	}
	for _, line := range commandLines(t) {
		if strings.Contains(line, instance) {
			t.Errorf("still running: %q", line)
		}
	}
}

// killStarter runs a starter and kills it some time after its first start has begun.
func killStarter(t *testing.T, dir, instance string, after time.Duration) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), starterDir+"="+dir, starterInstance+"="+instance)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "start ") {
		t.Errorf("starter said %q, %v", line, err)
	}
	<-time.After(after) // what is tried here is this moment
	_ = cmd.Process.Kill()
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		if !strings.HasPrefix(line, "start ") {
			t.Errorf("starter said %q", line)
		}
	}
	var ended *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &ended) || ended.ExitCode() != -1 {
		t.Errorf("the starter ended by itself: %v", err)
	}
}

// named is what is called after a sandbox, as runc and runsc do.
var named = regexp.MustCompile(`^(runsc-)?[a-z0-9]{16}([_.]|$)`)

// places are all in which something of an instance's sandboxes can be left.
func places(t *testing.T, dir, instance string) (all []string) {
	t.Helper()
	cfg := config(instance, dir)
	parents := []string{filepath.Join(dir, instance), filepath.Join(cmp.Or(cfg.State, "/run/sysnerd/runc"), instance)}
	for _, root := range cgroupRoots(t) {
		parents = append(parents, filepath.Join(root, cmp.Or(cfg.Cgroup, "/sysnerd"), instance))
	}
	for _, parent := range parents {
		entries, _ := os.ReadDir(parent)
		for _, entry := range entries {
			if named.MatchString(entry.Name()) || strings.HasSuffix(entry.Name(), ".part") {
				all = append(all, filepath.Join(parent, entry.Name()))
			}
		}
	}
	return all
}

func commandLines(t *testing.T) (all []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			all = append(all, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return all
}

// Whoever gives up a start is left with a whole sandbox or with none.
func TestCancelledCreateLeavesNothing(t *testing.T) {
	dir, instance := t.TempDir(), newInstance()
	e, image := open(t, instance, dir), image(t)
	given := 0
	for i := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*5*time.Millisecond)
		s := spec(instance, newID(), image, i)
		err := e.Create(ctx, s)
		cancel()
		switch {
		case err == nil:
			if err := e.Remove(t.Context(), s.ID); err != nil {
				t.Error(err)
			}
		case errors.Is(err, context.DeadlineExceeded):
			given++
		default:
			t.Errorf("Create after %d ms = %v", i*5, err)
		}
		for _, place := range places(t, dir, instance) {
			t.Errorf("given up after %d ms, %s is left", i*5, place)
		}
	}
	if given == 0 {
		t.Error("no start was given up: nothing was tried")
	}
}
