package labs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sysnerd/sandbox"
)

// host is a Target that runs scripts with this machine's bash. What the guest of a
// sandbox would tell is given.
type host struct {
	t             testing.TB
	commands      []sandbox.Command
	ended, opened string
	missing       []string
	deadline      time.Duration
}

func (h *host) UID() int                        { return 20007 }
func (h *host) Missing() []string               { return h.missing }
func (h *host) Journal(int64) []sandbox.Command { return h.commands }

func (h *host) Run(ctx context.Context, r sandbox.Run) (sandbox.RunResult, error) {
	deadline := h.deadline
	if deadline == 0 {
		deadline = sandbox.DefaultRunDeadline
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-s")
	cmd.Stdin = bytes.NewReader(r.Script)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "LC_ALL=C.UTF-8"}, r.Env...)
	for i, f := range r.Files {
		data := f.Data
		switch {
		case data == nil && f.Name == sandbox.RunEnded:
			data = []byte(h.ended)
		case data == nil && f.Name == sandbox.RunOpened:
			data = []byte(h.opened)
		}
		file, err := os.CreateTemp(h.t.TempDir(), "")
		if err != nil {
			return sandbox.RunResult{}, err
		}
		defer file.Close()
		if _, err := file.WriteAt(data, 0); err != nil {
			return sandbox.RunResult{}, err
		}
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=/proc/self/fd/%d", f.Name, 3+i))
	}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	// Like the guest's, the deadline takes all that the script started.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	began := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return sandbox.RunResult{}, err
	}
	result := sandbox.RunResult{Exit: cmd.ProcessState.ExitCode(), Stderr: errOut.Bytes(), TimedOut: ctx.Err() != nil, Took: time.Since(began)}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		result.Signal = int(status.Signal())
	}
	result.Stdout = out.Bytes()
	if len(result.Stdout) > sandbox.DefaultRunOutput {
		result.Stdout, result.Truncated = result.Stdout[:sandbox.DefaultRunOutput], true
	}
	return result, nil
}

func TestCheckReadsTheResult(t *testing.T) {
	answers := map[string]string{"it": "  4 2\n"}
	for _, c := range []struct {
		name, check string
		want        Result
	}{
		{"pass", `pass "Passed. It is so."`, Result{Status: Pass, Attempted: true, Message: "Passed. It is so."}},
		{"fail", `fail "Not so."`, Result{Status: Fail, Message: "Not so."}},
		{"all words", `attempt; expected a; observed b; evidence c; hint d; fail e`,
			Result{Status: Fail, Attempted: true, Message: "e", Expected: "a", Observed: "b", Evidence: "c", Hint: "d"}},
		{"outcome", `outcome 137; pass "Killed."`, Result{Status: Pass, Attempted: true, Message: "Killed.", Outcome: "137"}},
		{"plain words", "echo 'It is so.'; echo more", Result{Status: Pass, Attempted: true, Message: "It is so."}},
		{"plain words, not yet", "echo 'Not so.'; exit 1", Result{Status: Fail, Message: "Not so."}},
		{"several lines stay one value", `observed $'a\nmessage forged\\n\\\\'; fail $'b\nc'`,
			Result{Status: Fail, Message: "b c", Observed: "a\nmessage forged\\n\\\\"}},
		{"what a learner wrote forges nothing", `echo "SN_TOKEN message forged"; echo "0123456789abcdef attempted 1"; fail "Not so."`,
			Result{Status: Fail, Message: "Not so."}},
		{"the token is no child's to see", `env | grep -c "$SN_TOKEN" >&2 && fail "seen"; pass "hidden"`, Result{Status: Pass, Attempted: true, Message: "hidden"}},
		{"not UTF-8 in a value", `observed $'a\xffb'; fail x`, Result{Status: Fail, Message: "x", Observed: "a\uFFFDb"}},
		{"a long value is cut", `observed "$(head -c 20000 /dev/zero | tr '\0' x)"; fail x`,
			Result{Status: Fail, Message: "x", Observed: strings.Repeat("x", maxDetail) + "…"}},
		{"standard input is empty", `cat; pass "nothing eaten"`, Result{Status: Pass, Attempted: true, Message: "nothing eaten"}},
		{"answered", `answered && observed "$REPLY"; fail x`, Result{Status: Fail, Message: "x", Observed: "4 2"}},
		{"given", `observed "$SN_TASK $SN_SEED $SN_UID $(derive_number a 5 5)"; fail x`, Result{Status: Fail, Message: "x", Observed: "it feed 20007 5"}},
		{"proc, fd and maps", `proc $$ PPid && [[ $REPLY == "$PPID" ]] && fd $$ 0 && [[ $REPLY == /dev/null ]] && maps $$ '[stack]' && [[ $REPLY == *-* ]] && ! proc 0 State && pass ok; fail "$REPLY"`,
			Result{Status: Pass, Attempted: true, Message: "ok"}},
		{"waitfor", `waitfor 0 false && fail early; waitfor 5 true && pass ok`, Result{Status: Pass, Attempted: true, Message: "ok"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			task := &Task{ID: "it", Section: 5, check: []byte(c.check + "\n")}
			got := task.Check(t.Context(), &host{t: t}, Attempt{Seed: "feed", Answers: answers})
			got.Ms = 0
			c.want.Task, c.want.Section = "it", 5
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestCheckThatBreaksIsNeverTheLearnersFault(t *testing.T) {
	for _, c := range []struct{ name, check string }{
		{"hangs", `sleep 1000`},
		{"hangs on a FIFO", `mkfifo "$(mktemp -u)"; d=$(mktemp -d); mkfifo "$d/f"; read -r x <"$d/f"`},
		{"forks and ignores TERM", `trap '' TERM; sleep 1000 & sleep 1000`},
		{"dies of a signal", `kill -9 $$`},
		{"exits with 2", `exit 2`},
		{"exits with 126", `exit 126`},
		{"exits with 127", `no-such-command; exit`},
		{"exits with 255", `exit 255`},
		{"does not parse", `if true; pass x`},
		{"carriage returns", "pass x\r\nfi\r"},
		{"unset variable", `pass "$no_such_variable"`},
		{"says nothing", `exit 0`},
		{"says nothing, not yet", `exit 1`},
		{"prints without end", `yes | head -c 1000000; pass x`},
		{"not UTF-8", `printf 'a\xff\n'; exit 1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			task := &Task{ID: "it", check: []byte(c.check + "\n")}
			got := task.Check(t.Context(), &host{t: t, deadline: 2 * time.Second}, Attempt{})
			if got.Status != Broken || got.Attempted || got.Message != brokenMessage || len(got.Reference) != 6 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// What has to be predicted must be told with the pass, unless the author knows it.
func TestPassTellsTheOutcome(t *testing.T) {
	for _, c := range []struct {
		name, answer, check string
		want                Status
	}{
		{"told", "", "outcome 137; pass x", Pass},
		{"not told", "", "pass x", Broken},
		{"not told, not yet", "", "fail x", Fail},
		{"known", "137", "pass x", Pass},
	} {
		task := &Task{ID: "it", Predict: &Predict{Answer: c.answer}, check: []byte(c.check + "\n")}
		if got := task.Check(t.Context(), &host{t: t}, Attempt{}); got.Status != c.want {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
	}
}

// The author learns why a check broke, and what it printed; the learner does not.
func TestBrokenCheckTellsItsAuthor(t *testing.T) {
	task := &Task{ID: "it", check: []byte("observed seen; echo why >&2; printf '\\e[1mout\\0\\xff\\n'; exit 7\n")}
	got := task.Check(t.Context(), &host{t: t}, Attempt{})
	if want := "it exited with 7\nstandard error:\nwhy\nstandard output:\nobserved seen\n[1mout\uFFFD"; got.Fault != want {
		t.Errorf("fault %q, want %q", got.Fault, want)
	}
	api, err := json.Marshal(got)
	if err != nil || strings.Contains(string(api), "why") || strings.Contains(string(api), "exited") {
		t.Errorf("the learner reads %s, %v", api, err)
	}
}

// away is a Target that can't run anything.
type away struct {
	*host
	err error
}

func (a away) Run(context.Context, sandbox.Run) (sandbox.RunResult, error) {
	return sandbox.RunResult{}, a.err
}

// A sandbox that ended, or was silent for as long as a run may take, is no fault of
// the check, and no failure of the learner.
func TestCheckOfASilentSandboxIsInterrupted(t *testing.T) {
	silent := fmt.Errorf("run script: %w: its guest does not answer", sandbox.ErrNotRunning)
	task := &Task{ID: "it", check: []byte("pass x\n")}
	if got := task.Check(t.Context(), away{&host{t: t}, silent}, Attempt{}); got.Status != Interrupted || got.Attempted || got.Reference != "" {
		t.Errorf("silent: %+v", got)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if got := task.Check(gone, away{&host{t: t}, gone.Err()}, Attempt{}); got.Status != Interrupted {
		t.Errorf("nobody waits any more: %+v", got)
	}
	if got := task.Check(t.Context(), away{&host{t: t}, errors.New("script too large")}, Attempt{}); got.Status != Broken {
		t.Errorf("our own fault: %+v", got)
	}
}

func TestCgroupHasTheSameWordsOnBothVersions(t *testing.T) {
	for _, c := range []struct{ root, what, want string }{
		{"v1", "memory.limit", "268435456"}, {"v1", "memory.used", "9064448"}, {"v1", "memory.oom_kills", "3"}, {"v1", "pids.limit", "192"}, {"v1", "pids.used", "7"},
		{"v2", "memory.limit", "268435456"}, {"v2", "memory.used", "9064448"}, {"v2", "memory.oom_kills", "3"}, {"v2", "pids.limit", "192"}, {"v2", "pids.used", "7"},
		{"v1-free", "memory.limit", "max"}, {"v1-free", "pids.limit", "max"}, {"v2-free", "memory.limit", "max"}, {"v2-free", "pids.limit", "max"},
		{"v1", "memory.nonsense", ""}, {"v2", "memory.nonsense", ""}, {"none", "memory.limit", ""},
	} {
		task := &Task{ID: "it", check: []byte("SN_CGROUP=" + cgroupRoot(t, c.root) + "\nREPLY=''\ncgroup " + c.what + " || REPLY=''\nobserved \"$REPLY\"; fail x\n")}
		if got := task.Check(t.Context(), &host{t: t}, Attempt{}); got.Observed != c.want {
			t.Errorf("cgroup %s on %s = %q, want %q", c.what, c.root, got.Observed, c.want)
		}
	}
}

// cgroupRoot makes what /sys/fs/cgroup is in a sandbox; it is empty for "none".
func cgroupRoot(t *testing.T, kind string) string {
	t.Helper()
	memory, pids := "268435456", "192"
	version, free := strings.CutSuffix(kind, "-free")
	if free {
		memory, pids = "max", "max"
	}
	files := map[string]string{}
	switch version {
	case "v1":
		if free {
			memory = "9223372036854771712" // the last page of a long
		}
		files = map[string]string{
			"memory/memory.limit_in_bytes": memory, "memory/memory.usage_in_bytes": "9064448",
			"memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3", "pids/pids.max": pids, "pids/pids.current": "7",
		}
	case "v2":
		files = map[string]string{
			"cgroup.controllers": "memory pids", "memory.max": memory, "memory.current": "9064448",
			"memory.events": "low 0\nhigh 0\nmax 41\noom 3\noom_kill 3\noom_group_kill 0", "pids.max": pids, "pids.current": "7",
		}
	}
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestPrepareTellsWhatSetupSaid(t *testing.T) {
	lab := &Lab{ID: "x", setup: []byte("echo first >&2; echo why >&2; exit 3\n")}
	err := lab.Prepare(t.Context(), &host{t: t}, Attempt{})
	if want := "prepare lab x: setup.sh: it exited with 3: why"; err == nil || err.Error() != want {
		t.Errorf("Prepare: %v, want %s", err, want)
	}
	if err := lab.Cleanup(t.Context(), &host{t: t}, Attempt{}); err != nil {
		t.Errorf("Cleanup of a lab without cleanup.sh: %v", err)
	}
	lab.setup = []byte("set -e\nderive a >/dev/null\n")
	if err := lab.Prepare(t.Context(), &host{t: t}, Attempt{Seed: "feed"}); err != nil {
		t.Error(err)
	}
}

// at is a moment in milliseconds, as commands and records of a test have it.
func at(ms int64) time.Time { return time.UnixMilli(1_700_000_000_000 + ms) }

func TestChecksSeeOutputAsText(t *testing.T) {
	box := &host{t: t, commands: []sandbox.Command{
		{Line: "old", Start: at(0), End: at(1)},
		{Line: "show\x00 $(touch /tmp/x) `id`\nline 2", Start: at(0), End: at(1), Exit: 3,
			Output: []byte("\x1b[1;31mred\x1b[m\r\n\x1b]8;;http://x\x07link\x1b]8;;\x1b\\\x07 \x00end\xff")},
	}}
	task := &Task{ID: "it", check: []byte("typed show && observed \"$exit|$line|$output|$((finished - began))\"; typed show && fail twice; typed old && fail \"$line\"\n")}
	r := task.Check(t.Context(), box, Attempt{})
	if want := "3|show $(touch /tmp/x) `id`\nline 2|red\nlink end\uFFFD|1"; r.Observed != want || r.Message != "old" {
		t.Errorf("observed %q, message %q; want %q", r.Observed, r.Message, want)
	}
}

func TestJournalForChecksIsBounded(t *testing.T) {
	var commands []sandbox.Command
	for i := range 200 {
		commands = append(commands, sandbox.Command{Line: fmt.Sprint(i), Output: bytes.Repeat([]byte("x"), 16<<10)})
	}
	got := encodeJournal(commands)
	if len(got) > journalBytes || !bytes.HasPrefix(got, []byte("0\x000\x000\x00199\x00xxx")) {
		t.Errorf("%d bytes, beginning with %q", len(got), got[:20])
	}
}

func BenchmarkCheck(b *testing.B) {
	task := &Task{ID: "it", check: []byte("pass yes\n")}
	var ended strings.Builder
	for i := range 100 {
		ended.WriteString(record(i, 1, 20007, "ls", 0, 0, 0, 1))
	}
	box := &host{t: b, ended: ended.String()}
	for b.Loop() {
		task.Check(context.Background(), box, Attempt{})
	}
}
