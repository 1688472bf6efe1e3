package labs

// What content and checks must not be able to do, and the test that would fail if
// they could. A row without a test is a gap; add the test before the row.
//
//	content
//	alias bomb                       TestLoadNamesPlaceAndCure/alias, TestAliasBombTakesNoTime
//	deep nesting, flow and block     TestLoadNamesPlaceAndCure/deep_flow, /deep_block
//	deep Markdown                    TestLoadNamesPlaceAndCure/deep_quotes, /deep_lists
//	large file, many lines           TestLoadNamesPlaceAndCure/large, /blank_lines, /long_text
//	unknown key                      TestLoadNamesPlaceAndCure/unknown_key and the two below it
//	duplicate key                    TestLoadNamesPlaceAndCure/duplicate_key, TestTaskFileIsReadStrictly/duplicate_key
//	wrong type                       TestLoadNamesPlaceAndCure/wrong_type, TestTaskFileIsReadStrictly/wrong_type
//	byte order mark, UTF-16          TestLoadNamesPlaceAndCure/byte_order_mark, /UTF-16
//	carriage returns, NUL            TestLoadNamesPlaceAndCure/carriage_return, TestOddFilesAreRefused
//	link out of the folder, FIFO     TestOddFilesAreRefused, TestLinksLeadNowhere
//	path in a name                   TestLoadNamesPlaceAndCure/program_out_of_its_folder, /bad_id
//	markup in text                   TestLoadNamesPlaceAndCure/html, /script_link, FuzzMarkdown
//	one bad lab hides no other       every row of TestLoadNamesPlaceAndCure, FuzzLoad
//
//	checks
//	hang, FIFO, fork, double fork,   web.TestBadChecksAreOursAndLeaveNothing, in a real guest;
//	ignored TERM, 1 GB of output,    TestCheckThatBreaksIsNeverTheLearnersFault, without one
//	signals, exit 126, 127, 255,
//	not UTF-8, does not parse
//	carriage returns                 TestLoadNamesPlaceAndCure/carriage_return, TestCheckThatBreaks…/carriage_returns
//	daemon left behind by a pass     web.TestBadChecksAreOursAndLeaveNothing
//	sandbox silent, ended            TestCheckOfASilentSandboxIsInterrupted, web.TestCheckOfASandboxThatEndsIsNotBroken
//	reset in between                 web.TestCheckAcrossAResetIsInterrupted
//	forged result on standard output TestCheckReadsTheResult/what_a_learner_wrote_forges_nothing
//	what an author reads, no learner TestBrokenCheckTellsItsAuthor, web.TestBrokenCheckIsOurFault

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

func TestAliasBombTakesNoTime(t *testing.T) {
	bomb := "schema: 1\na: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'z'; c++ {
		last := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+last+", ", 8) + "*" + last + "]\n"
	}
	for _, name := range []string{"os/module.yaml", "os/labs/01-one/lab.yaml"} {
		began := time.Now()
		if _, problems := Load(course(map[string]string{name: bomb})); len(problems) == 0 || !strings.Contains(problems[0].Reason, "aliases") {
			t.Errorf("%s: %v", name, problems)
		}
		if took := time.Since(began); took > slow {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func TestTaskFileIsReadStrictly(t *testing.T) {
	const file = "os/labs/01-one/tasks/10-a/task.md"
	for _, c := range []struct{ name, front, want string }{
		{"duplicate key", "title: A\ntitle: B\nwhy: So.\n", file + `:4: mapping key "title" already defined; keep one of the two`},
		{"wrong type", "title: [A]\nwhy: So.\n", file + ":3: "},
		{"hints of a wrong type", "title: A\nwhy: So.\nhints: Look.\n", file + ":5: "},
		{"predict without options", "title: A\nwhy: So.\npredict:\n  question: Which?\n", file + ": predict needs a question, two options or more, and an answer among them or none; mend it"},
		{"predict with a foreign answer", "title: A\nwhy: So.\npredict: {question: Which?, options: [a, b], answer: c}\n", file + ": predict needs a question, two options or more, and an answer among them or none; mend it"},
		{"mode", "title: A\nwhy: So.\nmode: sometimes\n", file + `:1: "mode" is missing or makes no sense; add or mend it`},
	} {
		t.Run(c.name, func(t *testing.T) {
			library, problems := Load(course(map[string]string{file: "---\nschema: 1\n" + c.front + "---\nDo it.\n"}))
			if len(problems) == 0 || !strings.HasPrefix(problems[0].String(), c.want) {
				t.Fatalf("got %v, want %s", problems, c.want)
			}
			if _, ok := library.Modules[0].Lab("two"); !ok {
				t.Error("the bad lab hides the good one")
			}
		})
	}
}

func TestSectionsAreNumberedOnce(t *testing.T) {
	good := string(course(nil)["os/module.yaml"].Data)
	for _, more := range []string{"  - number: 5\n    title: Again\n", "  - number: 0\n    title: None\n", "  - number: 6\n"} {
		if library, problems := Load(course(map[string]string{"os/module.yaml": good + more})); len(problems) == 0 || len(library.Modules) > 0 {
			t.Errorf("%q: %v", more, problems)
		}
	}
}

// odd is a course in a real folder, with one file of lab one replaced.
func odd(t *testing.T, name string, make func(path string) error) (*Library, []Problem) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, course(nil)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "os/labs/01-one", name)
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := make(path); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	return Load(root.FS())
}

// A content folder is data: what is not a plain file or folder in it is refused, and
// never waited for.
func TestOddFilesAreRefused(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("pass secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, file, want string
		make             func(path string) error
	}{
		{"link out", "tasks/10-a/check.sh", "is a link", func(p string) error { return os.Symlink(secret, p) }},
		{"link within", "tasks/10-a/check.sh", "is a link", func(p string) error { return os.Symlink("solve.sh", p) }},
		{"link to a folder", "tasks/20-b", "is a link", func(p string) error { return os.Symlink("/etc", p) }},
		{"link to itself", "lab.md", "is a link", func(p string) error { return os.Symlink("lab.md", p) }},
		{"FIFO", "lab.md", "is neither a file nor a folder", func(p string) error { return syscall.Mkfifo(p, 0o600) }},
		{"folder for a file", "lab.yaml", "is a directory", func(p string) error { return os.Mkdir(p, 0o700) }},
		{"file for a folder", "tasks", "not a directory", func(p string) error { return os.WriteFile(p, nil, 0o600) }},
		{"NUL", "tasks/10-a/check.sh", "is not text in UTF-8", func(p string) error { return os.WriteFile(p, []byte("pass x\x00\n"), 0o600) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				library, problems := odd(t, c.file, c.make)
				all := ""
				for _, p := range problems {
					all += p.String() + "\n"
				}
				if !strings.Contains(all, c.want) || strings.Contains(all, "secret") {
					t.Errorf("problems:\n%swant %s", all, c.want)
				}
				if _, ok := library.Modules[0].Lab("one"); ok {
					t.Error("the lab is there")
				}
				if _, ok := library.Modules[0].Lab("two"); !ok {
					t.Error("another lab is hidden")
				}
			}()
			select {
			case <-done:
			case <-time.After(slow):
				t.Fatal("loading waits for what is in the folder")
			}
		})
	}
}

// Even a file system that follows links gets none of them opened.
func TestLinksLeadNowhere(t *testing.T) {
	fsys := course(nil)
	fsys["os/labs/01-one/lab.md"] = &fstest.MapFile{Data: []byte("../../module.yaml"), Mode: os.ModeSymlink}
	library, problems := Load(fsys)
	if len(problems) == 0 || problems[0].String() != "os/labs/01-one/lab.md: is a link; put the file itself there" {
		t.Errorf("problems: %v", problems)
	}
	if _, ok := library.Modules[0].Lab("one"); ok {
		t.Error("the lab is there")
	}
}
