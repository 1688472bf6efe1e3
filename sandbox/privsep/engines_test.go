package privsep_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"sysnerd/images"
	"sysnerd/sandbox"
	"sysnerd/sandbox/docker"
	"sysnerd/sandbox/enginetest"
	"sysnerd/sandbox/local"
	"sysnerd/sandbox/privsep"
)

// Docker behind a helper owes what Docker does.
func TestEngineOnDocker(t *testing.T) {
	image, err := images.Tag()
	if err != nil {
		t.Fatalf("%v; build guest and image with: make image", err)
	}
	enginetest.Run(t, enginetest.Config{
		Open: func(tb testing.TB, instance string) sandbox.Engine {
			e, err := docker.Open(tb.Context(), docker.Config{Instance: instance})
			if err != nil {
				tb.Fatal(err)
			}
			return behind(tb, e, e.Close, instance, image)
		},
		Image: image,
	})
}

// The local engine behind a helper owes what it does by itself.
func TestEngineOnLocal(t *testing.T) {
	store, err := images.NewLocal(images.LocalDir)
	if err != nil {
		t.Fatal(err)
	}
	image, ok, err := store.Current(t.Context())
	if err != nil || !ok {
		t.Fatalf("no current image (%v); build guest and image with: make build, bin/sysnerd image build --engine local", err)
	}
	runc, err := filepath.Abs("../../bin/runc")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	enginetest.Run(t, enginetest.Config{
		Open: func(tb testing.TB, instance string) sandbox.Engine {
			e, err := local.Open(tb.Context(), local.Config{Instance: instance, Dir: dir, Images: images.LocalDir, Program: runc})
			if err != nil {
				tb.Fatalf("%v; build runc with: make build", err)
			}
			return behind(tb, e, e.Close, instance, image)
		},
		Image: image,
	})
}

// behind puts e behind a helper that has named image.
func behind(tb testing.TB, e sandbox.Engine, closeEngine func() error, instance, image string) sandbox.Engine {
	theirs, ours, err := privsep.Pair()
	if err != nil {
		tb.Fatal(err)
	}
	far, err := privsep.Conn(theirs)
	if err != nil {
		tb.Fatal(err)
	}
	near, err := privsep.Conn(ours)
	if err != nil {
		tb.Fatal(err)
	}
	served := make(chan error, 1)
	h := &privsep.Helper{Engine: e, Instance: instance, Log: slog.New(slog.DiscardHandler),
		Image: func(context.Context) (string, error) { return image, nil }}
	go func() { served <- h.Serve(far) }()
	parted, err := privsep.Connect(tb.Context(), near, instance)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = parted.Close()
		if err := <-served; err != nil {
			tb.Error(err)
		}
		_ = closeEngine()
	})
	if _, err := parted.Image(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return parted
}
