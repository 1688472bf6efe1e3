package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// shell is a real bash on a real pty with the sandbox's bash.bashrc, read by a journal.
type shell struct {
	t       *testing.T
	pty     *os.File
	journal *Journal
	offset  int64
	output  strings.Builder
}

func startShell(t *testing.T) *shell {
	t.Helper()
	rc, err := filepath.Abs("../images/files/bash.bashrc")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "--rcfile", rc, "-i")
	home := t.TempDir()
	cmd.Dir = home
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + home, "TERM=xterm-256color", "LANG=C.UTF-8"}
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 200})
	if err != nil {
		t.Fatal(err)
	}
	s := &shell{t: t, pty: f, journal: NewJournal()}
	t.Cleanup(func() {
		f.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s.until(func([]Command) bool { return s.prompts() == 1 })
	return s
}

// prompts counts those that were printed.
func (s *shell) prompts() int { return strings.Count(s.output.String(), "\x1b]133;B\a") }

// until reads the terminal until done says so, and returns the commands that ended.
func (s *shell) until(done func(ended []Command) bool) []Command {
	s.t.Helper()
	var ended []Command
	buf := make([]byte, 4096)
	watch := time.AfterFunc(20*time.Second, func() { s.pty.Close() })
	defer watch.Stop()
	for !done(ended) {
		n, err := s.pty.Read(buf)
		if err != nil {
			s.t.Fatalf("the shell is gone: %v; it printed %q", err, s.output.String())
		}
		s.output.Write(buf[:n])
		for _, c := range s.journal.Feed(1, s.offset, buf[:n], time.Now()) {
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
	rc, _ := filepath.Abs("../images/files/bash.bashrc")
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
