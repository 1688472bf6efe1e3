package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Blocks of the guide: a command line, a file, or a server that is asked for the lab.
// Fences within a file are part of it: a block ends where a fence stands alone and the
// next line is empty or the text ends.
var (
	guideFence = regexp.MustCompile("^```(sh|yaml|markdown)(?: (?:file=(\\S+)|(serve)))?$")
	guideRun   = regexp.MustCompile("^```sh \\{run\\}$")
)

type guideBlock struct {
	line  int
	file  string // "" for commands
	serve bool
	text  string
}

func guideBlocks(t *testing.T, guide string) (blocks []guideBlock) {
	t.Helper()
	var now *guideBlock
	inner := false // within a fence that is part of a file
	for n, line := range strings.Split(guide, "\n") {
		if now == nil {
			if m := guideFence.FindStringSubmatch(line); m != nil {
				now = &guideBlock{line: n + 1, file: m[2], serve: m[3] != ""}
			}
			continue
		}
		switch {
		case guideRun.MatchString(line):
			inner = true
		case line == "```" && inner:
			inner = false
		case line == "```":
			blocks = append(blocks, *now)
			now = nil
			continue
		}
		now.text += line + "\n"
	}
	if now != nil {
		t.Fatalf("the block at line %d does not end", now.line)
	}
	return blocks
}

// TestGuideMakesALab does what the guide says, in a fresh folder and nothing else: it
// writes its files, runs its commands, and looks at the lab that is served.
func TestGuideMakesALab(t *testing.T) {
	guide, err := os.ReadFile("../../labs/AUTHORING.md")
	if err != nil {
		t.Fatal(err)
	}
	dir, data := t.TempDir(), t.TempDir()
	t.Setenv("SYSNERD_DATA", data)
	t.Setenv("SYSNERD_LISTEN", "127.0.0.1:0")
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	if out, err := exec.Command("sysnerd", "image", "build").CombinedOutput(); err != nil {
		t.Fatalf("image build: %v\n%s", err, out)
	}
	var files, commands, served int
	for _, b := range guideBlocks(t, string(guide)) {
		where := fmt.Sprintf("labs/AUTHORING.md:%d", b.line)
		switch {
		case b.file != "":
			path := filepath.Join(dir, b.file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(b.text), 0o644); err != nil {
				t.Fatal(err)
			}
			files++
		case b.serve:
			s := startIn(t, dir, strings.Fields(b.text))
			if status, body := get(t, s.address+"/my-course/labs/two-names"); status != http.StatusOK || !strings.Contains(body, "Title of the lab") {
				t.Errorf("%s: the page is %d without the lab's title", where, status)
			}
			s.stop(t)
			served++
		default:
			for line := range strings.Lines(b.text) {
				runGuideLine(t, where, dir, strings.TrimSpace(line))
				commands++
			}
		}
	}
	s := startIn(t, dir, []string{"sysnerd", "serve", "--labs", "my-course"})
	if status, body := get(t, s.address+"/my-course/labs/two-names"); status != http.StatusOK || !strings.Contains(body, "Two names, one file") || !strings.Contains(body, "Give a file a second name") {
		t.Errorf("the lab is served as %d without its titles:\n%s", status, body)
	}
	s.stop(t)
	if files < 10 || commands < 10 || served != 1 {
		t.Errorf("%d files, %d commands, %d servers: the guide was not read", files, commands, served)
	}
}

// runGuideLine runs a command line as it stands, or with "! " before it one that must
// end with status 1.
func runGuideLine(t *testing.T, where, dir, line string) {
	t.Helper()
	line, fails := strings.CutPrefix(line, "! ")
	cmd := exec.Command("bash", "-c", line)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if status := cmd.ProcessState.ExitCode(); status != 0 && !fails || fails && status != 1 {
		t.Fatalf("%s: %s: %v\n%s", where, line, err, out)
	}
}
