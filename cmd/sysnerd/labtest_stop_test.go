package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// instanceOf is the name on the sandboxes of the first test that ran on a data folder.
func instanceOf(t *testing.T, data string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, "lab-test", "0", "instance"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func sandboxesOf(t *testing.T, instance string) []string {
	t.Helper()
	out, err := exec.Command("docker", "ps", "-aq", "--filter", "label=sysnerd.instance="+instance).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// output is what a program prints, which may be read while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// startTest starts `lab test` on a folder, and waits until a sandbox of it is there.
func startTest(t *testing.T, data string, flags ...string) (cmd *exec.Cmd, said *output) {
	t.Helper()
	cmd, said = exec.Command("sysnerd", append([]string{"lab", "test", "--data", data, "--repeat", "1000"}, flags...)...), new(output)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for deadline := time.Now().Add(patience); ; {
		if _, err := os.Stat(filepath.Join(data, "lab-test", "0", "instance")); err == nil && len(sandboxesOf(t, instanceOf(t, data))) > 0 {
			return cmd, said
		}
		if time.Now().After(deadline) {
			t.Fatalf("no sandbox came: %s", said)
		}
		time.Sleep(20 * time.Millisecond) // nothing announces a container
	}
}

// Ctrl-C ends a test with a report of what was proved, and leaves no sandbox; what a
// killed one left is removed by the next.
func TestAStoppedLabTestLeavesNothing(t *testing.T) {
	if out, err := exec.Command("sysnerd", "image", "build").CombinedOutput(); err != nil {
		t.Fatalf("image build: %v\n%s", err, out)
	}
	data := t.TempDir()
	killed, _ := startTest(t, data, "syscall-boundary/secret-path")
	instance := instanceOf(t, data)
	_ = killed.Process.Kill()
	_ = killed.Wait()
	left := sandboxesOf(t, instance)
	if len(left) == 0 {
		t.Fatal("kill -9 left nothing: there is nothing to find")
	}

	report := filepath.Join(data, "report.xml")
	stopped, said := startTest(t, data, "--junit", report, "syscall-boundary/secret-path")
	for deadline := time.Now().Add(patience); !strings.Contains(said.String(), "PASS"); {
		if time.Now().After(deadline) {
			t.Fatalf("nothing was proved: %s", said)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := stopped.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = stopped.Wait()
	if status := stopped.ProcessState.ExitCode(); status != exitFailed {
		t.Errorf("a stopped test ends with %d, want %d", status, exitFailed)
	}
	if !strings.Contains(said.String(), "sysnerd: stopped before ") {
		t.Errorf("it does not say that it was stopped: %s", said)
	}
	if text, err := os.ReadFile(report); err != nil || !bytes.Contains(text, []byte(` solve" time=`)) {
		t.Errorf("the report of what was proved: %v\n%.300s", err, text)
	}
	if now := sandboxesOf(t, instance); len(now) > 0 {
		t.Errorf("sandboxes %v are left; of them before it began: %v", now, left)
	}
}
