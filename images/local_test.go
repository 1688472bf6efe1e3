package images

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// localStore is a store of this test alone, on a small base made of the test's files:
// what mmdebstrap makes is held by the store of this machine.
func localStore(t *testing.T) *Local {
	t.Helper()
	l, err := NewLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// tree names a small root file system in the store.
func (l *Local) tree(t *testing.T, tag, kind, content string) string {
	t.Helper()
	return l.treeOf(t, note{Tag: tag, Kind: kind}, content)
}

func (l *Local) treeOf(t *testing.T, n note, content string) string {
	t.Helper()
	part, err := l.newPart(n.Tag)
	if err == nil {
		err = os.WriteFile(filepath.Join(part, "file"), []byte(content), 0o640)
	}
	if err == nil {
		err = os.Symlink("file", filepath.Join(part, "link"))
	}
	var id string
	if err == nil {
		id, err = l.name(part, n)
	}
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// The machine's own image, made of real packages: make image ENGINE=local.
func TestLocalImageIsWhole(t *testing.T) {
	l, err := NewLocal(LocalDir)
	if err != nil {
		t.Fatal(err)
	}
	id, ok, err := l.Current(t.Context())
	if err != nil || !ok {
		t.Fatalf("Current = %t, %v; build it with: sysnerd image build --engine local", ok, err)
	}
	folder := l.folder(id)
	if digest, _, err := digestTree(folder); err != nil || "sha256:"+digest != id {
		t.Errorf("digest = %s, %v; the image is called %s", digest, err, id)
	}
	for _, path := range []string{"usr/lib/sysnerd/guest", "usr/local/bin/hog", "usr/bin/strace", "usr/bin/gcc", "proc", "sys", "dev", "tmp", "run", "home/learner"} {
		if _, err := os.Lstat(filepath.Join(folder, path)); err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(filepath.Join(folder, "dev")); err != nil || len(entries) > 0 {
		t.Errorf("/dev of the image holds %v, %v; want nothing", entries, err)
	}
	special, err := exec.Command("find", folder, "!", "-type", "f", "!", "-type", "d", "!", "-type", "l", "-o", "-type", "f", "-perm", "/6000").CombinedOutput()
	if err != nil || len(special) > 0 {
		t.Errorf("devices or programs that lend rights: %s %v", special, err)
	}
}

func TestLocalListAndRemove(t *testing.T) {
	l := localStore(t)
	first := l.tree(t, "sysnerd/sandbox:1111111111111111", kindSandbox, "one")
	second := l.tree(t, "sysnerd/sandbox:2222222222222222", kindSandbox, "two")
	if first == second {
		t.Fatal("two contents have one name")
	}
	if again := l.tree(t, "sysnerd/sandbox:1111111111111111", kindSandbox, "one"); again != first {
		t.Errorf("the same content is called %s, and %s before", again, first)
	}
	all, err := l.List(t.Context())
	if err != nil || len(all) != 2 {
		t.Fatalf("List = %v, %v; want two", all, err)
	}
	if err := l.Remove(t.Context(), "sysnerd/sandbox:3333333333333333"); err == nil {
		t.Error("an image was removed that is not there")
	}

	// An engine holds it.
	held, err := os.Open(l.folder(first))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(held.Fd()), unix.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	if err := l.Remove(t.Context(), first); !errors.Is(err, errInUse) {
		t.Errorf("Remove of an image that an engine holds = %v, want %v", err, errInUse)
	}
	held.Close()

	// A process has it as its root.
	in := startIn(t, l.folder(second))
	if err := l.Remove(t.Context(), second); !errors.Is(err, errInUse) {
		t.Errorf("Remove of an image in use = %v, want %v", err, errInUse)
	}
	in()
	for _, id := range []string{first, second} {
		if err := l.Remove(t.Context(), id); err != nil {
			t.Errorf("Remove = %v", err)
		}
	}
	if left, err := os.ReadDir(l.dir); err != nil || len(left) > 0 {
		t.Errorf("the store still holds %v, %v", left, err)
	}
}

// What is current, in use, below one that stays, or among the newest stays.
func TestLocalOldImagesAreRemoved(t *testing.T) {
	l := localStore(t)
	r, err := current()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{
		l.tree(t, r.baseTag(), kindBase, "base"):                           true,
		l.tree(t, r.sandboxTag(), kindSandbox, "current"):                  true,
		l.tree(t, "sysnerd/base:5555555555555555", kindBase, "below none"): false,
	}
	below := l.tree(t, "sysnerd/base:6666666666666666", kindBase, "below one that is used")
	want[below] = true
	used := l.treeOf(t, note{Tag: "sysnerd/sandbox:7777777777777777", Kind: kindSandbox, Below: below}, "used")
	want[used] = true
	end := startIn(t, l.folder(used))
	defer end()
	for i := range keptImages + 2 {
		id := l.treeOf(t, note{Tag: fmt.Sprintf("sysnerd/sandbox:%016d", i), Kind: kindSandbox}, fmt.Sprint("old ", i))
		l.age(t, id, time.Duration(i+1)*time.Hour)
		want[id] = i < keptImages
	}
	if err := l.removeOld(t.Context(), r, func(string) {}); err != nil {
		t.Fatal(err)
	}
	left, err := l.all()
	if err != nil {
		t.Fatal(err)
	}
	for id, stays := range want {
		if _, ok := left[id]; ok != stays {
			t.Errorf("image %.19s: there is %t, want %t", id, ok, stays)
		}
	}
}

// age makes an image older.
func (l *Local) age(t *testing.T, id string, by time.Duration) {
	t.Helper()
	all, err := l.all()
	if err != nil {
		t.Fatal(err)
	}
	n := all[id]
	n.Created = n.Created.Add(-by)
	if err := l.write(id, n); err != nil {
		t.Fatal(err)
	}
}

// startIn runs a process whose root is a bind of folder, as a sandbox's is, until it is told to end.
func startIn(t *testing.T, folder string) (end func()) {
	t.Helper()
	cmd := exec.Command("unshare", "--mount", "/bin/sh", "-c",
		`mount --bind "$0" "$0" && cd "$0" && mkdir -p old && pivot_root . old && echo there && read -r _`, folder)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if n, err := out.Read(make([]byte, 16)); n == 0 {
		t.Fatalf("pivot_root: %v", err)
	}
	return func() {
		_ = in.Close()
		_ = cmd.Wait()
	}
}

// A build that is cut off leaves a part, which the next one removes.
func TestLocalPartsAreRemoved(t *testing.T) {
	l := localStore(t)
	if _, err := l.newPart("sysnerd/base:4444444444444444"); err != nil {
		t.Fatal(err)
	}
	if err := l.removeParts(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(l.dir); err != nil || len(left) > 0 {
		t.Errorf("the store still holds %v, %v", left, err)
	}
}

func TestDigestSeesWhatAProgramSees(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "file")
	var seen []string
	look := func(what string, change error) {
		t.Helper()
		digest, _, err := digestTree(root)
		if change != nil || err != nil {
			t.Fatal(change, err)
		}
		if slices.Contains(seen, digest) {
			t.Errorf("%s does not show", what)
		}
		seen = append(seen, digest)
	}
	look("an empty folder", nil)
	look("a file", os.WriteFile(file, []byte("a"), 0o600))
	look("its content", os.WriteFile(file, []byte("b"), 0o600))
	look("its mode", os.Chmod(file, 0o700))
	look("its owner", os.Chown(file, 20000, 0))
	look("a link", os.Symlink("file", filepath.Join(root, "link")))
	look("a folder", os.Mkdir(filepath.Join(root, strings.Repeat("x", 200)), 0o755))
	if err := unix.Mkfifo(filepath.Join(root, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := digestTree(root); err == nil {
		t.Error("a tree with a FIFO has a digest")
	}
}
