package labs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
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

func quiet(t *testing.T) {
	before := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { slog.SetDefault(before) })
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
	quiet(t)
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

// record is one process in the kernel's table; times as in at.
func record(pid, ppid, uid int, name string, exit, signal int, start, end int64) string {
	const epoch = 1_700_000_000_000
	return fmt.Sprintf("1\t%d\t%d\t%d\t%s\t%d\t%d\t%d\t%d\t10\t0\n", pid, ppid, uid, name, exit, signal, epoch+start, epoch+end)
}

func TestRanHoldsTheJournalAgainstTheKernel(t *testing.T) {
	const real = "1700000010100\t/usr/bin/strace\n"
	typed := sandbox.Command{Line: "strace -c ls /", Start: at(10_000), End: at(10_500)}
	for _, c := range []struct {
		name          string
		command       sandbox.Command
		ended, opened string
		missing       []string
		want          bool
	}{
		{"it ran", typed, record(5, 4, 20007, "strace", 0, 0, 10_000, 10_400), real, nil, true},
		{"an alias", sandbox.Command{Line: "s ls", Start: at(10_000), End: at(10_500)}, record(5, 4, 20007, "strace", 0, 0, 10_000, 10_400), real, nil, true},
		{"only typed", typed, "", "", nil, false},
		{"only typed, real file read", typed, record(5, 4, 20007, "cat", 0, 0, 10_000, 10_400), real, nil, false},
		{"another's process", typed, record(5, 4, 20008, "strace", 0, 0, 10_000, 10_400), real, nil, false},
		{"a copy", typed, record(5, 4, 20007, "strace", 0, 0, 10_000, 10_400), "", nil, false},
		{"a copy, real one opened later", typed, record(5, 4, 20007, "strace", 0, 0, 10_000, 10_400), "1700000013000\t/usr/bin/strace\n", nil, false},
		{"long before", typed, record(5, 4, 20007, "strace", 0, 0, 5_000, 6_000), real, nil, false},
		{"long after", typed, record(5, 4, 20007, "strace", 0, 0, 10_000, 19_000), real, nil, false},
		{"another name", typed, record(5, 4, 20007, "strace2", 0, 0, 10_000, 10_400), real, nil, false},
		{"still runs", sandbox.Command{Line: "strace -c ls /", Start: at(10_000)}, record(5, 4, 20007, "strace", 0, 0, 10_000, 10_400), real, nil, false},
		{"no accounting", typed, "", real, []string{"accounting"}, true},
		{"no inotify", typed, record(5, 4, 20007, "strace", 0, 0, 10_000, 10_400), "", []string{"inotify"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			task := &Task{ID: "it", check: []byte("ran strace && pass yes; fail no\n")}
			box := &host{t: t, commands: []sandbox.Command{c.command}, ended: c.ended, opened: c.opened, missing: c.missing}
			if r := task.Check(t.Context(), box, Attempt{}); (r.Status == Pass) != c.want || r.Status == Broken {
				t.Errorf("ran strace: %+v, want %v", r, c.want)
			}
		})
	}
}

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
