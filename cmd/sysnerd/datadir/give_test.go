package datadir

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const someUID = 19998

func owner(t *testing.T, path string) (uid, gid int, mode os.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	is := info.Sys().(*syscall.Stat_t)
	return int(is.Uid), int(is.Gid), info.Mode()
}

// rootsFolder is one of before, of root alone, with a store in it.
func rootsFolder(t *testing.T) *Dir {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("only root can give a folder: run the tests by sudo")
	}
	d, err := Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	for _, name := range []string{"sysnerd.db", "sysnerd.db-wal", "other"} {
		if err := os.WriteFile(filepath.Join(d.Path, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func TestGiveLeavesRootsTheFolderAndTheInstance(t *testing.T) {
	d := rootsFolder(t)
	for _, want := range []bool{true, false} { // the second time there is nothing to do
		if changed, err := d.Give(someUID, someUID); err != nil || changed != want {
			t.Fatalf("Give = %t, %v; want %t", changed, err, want)
		}
	}
	for name, want := range map[string]struct {
		uid, gid int
		mode     os.FileMode
	}{
		"":               {0, someUID, os.ModeDir | os.ModeSticky | 0o770},
		"instance":       {0, someUID, 0o640},
		"lock":           {someUID, someUID, 0o600},
		"sysnerd.db":     {someUID, someUID, 0o600},
		"sysnerd.db-wal": {someUID, someUID, 0o600},
		"other":          {0, 0, 0o600},
	} {
		if uid, gid, mode := owner(t, filepath.Join(d.Path, name)); uid != want.uid || gid != want.gid || mode != want.mode {
			t.Errorf("%q is %d:%d %v, want %d:%d %v", name, uid, gid, mode, want.uid, want.gid, want.mode)
		}
	}
	// To another user of the server's, later.
	if changed, err := d.Give(someUID-1, someUID-1); err != nil || !changed {
		t.Errorf("Give to another = %t, %v; want true", changed, err)
	}
	// And the folder can be opened again as it is.
	d.Close()
	again, err := Open(d.Path)
	if err != nil || again.Instance != d.Instance {
		t.Fatalf("Open = %v, %v; want instance %s", again, err, d.Instance)
	}
	again.Close()
}

// What the server's user may have put there must give him nothing of others.
func TestGiveFallsIntoNoTrap(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	for what, set := range map[string]func(at string) error{
		"a link":      func(at string) error { return os.Symlink(secret, at) },
		"a hard link": func(at string) error { return os.Link(secret, at) },
		"a pipe":      func(at string) error { return syscall.Mkfifo(at, 0o600) },
		"a folder":    func(at string) error { return os.Mkdir(at, 0o700) },
	} {
		for _, name := range []string{"sysnerd.db", "instance"} {
			d := rootsFolder(t)
			if err := os.WriteFile(secret, []byte("root's"), 0o600); err != nil {
				t.Fatal(err)
			}
			at := filepath.Join(d.Path, name)
			if err := os.Remove(at); err != nil {
				t.Fatal(err)
			}
			if err := set(at); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Give(someUID, someUID); err == nil {
				t.Errorf("Give with %s as %s = nil, want an error", what, name)
			}
			if uid, _, mode := owner(t, secret); uid != 0 || mode != 0o600 {
				t.Errorf("after Give with %s as %s the secret is %d's, %v", what, name, uid, mode)
			}
		}
	}
}

// Nothing that a link leads to is read, and told in an error.
func TestOpenFollowsNoLink(t *testing.T) {
	for _, name := range []string{"instance", "lock"} {
		d := rootsFolder(t)
		d.Close()
		secret := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(secret, []byte("hunter2"), 0o600); err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(d.Path, name)
		if err := os.Remove(at); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(secret, at); err != nil {
			t.Fatal(err)
		}
		if again, err := Open(d.Path); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open with a link as %s = %v, %v; want an error without what is there", name, again, err)
		}
		if text, err := os.ReadFile(secret); err != nil || string(text) != "hunter2" {
			t.Errorf("after Open with a link as %s the secret is %q, %v", name, text, err)
		}
		if pid, held := Holder(d.Path); held {
			t.Errorf("Holder = %s, though it is nobody's", pid)
		}
	}
}

func TestFolderOfSomebodyElseIsNotTaken(t *testing.T) {
	d := rootsFolder(t)
	if err := os.Chown(d.Path, someUID-2, someUID-2); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Give(someUID, someUID); err == nil || !strings.Contains(err.Error(), "chown root "+d.Path) {
		t.Errorf("Give = %v, want an error with its cure", err)
	}
	// The user's own serves him as it is.
	if _, err := d.Give(someUID-2, someUID-2); err != nil {
		t.Errorf("Give to its owner = %v, want nil", err)
	}
}
