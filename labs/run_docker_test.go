package labs

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// sectionTime is for all that one section runs.
const sectionTime = 60 * time.Second

// TestRunsEndAsStatedOnDocker types every block that a section runs into the terminal of
// a fresh sandbox, one sandbox a section, in order and as the page does it, and holds the
// exit status against the one that is stated.
func TestRunsEndAsStatedOnDocker(t *testing.T) {
	library, problems := Load(Embedded())
	for _, p := range problems {
		t.Error(p)
	}
	keeper := testKeeper(t)
	held := 0
	for _, module := range library.Modules {
		lab, ok := module.Lab("syscall-boundary")
		if !ok {
			t.Fatalf("module %s has no lab in whose sandbox a section is read", module.ID)
		}
		for _, section := range module.Sections {
			held += len(section.Runs)
			t.Run(section.ID, func(t *testing.T) {
				t.Parallel() // most of the time is waiting
				runSection(t, testStage(t, keeper, module, lab, section.ID), section)
			})
		}
	}
	if held == 0 {
		t.Error("no section runs anything")
	}
}

func runSection(t *testing.T, stage *Stage, section *Section) {
	y := newTypist(stage)
	defer y.close()
	timeout := time.NewTimer(sectionTime)
	defer timeout.Stop()
	for n, run := range section.Runs {
		if run.Terminal != "" {
			y.tab = int(run.Terminal[0] - '0')
		}
		tab, err := y.ready(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// The line behind the block keeps its status, and tells that it has ended.
		last := "(exit $?) # " + strconv.Itoa(n)
		if err := tab.view.Write(t.Context(), []byte(strings.TrimSpace(run.Commands)+"\n"+last+"\r")); err != nil {
			t.Fatal(err)
		}
		for ended := false; !ended; {
			select {
			case e, ok := <-y.events:
				if !ok {
					t.Fatalf("%s:%d: the sandbox ended during\n%s", section.file, run.Line, run.Commands)
				}
				if c := e.Command; c != nil && c.Line == last && !c.End.IsZero() {
					ended = true
					if c.Exit != run.Status {
						t.Errorf("%s:%d: exit status %d, stated is %d, of\n%s", section.file, run.Line, c.Exit, run.Status, run.Commands)
					}
				}
			case <-timeout.C:
				t.Fatalf("%s:%d: did not end within the section's %v:\n%s", section.file, run.Line, sectionTime, run.Commands)
			}
		}
	}
	t.Logf("%d runs", len(section.Runs))
}
