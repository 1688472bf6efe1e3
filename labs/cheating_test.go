package labs

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"sysnerd/images"
	"sysnerd/sandbox"
	"sysnerd/sandbox/docker"
)

// A case is what a learner types for a task: one file of a txtar archive named
// TASK/CASE.sh, below testdata/cheats or testdata/honest in the archive of its lab. The
// first line of a cheat is the message that it must get, as in wrong/*.sh; "…" in it
// stands for anything.
type learnerCase struct {
	task, name, script string
	message            *regexp.Regexp // nil for an honest one
}

// readCases reads the cases of a lab; there may be none.
func readCases(t *testing.T, kind, lab string) (all []learnerCase) {
	t.Helper()
	path := filepath.Join("testdata", kind, lab+".txtar")
	archive, err := txtar.ParseFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		task, name, ok := strings.Cut(strings.TrimSuffix(f.Name, ".sh"), "/")
		c := learnerCase{task: task, name: name, script: string(f.Data)}
		if !ok || strings.TrimSpace(c.script) == "" {
			t.Fatalf("%s: %q: want TASK/CASE.sh, and lines to type", path, f.Name)
		}
		if kind == "cheats" {
			message, lines, _ := strings.Cut(c.script, "\n")
			message, ok = strings.CutPrefix(message, "# ")
			if !ok {
				t.Fatalf("%s: %s: the first line has to be \"# \" and its message", path, f.Name)
			}
			c.script = lines
			c.message = regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(message), "…", ".*") + "$")
		}
		all = append(all, c)
	}
	return all
}

// testKeeper keeps sandboxes on the real engine, of an instance of its own.
func testKeeper(t *testing.T) *sandbox.Keeper {
	t.Helper()
	ctx := t.Context()
	builder, err := images.New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer builder.Close()
	image, err := builder.Build(ctx, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	instance := "learners" + strings.ToLower(newReference())
	engine, err := docker.Open(ctx, docker.Config{Instance: instance})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	keeper := sandbox.NewKeeper(sandbox.KeeperConfig{
		Engine: engine, Instance: instance, Image: image, Capacity: 16,
		Lifetime: time.Hour, MaxLife: time.Hour, Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(func() { keeper.Close(context.Background()) })
	if _, err := keeper.Recover(ctx, nil); err != nil {
		t.Fatal(err)
	}
	return keeper
}

// testStage is a sandbox of the lab that ends with the test.
func testStage(t *testing.T, keeper *sandbox.Keeper, module *Module, lab *Lab, seed string) *Stage {
	t.Helper()
	ctx := t.Context()
	box, _, err := keeper.Claim(ctx, sandbox.Claim{
		Owner: "learner-" + seed, Lab: module.ID + "/" + lab.ID, Limits: lab.Limits,
		Prepare: func(ctx context.Context, s *sandbox.Sandbox) error {
			return lab.Prepare(ctx, s, Attempt{Seed: seed})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := keeper.Remove(context.WithoutCancel(ctx), box.ID()); err != nil {
			t.Error(err)
		}
	})
	if missing := box.Missing(); len(missing) > 0 {
		t.Fatalf("the sandbox lacks %v", missing)
	}
	return &Stage{
		Box: box, Seed: seed,
		Reset:     func(ctx context.Context) error { return keeper.Reset(ctx, box.ID()) },
		SetMemory: func(ctx context.Context, bytes int64) error { return keeper.SetMemory(ctx, box.ID(), bytes) },
	}
}

// eachLab runs f for every lab of the course, in a sandbox when there are cases.
func eachLab(t *testing.T, f func(t *testing.T, keeper *sandbox.Keeper, module *Module, lab *Lab)) {
	keeper := testKeeper(t)
	library, problems := Load(Embedded())
	for _, p := range problems {
		if strings.Contains(p.File, "/labs/") {
			t.Error(p)
		}
	}
	for _, module := range library.Modules {
		for _, lab := range module.Labs {
			t.Run(lab.ID, func(t *testing.T) {
				t.Parallel() // most of the time is waiting
				f(t, keeper, module, lab)
			})
		}
	}
}

// TestNoCheatPassesOnDocker types what a clever and lazy learner would, in a real sandbox. None
// passes, and each is told why.
func TestNoCheatPassesOnDocker(t *testing.T) {
	eachLab(t, func(t *testing.T, keeper *sandbox.Keeper, module *Module, lab *Lab) {
		cases := readCases(t, "cheats", lab.ID)
		if len(cases) == 0 {
			t.Fatal("nobody has tried to cheat in this lab yet: testdata/cheats/" + lab.ID + ".txtar")
		}
		stage := testStage(t, keeper, module, lab, "c4ea7000000000000000000000c4ea7")
		for _, c := range cases {
			t.Run(c.task+"/"+c.name, func(t *testing.T) {
				r := playCase(t, stage, lab, c, false)
				if r.Status != Fail {
					t.Errorf("%s: %s %s", r.Status, r.Message, r.Fault)
				}
				if !c.message.MatchString(r.Message) {
					t.Errorf("message %q, want %s (observed %q)", r.Message, c.message, r.Observed)
				}
				if r.Observed == "" || r.Expected == "" || r.Evidence == "" || r.Hint == "" {
					t.Errorf("expected, observed, evidence or hint is missing: %+v", r)
				}
			})
		}
	})
}

// TestHonestWaysPassOnDocker types the same task as other people would.
func TestHonestWaysPassOnDocker(t *testing.T) {
	eachLab(t, func(t *testing.T, keeper *sandbox.Keeper, module *Module, lab *Lab) {
		cases := readCases(t, "honest", lab.ID)
		if len(cases) == 0 {
			t.Fatal("only solve.sh is known to pass in this lab: testdata/honest/" + lab.ID + ".txtar")
		}
		stage := testStage(t, keeper, module, lab, "40e57000000000000000000000040e57")
		for _, c := range cases {
			t.Run(c.task+"/"+c.name, func(t *testing.T) {
				if r := playCase(t, stage, lab, c, true); r.Status != Pass {
					t.Errorf("%s: %s (observed %q) %s", r.Status, r.Message, r.Observed, r.Fault)
				}
			})
		}
	})
}

// patience is how long an honest way may take to be seen once its lines are typed: jobs
// that were left running end behind the prompt.
const patience = 8 * time.Second

// playCase types a case in a sandbox that was reset, and checks; when it is to pass,
// until it does.
func playCase(t *testing.T, stage *Stage, lab *Lab, c learnerCase, pass bool) Result {
	t.Helper()
	task, ok := lab.Task(c.task)
	if !ok {
		t.Fatalf("lab %s has no task %s", lab.ID, c.task)
	}
	p, err := stage.play(t.Context(), task, c.script)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	r := p.check(t.Context())
	for begun := time.Now(); pass && r.Status == Fail && time.Since(begun) < patience; {
		time.Sleep(200 * time.Millisecond)
		r = p.check(t.Context())
	}
	return r
}

// seedAnswers are the tasks whose answer follows from the sandbox's seed alone: to a
// neighbour's, which is right elsewhere, they must say that it is wrong here. The other
// answers are of processes and of the limit, and may be the same by chance.
var seedAnswers = []string{"secret-path", "batching", "faults"}

// TestNeighboursAnswerIsNotMineOnDocker answers in one sandbox what is true in another.
func TestNeighboursAnswerIsNotMineOnDocker(t *testing.T) {
	here := regexp.MustCompile(`\b(here|this sandbox)\b`)
	eachLab(t, func(t *testing.T, keeper *sandbox.Keeper, module *Module, lab *Lab) {
		mine := testStage(t, keeper, module, lab, "11111111111111111111111111111111")
		neighbour := testStage(t, keeper, module, lab, "22222222222222222222222222222222")
		for _, task := range lab.Tasks {
			if !task.Answer {
				continue
			}
			t.Run(task.ID, func(t *testing.T) {
				answer := map[*Stage]string{}
				for _, stage := range []*Stage{mine, neighbour} {
					p, err := stage.play(t.Context(), task, typed(task.solve))
					if err != nil {
						t.Fatal(err)
					}
					r := p.check(t.Context())
					answer[stage] = p.attempt.Answers[task.ID]
					p.close()
					if r.Status != Pass {
						t.Fatalf("its own answer %q: %s: %s", answer[stage], r.Status, r.Message)
					}
				}
				seeded := slices.Contains(seedAnswers, task.ID)
				if answer[mine] == answer[neighbour] {
					if seeded {
						t.Fatalf("both sandboxes have the answer %q", answer[mine])
					}
					t.Logf("both sandboxes have the answer %q, which no seed made: nothing to copy", answer[mine])
					return
				}
				// What the task starts is running, as it is for one who copies an answer.
				p, err := mine.play(t.Context(), task, typed(task.solve))
				if err != nil {
					t.Fatal(err)
				}
				defer p.close()
				p.typist.answers = map[string]string{task.ID: answer[neighbour]}
				r := p.check(t.Context())
				if r.Status != Fail || !r.Attempted {
					t.Errorf("the neighbour's answer %q: %s: %s", answer[neighbour], r.Status, r.Message)
				}
				if told := r.Message + " " + r.Observed + " " + r.Hint; strings.Contains(told, answer[mine]) {
					t.Errorf("the result tells the right answer: %s", told)
				}
				if seeded && !here.MatchString(r.Message) {
					t.Errorf("message %q does not say that it is so in this sandbox only", r.Message)
				}
			})
		}
	})
}

// updating tells whether files that people read are to be written anew.
func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

// TestTableOfCheats keeps testdata/cheats/README.md, which lists every case and its
// message, as it is in the archives.
func TestTableOfCheats(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Attempts that must not pass\n\nWritten by `go test ./labs -run TableOfCheats -update` from the archives beside it.\n\n| lab | task | attempt | message |\n|---|---|---|---|\n")
	archives, err := filepath.Glob("testdata/cheats/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			task, name, _ := strings.Cut(strings.TrimSuffix(f.Name, ".sh"), "/")
			message, _, _ := strings.Cut(string(f.Data), "\n")
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", strings.TrimSuffix(filepath.Base(path), ".txtar"), task, name, strings.TrimPrefix(message, "# "))
			count++
		}
	}
	fmt.Fprintf(&b, "\n%d attempts.\n", count)
	table := filepath.Join("testdata", "cheats", "README.md")
	if updating() {
		if err := os.WriteFile(table, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(table); err != nil || string(want) != b.String() {
		t.Errorf("%s is not what the archives hold (%v); go test ./labs -run TableOfCheats -update", table, err)
	}
}
