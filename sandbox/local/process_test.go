package local

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestProcessIsNoOther(t *testing.T) {
	start, ok := startOf(os.Getpid())
	if !ok {
		t.Fatal("this process has no start")
	}
	self := process{os.Getpid(), start, "boot"}
	if !self.alive() {
		t.Error("this process is not alive")
	}
	// The same pid, given out again.
	former := process{os.Getpid(), start - 1, "boot"}
	if former.alive() {
		t.Error("one that started before counts as this one")
	}
	if err := former.kill(t.Context()); err != nil {
		t.Errorf("kill of one that has ended = %v", err)
	}

	file := filepath.Join(t.TempDir(), "pid")
	for text, ok := range map[string]bool{self.String(): true, "": false, "1 2 boot\n": false, "-1 2 boot": false, "77": false, "x y z": false} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readProcess(file)
		if (err == nil) != ok || ok && got != self {
			t.Errorf("read %q = %+v, %v", text, got, err)
		}
	}
}

// The dead that nobody has reaped count as ended.
func TestZombieHasEnded(t *testing.T) {
	cmd := exec.Command("true")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p := process{pid: cmd.Process.Pid}
	p.start, _ = startOf(p.pid)
	_, _ = out.Read(make([]byte, 1)) // ends with it
	_ = p.kill(t.Context())          // waits for the last of its life
	if p.alive() {
		t.Error("a zombie counts as alive")
	}
	_ = cmd.Wait()
}
