package labs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// begun is a folder with the skeleton of the lab os/10-one in it.
func begun(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	folder, err := New(dir, "os", "10-one")
	if err != nil {
		t.Fatal(err)
	}
	if folder != "os/labs/10-one" {
		t.Fatalf("New made %s", folder)
	}
	return dir
}

var tester = Linter{Commands: []string{"ls", "strace", "ps", "grep"}, Programs: []string{"mystery"}}

func lintDir(t *testing.T, l Linter, dir string) []Problem {
	t.Helper()
	problems, err := l.Lint(t.Context(), os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	return problems
}

func TestSkeletonPassesLint(t *testing.T) {
	l := tester
	l.Scripts = Shellcheck
	for _, p := range lintDir(t, l, begun(t)) {
		t.Error(p)
	}
}

// Each case puts text into one file of the skeleton, in place of old or, when that is
// "", at its end.
func TestLintNamesPlaceReasonAndCure(t *testing.T) {
	const lab = "os/labs/10-one/"
	const task = lab + "tasks/10-first/"
	for _, c := range []struct{ name, file, old, text, want string }{
		{"filler", lab + "lab.md", "What the kernel", "What the kernel simply", lab + `lab.md:7: says "simply"; take it out: it tells nothing`},
		{"filler in code", lab + "lab.md", "What the kernel", "`just`", ""},
		{"exclamation", lab + "lab.md", "does meanwhile.", "does!", lab + `lab.md:7: says "s!"; end the sentence with a full stop`},
		{"the user", lab + "lab.md", "What the kernel", "What the user", lab + `lab.md:7: says "the user"; say "you" for a person`},
		{"the user mode", lab + "lab.md", "What the kernel", "The user mode", ""},
		{"handle", lab + "lab.md", "What the kernel", "A file handle", lab + `lab.md:7: says "file handle"; say "descriptor"`},
		{"long sentence", lab + "lab.md", "does meanwhile.", strings.Repeat("word ", 27) + "\nend.", lab + `lab.md:7: a sentence of 31 words; use at most 30: one idea a sentence`},
		{"two sentences", lab + "lab.md", "does meanwhile.", strings.Repeat("word ", 20) + "end.\n" + strings.Repeat("word ", 20) + "end.", ""},
		{"long table row", lab + "lab.md", "", "\n| a | b |\n|---|---|\n| " + strings.Repeat("word ", 40) + "| b |\n", ""},
		{"no heading", lab + "lab.md", "## Under the hood", "## Inside", lab + `lab.md: has no "## Under the hood"; add it; a learner looks for it there`},
		{"summary", lab + "lab.yaml", "What a learner does", "Just what a learner does", lab + `lab.yaml:3: says "Just"; take it out: it tells nothing`},
		{"link to no lab", lab + "lab.md", "", "\n[two](two)\n", lab + `lab.md:10: link to "two": there is no such lab; link to a lab by its id, to a task as #task-ID, or to an address`},
		{"link to a lab", lab + "lab.md", "", "\n[one](one), [first](#task-first), [out](https://example.org)\n", ""},
		{"link to no task", lab + "lab.md", "", "\n[x](#task-second)\n", lab + `lab.md:10: link to "#task-second": there is no such task; link to a lab by its id, to a task as #task-ID, or to an address`},
		{"block with an unknown command", task + "task.md", "ls -l /run/lab", "ls -l\nnetstat -an | grep x", task + `task.md:26: the image has no command "netstat"; the nearest that it has is "ls"`},
		{"block that is no shell", task + "task.md", "ls -l /run/lab", "echo 'x", task + `task.md:25: bash cannot read "echo 'x"; mend its quotes and brackets`},
		{"own function and file", task + "task.md", "ls -l /run/lab", "f() { ls; }; f; ./mine; /usr/bin/ls", ""},
		{"no hints", task + "task.md", "hints:", "needs: []\nxhints:", task + `task.md:11: unknown key "xhints"; the nearest valid key is "hints"`},
		{"hint holds the solution", task + "task.md", "Say the way in words.", "Run `ls -la /tmp` now.", task + `task.md:13: a hint holds a line of the solution: ls -la /tmp; say where to look instead`},
		{"no why", task + "task.md", "why: Why", "xwhy: Why", task + `task.md:14: unknown key "xwhy"; the nearest valid key is "why"`},
		{"unknown program", task + "task.md", "why: Why", "programs: [mystry]\nwhy: Why", task + `task.md:14: the image has no program "mystry"; the nearest that it has is "mystery"`},
		{"section", task + "task.md", "why: Why", "section: 7\nwhy: Why", task + `task.md:14: section 7 is not in module.yaml; name one that is there`},
		{"no done when", task + "task.md", "**Done when**", "Done if", task + `task.md: has no "**Done when**"; add it; a learner looks for it there`},
		{"too few attempts", task + "wrong/attempt-3.sh", "", "-", task + `wrong: holds 2 attempts that must fail; add what learners really do, 3 or more, each with the message that it must get`},
		{"attempt types nothing", task + "wrong/attempt-3.sh", "echo ", "# ", task + `wrong/attempt-3.sh:1: types nothing; write the lines that a learner would type`},
		{"attempt with an odd move", task + "wrong/attempt-3.sh", "", "#@ memry 3 MiB\n", task + `wrong/attempt-3.sh:4: "#@ memry 3 MiB": want memory, tab, start, interrupt or evidence-differs; see the section on scripts in the guide`},
		{"message too long", task + "wrong/attempt-3.sh", "20 words", strings.Repeat("very ", 20), task + `wrong/attempt-3.sh:2: the message has 28 words; say it in 20; the rest is for expected, observed and hint`},
		{"message that scolds", task + "wrong/attempt-3.sh", "Say what", "You forgot what", task + `wrong/attempt-3.sh:2: says "You forgot"; say what is not there`},
		{"check without hint", task + "check.sh", "hint 'A", "echo 'A", task + "check.sh: never says `hint`; a learner reads what was expected, what was observed, a command that shows it, and a hint"},
		{"check without attempt", task + "check.sh", "    attempt\n", "", task + "check.sh: never says `attempt`; say it once you have seen that the learner tried; else the task stays open"},
		{"check that blames", task + "check.sh", "fail 'Say what", "m='The command is wrong.'\nfail \"$m\" # Say what", task + `check.sh:20: says "wrong"; say what is the case, and let the learner judge it`},
		{"standard error is a name", task + "check.sh", "fail 'Say what", "fail 'It went to standard error, say what", ""},
		{"check that is no shell", task + "check.sh", "hint 'A", "hint \"A", task + "check.sh: bash cannot read it: "},
		{"evidence with an unknown command", task + "check.sh", "evidence 'ls -l /run/lab'", "pid=7; evidence \"lsof -p $pid\"", task + `check.sh:18: evidence: the image has no command "lsof"; the nearest that it has is "ls"`},
		{"evidence by a function", task + "check.sh", "evidence 'ls -l /run/lab'", "shows() { evidence \"$2\"; }\nshows x 'lsof -p 1'", task + `check.sh:19: evidence: the image has no command "lsof"; the nearest that it has is "ls"`},
		{"hint of a check gives it away", task + "check.sh", "hint 'A direction", "hint 'Try ls -la  /tmp, a direction", task + `check.sh:19: a hint holds a line of the solution: ls -la /tmp; say where to look instead`},
		{"answer in the task", task + "solve.sh", "true", "answer 'plugh'", task + `task.md:18: gives the answer away: "plugh" of ` + task + `solve.sh:4; take it out, or derive it so that it differs in each sandbox`},
		{"secret of the setup", lab + "setup.sh", "", "secret=plugh\n", task + `task.md:18: gives the answer away: "plugh" of ` + lab + `setup.sh:10; take it out, or derive it so that it differs in each sandbox`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := begun(t)
			replace(t, dir, task+"solve.sh", "true\n", "ls -la /tmp\ntrue\n")
			replace(t, dir, task+"task.md", "**Given:** what", "**Given:** plugh, what")
			switch {
			case c.text == "-":
				if err := os.Remove(filepath.Join(dir, c.file)); err != nil {
					t.Fatal(err)
				}
			default:
				replace(t, dir, c.file, c.old, c.text)
			}
			problems := lintDir(t, tester, dir)
			if c.want == "" {
				if len(problems) > 0 {
					t.Errorf("got %v, want none", problems)
				}
				return
			}
			if !slices.ContainsFunc(problems, func(p Problem) bool { return strings.HasPrefix(p.String(), c.want) }) {
				t.Errorf("got  %v\nwant %s", problems, c.want)
			}
		})
	}
}

// replace puts text in the place of old in a file, at its end when old is "".
func replace(t *testing.T, dir, file, old, text string) {
	t.Helper()
	path := filepath.Join(dir, file)
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	now := string(was) + text
	if old != "" {
		if now = strings.Replace(string(was), old, text, 1); now == string(was) {
			t.Fatalf("%s has no %q", file, old)
		}
	}
	if err := os.WriteFile(path, []byte(now), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestShellcheckSaysWhereAndWhatCuresIt(t *testing.T) {
	problems, err := Shellcheck(t.Context(), map[string][]byte{
		"os/labs/10-one/setup.sh": []byte("#!/bin/bash\nrm $1\n"),
		"os/labs/10-one/fine.sh":  []byte("#!/bin/bash\nfail 'It has `code`.'\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = "os/labs/10-one/setup.sh:2: Double quote to prevent globbing and word splitting; mend it; shellcheck tells more under SC2086"
	if len(problems) != 1 || problems[0].String() != want {
		t.Errorf("got  %v\nwant %s", problems, want)
	}
}

func TestShellcheckThatIsNotThereSaysHowToGetIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Shellcheck(t.Context(), map[string][]byte{"a.sh": []byte("true\n")})
	if err == nil || !strings.Contains(err.Error(), "apt-get install shellcheck") {
		t.Errorf("error = %v, want the cure", err)
	}
}

func TestNewWritesOverNothing(t *testing.T) {
	dir := begun(t)
	for _, name := range []string{"10-one", "one", "20-one"} {
		if _, err := New(dir, "os", name); err == nil || !strings.Contains(err.Error(), "is there already") {
			t.Errorf("New(%s) again: %v, want that it is there", name, err)
		}
	}
	if folder, err := New(dir, "os", "two"); err != nil || folder != "os/labs/11-two" {
		t.Errorf("New(two) = %s, %v, want the next number", folder, err)
	}
	for _, name := range []string{"../x", "10-", "A", "a/b", "10-B", ""} {
		if folder, err := New(dir, "os", name); err == nil {
			t.Errorf("New(%q) = %s, want a refusal", name, folder)
		}
	}
	if _, err := New(dir, "../os", "x"); err == nil {
		t.Error("a module outside of the folder is taken")
	}
}
