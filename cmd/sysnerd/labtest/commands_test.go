package labtest_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sysnerd/images"
	"sysnerd/sandbox"
	"sysnerd/sandbox/docker"
)

var update = flag.Bool("update", false, "rewrite images/commands.txt")

// listing prints the distribution, and then every program that is found by its name.
const listing = `. /etc/os-release
echo "$ID $VERSION_ID"
IFS=:
for dir in /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; do
    find $dir -maxdepth 1 ! -type d -perm -001 -printf '%f\n'
done | LC_ALL=C sort -u`

// TestCommandsAreThoseOfTheImage holds images/commands.txt against the image. On
// another distribution than the list's, it only has to hold what is listed.
func TestCommandsAreThoseOfTheImage(t *testing.T) {
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
	const instance = "commandstest"
	engine, err := docker.Open(ctx, docker.Config{Instance: instance})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	keeper := sandbox.NewKeeper(sandbox.KeeperConfig{
		Engine: engine, Instance: instance, Image: image, Capacity: 1,
		Lifetime: time.Hour, MaxLife: time.Hour, Log: slog.New(slog.DiscardHandler),
	})
	defer keeper.Close(context.WithoutCancel(ctx))
	if _, err := keeper.Recover(ctx, nil); err != nil {
		t.Fatal(err)
	}
	box, _, err := keeper.Claim(ctx, sandbox.Claim{Owner: "test", Lab: "test/commands"})
	if err != nil {
		t.Fatal(err)
	}
	defer keeper.Remove(context.WithoutCancel(ctx), box.ID())
	r, err := box.Run(ctx, sandbox.Run{Script: []byte(listing)})
	if err != nil || r.Exit != 0 || r.Truncated {
		t.Fatalf("list the programs: %v, exit %d, %s", err, r.Exit, r.Stderr)
	}
	distribution, found, _ := strings.Cut(strings.TrimSpace(string(r.Stdout)), "\n")
	const path = "../../../images/commands.txt"
	head := fmt.Sprintf("# Programs of the image on %s.\n", distribution)
	if *update {
		if err := os.WriteFile(path, []byte(head+found+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(string(text), head) {
		if d := cmp.Diff(string(text), head+found+"\n"); d != "" {
			t.Errorf("commands.txt is not what the image has; run go test ./cmd/sysnerd/labtest -run Commands -update (-list +image):\n%s", d)
		}
		return
	}
	has := map[string]bool{}
	for name := range strings.FieldsSeq(found) {
		has[name] = true
	}
	for line := range strings.Lines(string(text)) {
		if name := strings.TrimSpace(line); !strings.HasPrefix(name, "#") && !has[name] {
			t.Errorf("%s is in commands.txt, and not in the image of %s", name, distribution)
		}
	}
}
