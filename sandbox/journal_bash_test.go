package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// shell is a real bash on a real pty with the sandbox's bash.bashrc, read by a journal.
type shell struct {
	t       *testing.T
	tab     int
	pty     *os.File
	cmd     *exec.Cmd
	journal *Journal
	offset  int64
	output  strings.Builder
}

// rcFile is what every bash of a sandbox reads.
func rcFile(t *testing.T) string {
	t.Helper()
	rc, err := filepath.Abs("../images/files/bash.bashrc")
	if err != nil {
		t.Fatal(err)
	}
	return rc
}

func startShell(t *testing.T) *shell {
	t.Helper()
	return startShellIn(t, NewJournal(), 1)
}

func startShellIn(t *testing.T, j *Journal, tab int) *shell {
	t.Helper()
	s := &shell{t: t, tab: tab, journal: j}
	s.begin()
	s.until(func([]Command) bool { return s.prompts() == 1 })
	return s
}

// begin starts a bash on a pty of its own.
func (s *shell) begin() {
	s.t.Helper()
	cmd := exec.Command("bash", "--rcfile", rcFile(s.t), "-i")
	home := s.t.TempDir()
	cmd.Dir = home
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + home, "TERM=xterm-256color", "LANG=C.UTF-8"}
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 200})
	if err != nil {
		s.t.Fatal(err)
	}
	s.pty, s.cmd = f, cmd
	s.t.Cleanup(func() {
		f.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// prompts counts those that were printed.
func (s *shell) prompts() int { return strings.Count(s.output.String(), "\x1b]133;B\a") }

// until reads the terminal until done says so, and returns the commands that ended.
func (s *shell) until(done func(ended []Command) bool) []Command {
	s.t.Helper()
	var ended []Command
	buf := make([]byte, 4096)
	// Reading the terminal ends when its shell does.
	watch := time.AfterFunc(15*time.Second, func() { _ = s.cmd.Process.Kill() })
	defer watch.Stop()
	for !done(ended) {
		n, err := s.pty.Read(buf)
		if err != nil {
			s.t.Fatalf("the shell is gone: %v; it printed %q", err, s.output.String())
		}
		s.output.Write(buf[:n])
		for _, c := range s.journal.Feed(s.tab, s.offset, buf[:n], time.Now()) {
			if !c.End.IsZero() {
				ended = append(ended, c)
			}
		}
		s.offset += int64(n)
	}
	return ended
}

// do types a line and returns the command that the journal made of it.
func (s *shell) do(line string) Command {
	s.t.Helper()
	s.pty.WriteString(line + "\r")
	want := s.prompts() + 1
	ended := s.until(func(ended []Command) bool { return s.prompts() == want })
	if len(ended) != 1 {
		s.t.Fatalf("%q: %d commands ended; the shell printed %q", line, len(ended), s.output.String())
	}
	return ended[0]
}

func (s *shell) expect(typed, line string, exit int, output string) {
	s.t.Helper()
	c := s.do(typed)
	if c.Line != line || c.Exit != exit || string(c.Output) != output {
		s.t.Errorf("typed %q: line %q, exit %d, output %q; want %q, %d, %q", typed, c.Line, c.Exit, c.Output, line, exit, output)
	}
}

func TestBashTellsEveryLine(t *testing.T) {
	s := startShell(t)
	for _, c := range []struct {
		typed  string
		exit   int
		output string
	}{
		{"true", 0, ""},
		{"echo one", 0, "one\r\n"},
		{"false", 1, ""},
		{"false", 1, ""}, // the same again
		{"  echo blanks in front", 0, "blanks in front\r\n"},
		{`printf '%s;%s\n' 'a\x3bb' "\\"`, 0, "a\\x3bb;\\\r\n"},
		{"echo übung ☃ ; (exit 7)", 7, "übung ☃\r\n"},
		{"echo $NO_COLOR [$PROMPT_COMMAND]", 0, "1 []\r\n"},
		{"unset HISTFILE; HISTCONTROL=ignoreboth HISTIGNORE='pw*:[xy]'", 0, ""},
		{"__sn_room=100000", 0, ""},
		{" echo kept out of the history", 0, "kept out of the history\r\n"},
		{"pwd -P >/dev/null", 0, ""},
		{"echo $HISTCONTROL $HISTIGNORE", 0, "ignoreboth pw*:[xy]\r\n"},
		{"history | grep -c -e 'kept out' -e 'pwd -P'", 0, "1\r\n"}, // itself
		{"unset HISTCONTROL HISTIGNORE", 0, ""},
		{"sh -c 'kill -9 $$' 2>/dev/null", 137, "Killed\r\n"},
		{"bash -c 'exit 3'", 3, ""},
		{"set -u", 0, ""},
		{"echo still", 0, "still\r\n"},
		{"set +u -e", 0, ""},
		{"! true", 1, ""},
		{"set +e", 0, ""},
		{"trap 'x=$BASH_COMMAND' DEBUG", 0, ""},
		{"IFS=x; set -f; echo a b", 0, "a b\r\n"},
		{"PROMPT_COMMAND='(exit 5)'", 0, ""},
		{"echo $?", 0, "0\r\n"},
		{"(exit 9)", 9, ""},
		{"echo $?", 0, "9\r\n"},
		{"alias printf=nonsense fc=nonsense; echo done", 0, "done\r\n"},
		{"echo really done", 0, "really done\r\n"},
	} {
		s.expect(c.typed, c.typed, c.exit, c.output)
	}
}

func TestBashTellsLinesOverSeveralLines(t *testing.T) {
	s := startShell(t)
	s.expect("for i in 1 2\rdo echo $i\rdone", "for i in 1 2; do echo $i; done", 0, "1\r\n2\r\n")
	s.expect("cat <<.\rtext; \\x41\r.", "cat <<.\ntext; \\x41\n.", 0, "text; \\x41\r\n")
	s.expect("echo 'a\rb'", "echo 'a\nb'", 0, "a\r\nb\r\n")
}

func TestBashTellsShellsInShells(t *testing.T) {
	s := startShell(t)
	rc := rcFile(t)
	s.pty.WriteString("bash --rcfile " + rc + "\r")
	s.until(func([]Command) bool { return s.prompts() == 2 })
	s.expect("echo inner", "echo inner", 0, "inner\r\n")
	s.pty.WriteString("exit 4\r")
	ended := s.until(func([]Command) bool { return s.prompts() == 4 })
	if len(ended) != 2 || ended[0].Exit != -1 || ended[1].Exit != 4 || ended[1].Line != "bash --rcfile "+rc {
		t.Errorf("after exit: %+v", ended)
	}
	s.expect("echo outer", "echo outer", 0, "outer\r\n")
}

func TestBashLivesWithoutItsMarks(t *testing.T) {
	s := startShell(t)
	s.expect("set +o history", "set +o history", 0, "")
	if c := s.do("echo not in the history"); c.Line != "" || c.Exit != 0 || string(c.Output) != "not in the history\r\n" {
		t.Errorf("without a history: %+v", c)
	}
	s.expect("set -o history", "", 0, "")

	// What an own prompt breaks is told by the next command at the latest.
	s.pty.WriteString("PS1='mine> '; PROMPT_COMMAND=(); unset __sn_one __sn_ran\r")
	s.until(func([]Command) bool { return strings.HasSuffix(s.output.String(), "mine> ") })
	s.pty.WriteString("echo mi''ne\r")
	ended := s.until(func([]Command) bool { return strings.HasSuffix(s.output.String(), "mine\r\n\x1b[?2004hmine> ") })
	if len(ended) != 1 || ended[0].Exit != -1 {
		t.Errorf("the command before: %+v", ended)
	}
	all := s.journal.Commands(0)
	if c := all[len(all)-1]; !strings.HasPrefix(string(c.Output), "mine\r\n") {
		t.Errorf("the command: %+v", c)
	}
}

// typeAndAwait types without waiting for a prompt, and then reads until text was printed.
func (s *shell) typeAndAwait(keys, text string) []Command {
	s.t.Helper()
	from := s.output.Len()
	s.pty.WriteString(keys)
	return s.until(func([]Command) bool { return strings.Contains(s.output.String()[from:], text) })
}

// await waits until that program has the terminal, and sleeps in it.
func (s *shell) await(program string) {
	s.t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		front, err := unix.IoctlGetInt(int(s.pty.Fd()), unix.TIOCGPGRP)
		if err != nil {
			s.t.Fatal(err)
		}
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", front))
		if strings.Contains(string(stat), "("+program+") S") {
			return
		}
	}
	s.t.Fatalf("%s does not wait in the terminal", program)
}

func TestBashTellsWhatProcessesPrint(t *testing.T) {
	s := startShell(t)
	for _, c := range []struct {
		typed  string
		exit   int
		output string
	}{
		{"(echo a; (echo b; exit 3))", 3, "a\r\nb\r\n"},
		{"sh -c 'echo in sh; exit 5'", 5, "in sh\r\n"},
		{"printf 'a\\nb\\n' | sort -r | tr a-z A-Z", 0, "B\r\nA\r\n"},
		{"echo $(echo inside; exit 9) done", 0, "inside done\r\n"},
		{"(sleep 0.05; echo late) & wait", 0, ""},
		{"env -i /bin/echo bare", 0, "bare\r\n"},
		{"exec 7>&1; echo seven >&7; exec 7>&-", 0, "seven\r\n"},
		{"set -m; { echo group; } 2>&1; false || true", 0, "group\r\n"},
	} {
		got := s.do(c.typed)
		if got.Line != c.typed || got.Exit != c.exit || !strings.HasSuffix(string(got.Output), c.output) {
			t.Errorf("typed %q: line %q, exit %d, output %q; want exit %d, output %q", c.typed, got.Line, got.Exit, got.Output, c.exit, c.output)
		}
	}
}

func TestBashTellsInterruptedCommands(t *testing.T) {
	s := startShell(t)
	const long = "echo begun; sleep 100"
	s.typeAndAwait(long+"\r", "begun\r\n")
	s.await("sleep")
	want := s.prompts() + 1
	s.pty.WriteString("\x03")
	ended := s.until(func([]Command) bool { return s.prompts() == want })
	if len(ended) != 1 || ended[0].Exit != 130 || ended[0].Line != long {
		t.Fatalf("after Ctrl-C: %+v", ended)
	}
	// A line that was never finished is no command, nor a here-document.
	for _, keys := range []string{"echo half", "cat <<.\rline"} {
		want := s.prompts() + 1
		s.typeAndAwait(keys, keys[len(keys)-3:]) // the kernel drops with Ctrl-C what nobody has read
		s.await("bash")
		s.pty.WriteString("\x03")
		if ended := s.until(func([]Command) bool { return s.prompts() == want }); len(ended) != 0 {
			t.Errorf("%q and Ctrl-C: %+v", keys, ended)
		}
	}
	s.expect("echo after", "echo after", 0, "after\r\n")
}

// What a job prints behind its command's end is kept with it until the next begins.
func TestBashTellsWhatJobsPrintLate(t *testing.T) {
	s := startShell(t)
	first := s.do("(sleep 0.3; echo late'-1') &")
	s.until(func([]Command) bool { return strings.Contains(s.output.String(), "late-1\r\n") })
	all := s.journal.Commands(first.Seq - 1)
	if c := all[0]; !strings.Contains(string(c.Late), "late-1\r\n") || c.Next != -1 || strings.Contains(string(c.Output), "late-1") {
		t.Errorf("behind its end: %+v", c)
	}
	if strings.Contains(string(all[0].Late), "\x1b[36m") {
		t.Errorf("the prompt counts as output: %q", all[0].Late)
	}
	second := s.do("echo second")
	all = s.journal.Commands(first.Seq - 1)
	if all[0].Next != second.From || second.From <= all[0].Until || all[0].Until < all[0].From {
		t.Errorf("places: %d to %d, next %d; the next from %d", all[0].From, all[0].Until, all[0].Next, second.From)
	}
	if c := all[1]; c.Line != "echo second" || strings.Contains(string(c.Late), "late-1") {
		t.Errorf("the next: %+v", c)
	}
}

func TestBashTellsTheEndOfLongOutput(t *testing.T) {
	s := startShell(t)
	c := s.do("seq 20000; echo the very end")
	if !c.Cut || len(c.Output) != journalOutput || len(c.Tail) != journalTail || !strings.HasSuffix(string(c.Tail), "20000\r\nthe very end\r\n") {
		t.Errorf("%d bytes of output, %d of its end: %q", len(c.Output), len(c.Tail), c.Tail)
	}
	s.expect("echo short", "echo short", 0, "short\r\n")
}

func TestBashTellsVeryLongLines(t *testing.T) {
	s := startShell(t)
	line := ": " + strings.Repeat("long ", 6000)
	go s.pty.WriteString(line + "\r")
	ended := s.until(func(ended []Command) bool { return len(ended) == 1 })
	if got := ended[0]; len(got.Line) != journalLine || !strings.HasPrefix(line, got.Line) || got.Exit != 0 {
		t.Errorf("a line of %d bytes: %d kept, exit %d", len(line), len(got.Line), got.Exit)
	}
	s.until(func([]Command) bool { return s.prompts() == 2 })
	s.expect("echo after", "echo after", 0, "after\r\n")
}

func TestBashIsReplaced(t *testing.T) {
	s := startShell(t)
	rc := rcFile(t)
	// By itself: the command that did it never ends in the shell that began it.
	s.pty.WriteString("exec bash --rcfile " + rc + "\r")
	ended := s.until(func([]Command) bool { return s.prompts() == 2 })
	if len(ended) != 1 || ended[0].Exit != -1 {
		t.Errorf("exec bash: %+v", ended)
	}
	s.expect("echo new", "echo new", 0, "new\r\n")

	// By force, with a shell in it, in the middle of something.
	s.pty.WriteString("bash --rcfile " + rc + "\r")
	s.until(func([]Command) bool { return s.prompts() == 4 })
	s.typeAndAwait("echo begun; sleep 100\r", "begun\r\n")
	running := s.journal.Commands(0)
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.pty.Close()
	s.journal.Exited(1, s.offset)
	s.begin()
	s.output.Reset()
	ended = s.until(func([]Command) bool { return s.prompts() == 1 })
	if len(ended) != 2 || ended[0].Seq != running[len(running)-1].Seq || ended[0].Exit != -1 || ended[1].Exit != -1 {
		t.Errorf("the shell was ended: %+v", ended)
	}
	s.expect("echo again", "echo again", 0, "again\r\n")
	if n := len(s.journal.tabs[1].running); n != 0 {
		t.Errorf("%d commands still run", n)
	}
}

func TestBashWithinAShellThatTellsNothing(t *testing.T) {
	for _, inner := range []string{"sh", "bash --norc --noprofile", "bash --posix --norc"} {
		s := startShell(t)
		line := "PS1=rea''dy'> ' " + inner
		s.typeAndAwait(line+"\r", "ready> ")
		s.typeAndAwait("echo in''ner\r", "inner\r\n")
		all := s.journal.Commands(0)
		if c := all[len(all)-1]; !c.End.IsZero() || !strings.Contains(string(c.Output), "inner\r\n") {
			t.Errorf("%s: %+v", inner, c)
		}
		want := s.prompts() + 1
		s.pty.WriteString("exit 3\r")
		ended := s.until(func([]Command) bool { return s.prompts() == want })
		if len(ended) != 1 || ended[0].Exit != 3 || ended[0].Line != line {
			t.Errorf("%s, ended: %+v", inner, ended)
		}
	}
}

// Marks that a learner prints end his own command too early, and nothing else.
func TestBashGoesOnAfterForgedMarks(t *testing.T) {
	s := startShell(t)
	for _, forged := range []string{
		`printf '\e]133;D;0\a\e]633;E;forged\a\e]133;C\aout\n\e]133;D;0\a'`,
		`printf "\e]133;D;0;aid=$$\a\e]633;E;forged\a\e]133;C;aid=$$\aout\n"`,
		`printf '\e]133;A\a'`,
		`printf '\e]133;C;aid=1\a\e]133;C;aid=2\a\e]133;C;aid=3\a'`,
		`printf '\e]133;D;'`,
		`printf '\e]633;E;never ended'`,
		`printf '\e'`,
	} {
		want := s.prompts() + 1
		s.pty.WriteString(forged + "\r")
		s.until(func([]Command) bool { return s.prompts() == want })
		s.expect("echo honest", "echo honest", 0, "honest\r\n")
	}
}

func TestBashInSeveralTabs(t *testing.T) {
	j := NewJournal()
	one, two := startShellIn(t, j, 1), startShellIn(t, j, 2)
	one.typeAndAwait("read -r x; echo one $x\r", "\x1b]133;C")
	two.expect("echo two", "echo two", 0, "two\r\n")
	two.typeAndAwait("read -r x; echo more $x\r", "\x1b]133;C")
	c := one.do("go")
	if c.Tab != 1 || c.Line != "read -r x; echo one $x" || !strings.HasSuffix(string(c.Output), "one go\r\n") {
		t.Errorf("tab 1: %+v", c)
	}
	c = two.do("on")
	if c.Tab != 2 || c.Line != "read -r x; echo more $x" || !strings.HasSuffix(string(c.Output), "more on\r\n") {
		t.Errorf("tab 2: %+v", c)
	}
	for i, c := range j.Commands(0) {
		if c.Seq != int64(i+1) {
			t.Errorf("command %d has number %d", i+1, c.Seq)
		}
	}
}

func TestBashRunsTenThousandCommands(t *testing.T) {
	const many = 10_000
	s := startShell(t)
	go func() {
		for i := range many {
			if _, err := fmt.Fprintf(s.pty, "echo %d\r", i); err != nil {
				return
			}
		}
	}()
	next := 0
	began := time.Now()
	s.until(func(ended []Command) bool { return len(ended) == many })
	t.Logf("%d commands in %s", many, time.Since(began))
	all := s.journal.Commands(0)
	if len(all) != journalCommands {
		t.Fatalf("%d are kept, want %d", len(all), journalCommands)
	}
	next = many - journalCommands
	for _, c := range all {
		if want := fmt.Sprintf("echo %d", next); c.Line != want || c.Exit != 0 || !strings.Contains(string(c.Output), fmt.Sprintf("%d\r\n", next)) {
			t.Fatalf("number %d: line %q, exit %d, output %q; want %q", c.Seq, c.Line, c.Exit, c.Output, want)
		}
		next++
	}
}
