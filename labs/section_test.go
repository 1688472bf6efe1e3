package labs

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The sample course has every kind of block.
func TestSampleCourse(t *testing.T) {
	library, problems := Load(os.DirFS("testdata/sample"))
	for _, p := range problems {
		t.Error(p)
	}
	m, ok := library.Module("os")
	if !ok || len(m.Sections) != 2 || len(m.Outline) != 3 || len(m.Gauntlet) != 2 || len(m.Terms) != 2 || len(m.Facts) != 1 {
		t.Fatalf("the course is %+v", m)
	}
	for _, s := range m.Sections {
		golden := filepath.Join("testdata", "sample", s.ID+".golden.html")
		if flag.Lookup("update").Value.String() == "true" {
			if err := os.WriteFile(golden, []byte(s.Body), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(s.Body)); diff != "" {
			t.Errorf("section %s (go test ./labs -run TestSampleCourse -update writes it anew):\n%s", s.ID, diff)
		}
	}
	s := m.Sections[1]
	if got, want := fmt.Sprint(s.Headings[:2], s.Recalls, s.Labs, s.Number, s.Layer), "[{model A file that runs 2} {copy Copy 3}] [copies far ends] [{boundary tally}] 2line"; got != want {
		t.Errorf("section 2 is %s, want %s", got, want)
	}
	runs := []Run{{Line: 22, Commands: "ps\n"}, {Line: 113, Commands: "false\n", Status: 1}, {Line: 154, Commands: "ps -o pid,stat,comm"}}
	if diff := cmp.Diff(runs, s.Runs); diff != "" {
		t.Errorf("runs (want -, got +):\n%s", diff)
	}
	if !s.Defines(m.Terms[1]) || s.Defines(m.Terms[0]) {
		t.Error("section 2 has to give the meaning of process, and of nothing else")
	}
	told := ""
	for _, part := range m.Sections[0].Parts {
		told += part.Heading + ": " + part.Text + "\n"
	}
	for _, want := range []string{"names: Where a value can be register In the processor. memory Beside it, about 300 times further away.\n", "memory: Memory holds the rest. How far away Registers are nearest,", "recall: \n"} {
		if !strings.Contains(told, want) {
			t.Errorf("a search does not find %q in\n%s", want, told)
		}
	}
	if s.Sources[0].Text != "fork(2)" || s.Parts[0].Text != "One call, and two return." {
		t.Errorf("sources %v, parts %q", s.Sources, s.Parts)
	}
}
