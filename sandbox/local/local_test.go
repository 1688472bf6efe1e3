package local_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sysnerd/images"
	"sysnerd/sandbox"
	"sysnerd/sandbox/enginetest"
	"sysnerd/sandbox/local"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(starterDir); dir != "" {
		startFor(dir, os.Getenv(starterInstance))
	}
	enginetest.PlayServer(func(instance, how string) (sandbox.Engine, error) {
		way, dir, _ := strings.Cut(how, " in ")
		cfg := config(instance, dir)
		cfg.Relayed = way == "relayed"
		return local.Open(context.Background(), cfg)
	})
	goleak.VerifyTestMain(m)
}

// program is the runc that make build puts beside the server.
const program = "../../bin/runc"

// image is what `sysnerd image build --engine local` built last. Without it nothing
// here can be tested, and that is a failure, not a reason to skip.
func image(tb testing.TB) string {
	tb.Helper()
	store, err := images.NewLocal(images.LocalDir)
	if err != nil {
		tb.Fatal(err)
	}
	id, ok, err := store.Current(tb.Context())
	if err != nil || !ok {
		tb.Fatalf("no current image (%v); build guest and image with: make build, bin/sysnerd image build --engine local", err)
	}
	return id
}

// testRuntime names another runtime, on PATH, to this program and to those that it starts.
const testRuntime = "SYSNERD_TEST_RUNTIME"

func config(instance, dir string) local.Config {
	runc, err := filepath.Abs(program)
	if err != nil {
		panic(err) // there is no working folder
	}
	cfg := local.Config{Instance: instance, Dir: dir, Images: images.LocalDir, Program: runc}
	if state := os.Getenv(userState); state != "" {
		cfg.State, cfg.Cgroup = state, os.Getenv(userCgroup)
	}
	if runtime := os.Getenv(testRuntime); runtime != "" {
		cfg.Runtime, cfg.Program = runtime, ""
	}
	return cfg
}

func open(tb testing.TB, instance, dir string) *local.Engine {
	tb.Helper()
	return openWith(tb, config(instance, dir))
}

func openWith(tb testing.TB, cfg local.Config) *local.Engine {
	tb.Helper()
	e, err := local.Open(context.Background(), cfg)
	if err != nil {
		tb.Fatalf("%v; build runc with: make build", err)
	}
	tb.Cleanup(func() { _ = e.Close() })
	return e
}

func newID() string { return strings.ToLower(rand.Text()[:16]) }

func newInstance() string { return "test" + strings.ToLower(rand.Text()[:8]) }

func spec(instance, id, image string, slot int) sandbox.Spec {
	return sandbox.Spec{
		ID: id, Instance: instance, Lab: "processes/fork", Image: image,
		UID:     sandbox.FirstUID + sandbox.Slots - 1 - slot,
		Expires: time.Now().Add(time.Hour).Truncate(time.Second),
		Limits:  sandbox.DefaultLimits(),
	}
}

// TestEngine runs the suite with terminals that are handed over, and relayed.
func TestEngine(t *testing.T) {
	t.Run("handed over", func(t *testing.T) { testEngine(t, false, map[string]string{}) })
	t.Run("relayed", func(t *testing.T) {
		testEngine(t, true, map[string]string{"handover": "the stream carries bytes only"})
	})
}

func testEngine(t *testing.T, relayed bool, exempt map[string]string) {
	dir := t.TempDir()
	first := open(t, newInstance(), dir)
	for _, g := range first.Gaps() {
		exempt[g.Name] = g.Why
	}
	enginetest.Run(t, enginetest.Config{
		Open: func(tb testing.TB, instance string) sandbox.Engine {
			cfg := config(instance, dir)
			cfg.Relayed = relayed
			return openWith(tb, cfg)
		},
		Image:  image(t),
		Exempt: exempt,
	})
}

// TestNothingIsLostWhenServersAreKilled kills them under a shell that prints.
func TestNothingIsLostWhenServersAreKilled(t *testing.T) {
	for _, way := range []string{"handed over", "relayed"} {
		t.Run(way, func(t *testing.T) {
			dir, instance := t.TempDir(), newInstance()
			enginetest.Kills(t, instance, way+" in "+dir, image(t), func() enginetest.Closer {
				return open(t, instance, dir)
			})
		})
	}
}

// A sandbox needs nothing of the process that started it.
func TestSandboxOutlivesItsEngine(t *testing.T) {
	dir, instance := t.TempDir(), newInstance()
	first := open(t, instance, dir)
	s := spec(instance, newID(), image(t), 0)
	box, err := sandbox.Start(t.Context(), first, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = box.Run(t.Context(), sandbox.Run{Script: []byte("echo kept >~/kept"), Learner: true})
	box.Detach()
	if err := errors.Join(err, first.Close()); err != nil {
		t.Fatal(err)
	}

	second := open(t, instance, dir)
	defer func() {
		if err := second.Remove(context.Background(), s.ID); err != nil {
			t.Error(err)
		}
	}()
	all, err := second.List(t.Context())
	if err != nil || len(all) != 1 || all[0].ID != s.ID || !all[0].Running || !all[0].Expires.Equal(s.Expires) {
		t.Fatalf("List of the next engine = %+v, %v; want %s running until %s", all, err, s.ID, s.Expires)
	}
	again, err := sandbox.Adopt(t.Context(), second, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Detach()
	got, err := again.Run(t.Context(), sandbox.Run{Script: []byte("cat ~/kept"), Learner: true})
	if err != nil || string(got.Stdout) != "kept\n" {
		t.Errorf("the file in the next engine = %q, %v", got.Stdout, err)
	}
}

func TestOneEngineAnInstance(t *testing.T) {
	dir, instance := t.TempDir(), newInstance()
	first := open(t, instance, dir)
	for what, other := range map[string]string{"the same folder": dir, "another folder": t.TempDir()} {
		second, err := local.Open(t.Context(), config(instance, other))
		if !errors.Is(err, sandbox.ErrUnavailable) || !strings.Contains(err.Error(), "stop that one first") {
			t.Errorf("second Open, on %s = %v, want one that says who has it", what, err)
		}
		if err == nil {
			_ = second.Close()
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("after Close of an engine without sandboxes there is %v, %v", left, err)
	}
	open(t, instance, dir)
}

// Whoever wins the lock has the folder that is there, however often it comes and goes.
func TestOpenAndCloseByMany(t *testing.T) {
	dir, instance := t.TempDir(), newInstance()
	var (
		all  sync.WaitGroup
		have atomic.Int32
		won  atomic.Int32
	)
	for range 4 {
		all.Go(func() {
			for range 25 {
				e, err := local.Open(t.Context(), config(instance, dir))
				if errors.Is(err, sandbox.ErrUnavailable) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if n := have.Add(1); n != 1 {
					t.Errorf("%d engines are open for one instance", n)
				}
				won.Add(1)
				have.Add(-1)
				_ = e.Close()
			}
		})
	}
	all.Wait()
	if won.Load() == 0 {
		t.Error("nobody ever got it")
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for what, change := range map[string]func(*local.Config){
		"an odd instance":     func(c *local.Config) { c.Instance = "../x" },
		"a relative folder":   func(c *local.Config) { c.Dir = "sandboxes" },
		"a runc that is none": func(c *local.Config) { c.Program = "/there/is/no/runc" },
		"no folder of images": func(c *local.Config) { c.Images = "" },
	} {
		cfg := config("other", dir)
		change(&cfg)
		if e, err := local.Open(t.Context(), cfg); err == nil {
			t.Errorf("Open with %s succeeded", what)
			_ = e.Close()
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("refused Opens left %v, %v", left, err)
	}
}
