package local_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// cgroupRoots are where this machine's hierarchies are mounted.
func cgroupRoots(tb testing.TB) (roots []string) {
	tb.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		left, right, _ := strings.Cut(line, " - ")
		if strings.HasPrefix(right, "cgroup") {
			roots = append(roots, strings.Fields(left)[4])
		}
	}
	return roots
}

// inCgroup starts a process in a cgroup of that path in the first hierarchy.
func inCgroup(t *testing.T, path string) (pid int) {
	t.Helper()
	dir := filepath.Join(cgroupRoots(t)[0], path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0); err != nil {
		t.Error(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		for at := dir; filepath.Base(at) != "sysnerd" && unix.Rmdir(at) == nil; at = filepath.Dir(at) {
		}
	})
	return cmd.Process.Pid
}

// What is not of this instance stays, whatever it is called.
func TestOthersAreNotTouched(t *testing.T) {
	dir, instance, other := t.TempDir(), newInstance(), newInstance()
	stranger, odd, foreign := newID(), "UPPERCASE0123456", newID()
	keep := []string{
		filepath.Join(dir, other, stranger, "sandbox.json"),
		filepath.Join(dir, instance, odd, "sandbox.json"),
		filepath.Join(dir, instance, ".hidden", "file"),
		filepath.Join(dir, instance, foreign, "sandbox.json"),
		filepath.Join("/run/sysnerd/runc", other, stranger, "state.json"),
	}
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Join("/run/sysnerd/runc", other)) })
	for _, path := range keep {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		text := `{"instance":"` + other + `","id":"` + filepath.Base(filepath.Dir(path)) + `"}`
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	living := []int{
		inCgroup(t, "/sysnerd/"+other+"/"+stranger),
		inCgroup(t, "/sysnerd/"+instance+"/"+odd),
		inCgroup(t, "/sysnerd/"+instance+"/"+foreign),
		inCgroup(t, "/docker-of-somebody-else-"+stranger),
	}

	e := open(t, instance, dir) // sweeps
	for _, id := range []string{stranger, odd, foreign, "", ".", "..", ".hidden", "lock", "../" + other + "/" + stranger} {
		if err := e.Remove(t.Context(), id); err != nil {
			t.Errorf("Remove(%q) = %v, want nil", id, err)
		}
	}
	if all, err := e.List(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("List = %v, %v; want nothing", all, err)
	}
	for _, path := range append(keep, filepath.Join(dir, instance, "lock")) {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	for i, pid := range living {
		if unix.Kill(pid, 0) != nil || zombie(pid) {
			t.Errorf("process %d of somebody else was ended", i)
		}
	}
}

func zombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}
