package labs_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sysnerd/images"
	"sysnerd/labs"
	"sysnerd/sandbox"
	"sysnerd/sandbox/docker"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// What may differ between images, as `sysnerd lab test --golden` has it: addresses and
// counts.
var (
	address = regexp.MustCompile(`0x[0-9a-f]+|\b[0-9a-f]{8,16}\b`)
	number  = regexp.MustCompile(`\d+`)
)

// TestLabsOnDocker proves every task of the course in a real sandbox, and holds all
// that the learner reads then against testdata/LAB.golden. Numbers there are N, addresses A.
func TestLabsOnDocker(t *testing.T) {
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
	instance := "labs" + random(4)
	engine, err := docker.Open(ctx, docker.Config{Instance: instance})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	keeper := sandbox.NewKeeper(sandbox.KeeperConfig{
		Engine: engine, Instance: instance, Image: image, Capacity: 4,
		Lifetime: time.Hour, MaxLife: time.Hour, Log: slog.New(slog.DiscardHandler),
	})
	defer keeper.Close()
	if _, err := keeper.Recover(ctx, nil); err != nil {
		t.Fatal(err)
	}

	library, problems := labs.Load(labs.Embedded())
	for _, p := range problems {
		t.Error(p)
	}
	for _, module := range library.Modules {
		for _, lab := range module.Labs {
			t.Run(lab.ID, func(t *testing.T) {
				const seed = "5eed0000000000000000000000005eed" // the golden file has its values
				box, _, err := keeper.Claim(ctx, sandbox.Claim{
					Owner: "author", Lab: module.ID + "/" + lab.ID, Limits: lab.Limits,
					Prepare: func(ctx context.Context, s *sandbox.Sandbox) error {
						return lab.Prepare(ctx, s, labs.Attempt{Seed: seed})
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := keeper.Remove(context.WithoutCancel(ctx), box.ID()); err != nil {
						t.Error(err)
					}
				}()
				if missing := box.Missing(); len(missing) > 0 {
					t.Fatalf("the sandbox lacks %v", missing)
				}
				var said strings.Builder
				stage := labs.Stage{
					Box: box, Seed: seed,
					Reset:     func(ctx context.Context) error { return keeper.Reset(ctx, box.ID()) },
					SetMemory: func(ctx context.Context, bytes int64) error { return keeper.SetMemory(ctx, box.ID(), bytes) },
				}
				for _, task := range lab.Tasks {
					t.Run(task.ID, func(t *testing.T) {
						err := stage.Try(ctx, task, func(step labs.Step) {
							for _, fault := range step.Faults {
								t.Errorf("%s: %s", step.Name, fault)
							}
							r := step.Result
							text := fmt.Sprintf("== %s %s: %s\n%s\nexpected %s\nobserved %s\nevidence %s\nhint     %s\n\n",
								task.ID, step.Name, r.Status, r.Message, r.Expected, r.Observed, r.Evidence, r.Hint)
							said.WriteString(number.ReplaceAllString(address.ReplaceAllString(text, "A"), "N"))
						})
						if err != nil {
							t.Error(err)
						}
					})
				}
				golden := filepath.Join("testdata", lab.ID+".golden")
				if *update {
					if err := os.WriteFile(golden, []byte(said.String()), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(string(want), said.String()); d != "" {
					t.Errorf("what the learner reads differs from %s; look at it, then run with -update (-want +got):\n%s", golden, d)
				}
			})
		}
	}
}

func random(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b)
	return hex.EncodeToString(b)
}
