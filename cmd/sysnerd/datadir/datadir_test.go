package datadir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInstanceStaysTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "below", "data")
	first, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if first.Instance != second.Instance || len(first.Instance) != 16 {
		t.Errorf("instance = %q, then %q, want the same 16 letters", first.Instance, second.Instance)
	}
	for _, name := range []string{"", "lock", "instance"} {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("mode of %q = %v, want nothing for others", name, info.Mode().Perm())
		}
	}
}

func TestWrongFolders(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	damaged := filepath.Join(dir, "damaged")
	if err := os.Mkdir(damaged, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{file: "", filepath.Join(damaged, "instance"): "../other\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		file:                         "is a file, or lies below one; choose another with --data",
		filepath.Join(file, "below"): "is a file, or lies below one; choose another with --data",
		"/proc/sysnerd":              "mend that, or choose another with --data",
		damaged:                      "is damaged",
	} {
		d, err := Open(path)
		if err == nil {
			d.Close()
			t.Errorf("Open(%s) took it", path)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%s): %v, want ...%s...", path, err, want)
		}
	}
	// What failed halfway has let go of the folder.
	if err := os.Remove(filepath.Join(damaged, "instance")); err != nil {
		t.Fatal(err)
	}
	d, err := Open(damaged)
	if err != nil {
		t.Fatalf("Open after mending: %v", err)
	}
	d.Close()
}
