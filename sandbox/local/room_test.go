package local_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

// Where there is no room for a sandbox's folder its start is refused and leaves nothing,
// those that run go on, and once there is room all works again.
func TestNoRoom(t *testing.T) {
	dir, instance := t.TempDir(), newInstance()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k,mode=755"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	e := open(t, instance, dir)
	first := spec(instance, newID(), image(t), 0)
	if err := e.Create(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	fill := filepath.Join(dir, "fill")
	if err := os.WriteFile(fill, make([]byte, 1<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("fill = %v, want ENOSPC", err)
	}
	for room := range 12 { // pages: more and more of a start succeeds
		if err := os.Truncate(fill, int64(256-4*room)<<10); err != nil {
			t.Fatal(err)
		}
		second := spec(instance, newID(), first.Image, 1)
		err := e.Create(t.Context(), second)
		if err == nil {
			if room == 0 {
				t.Error("a sandbox was made where there is no room")
			}
			if err := e.Remove(t.Context(), second.ID); err != nil {
				t.Error(err)
			}
			continue
		}
		if !errors.Is(err, sandbox.ErrUnavailable) {
			t.Errorf("Create with %d pages left = %v, want ErrUnavailable", room, err)
		}
		for _, place := range places(t, dir, instance) {
			if filepath.Base(place) != first.ID {
				t.Errorf("with %d pages left, %s is left", room, place)
			}
		}
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	second := spec(instance, newID(), first.Image, 1)
	if err := e.Create(t.Context(), second); err != nil {
		t.Errorf("Create once there is room = %v", err)
	}
	for _, id := range []string{first.ID, second.ID} {
		if conn, err := e.Attach(t.Context(), id); err != nil {
			t.Errorf("attach to %s: %v", id, err)
		} else {
			_ = conn.Close()
		}
		if err := e.Remove(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
}
