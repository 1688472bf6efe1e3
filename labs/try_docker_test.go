package labs_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"testing"
	"time"

	"sysnerd/images"
	"sysnerd/labs"
	"sysnerd/sandbox"
	"sysnerd/sandbox/docker"
)

// TestLabsOnDocker proves every task of the course in a real sandbox.
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
				seed := random(16)
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
				stage := labs.Stage{Box: box, Seed: seed, Reset: func(ctx context.Context) error { return keeper.Reset(ctx, box.ID()) }}
				for _, task := range lab.Tasks {
					t.Run(task.ID, func(t *testing.T) {
						if err := stage.Try(ctx, task); err != nil {
							t.Error(err)
						}
					})
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
