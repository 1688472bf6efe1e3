package images

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func testFiles() fstest.MapFS {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return fstest.MapFS{
		"packages.txt":         file("# tools\nbash # the shell\n\n  strace\n"),
		"base.sh":              file("base"),
		"Dockerfile":           file("FROM x"),
		"top.sh":               file("top"),
		"programs/drip.c":      file("int main"),
		"files/bash.bashrc":    file("PS1="),
		"files/vim/vimrc.tiny": file("set"),
		"embed/README":         file("read me"),
		"embed/guest":          file("ELF"),
	}
}

var bookworm = distribution{"debian", "bookworm"}

func TestHashChangesWithEachIngredient(t *testing.T) {
	plain := recipe{testFiles(), bookworm}
	base := []string{"packages.txt", "base.sh", "Dockerfile"}
	for _, name := range slices.Sorted(maps.Keys(testFiles())) {
		files := testFiles()
		files[name].Data = append(files[name].Data, '!')
		changed := recipe{files, bookworm}

		baseChanged := changed.baseTag() != plain.baseTag()
		if want := slices.Contains(base, name); baseChanged != want {
			t.Errorf("after a change of %s: base tag changed = %v, want %v", name, baseChanged, want)
		}
		topChanged := changed.sandboxTag() != plain.sandboxTag()
		if want := name != "embed/README"; topChanged != want {
			t.Errorf("after a change of %s: sandbox tag changed = %v, want %v", name, topChanged, want)
		}
	}
}

func TestHashTellsContentFromName(t *testing.T) {
	one, other := testFiles(), testFiles()
	one["programs/a.c"] = &fstest.MapFile{Data: []byte("xy")}
	other["programs/a.c"] = &fstest.MapFile{Data: []byte("x")}
	other["programs/b.c"] = &fstest.MapFile{Data: []byte("y")}
	if a, b := (recipe{one, bookworm}).sandboxTag(), (recipe{other, bookworm}).sandboxTag(); a == b {
		t.Errorf("one file and the same bytes in two have the same tag %s", a)
	}
}

func TestHashChangesWithDistribution(t *testing.T) {
	a := recipe{testFiles(), bookworm}
	b := recipe{testFiles(), distribution{"ubuntu", "noble"}}
	if a.baseTag() == b.baseTag() || a.sandboxTag() == b.sandboxTag() {
		t.Errorf("%v and %v have the same tags", a.distribution, b.distribution)
	}
}

func TestTagNamesRepository(t *testing.T) {
	r := recipe{testFiles(), bookworm}
	if got := r.sandboxTag(); !strings.HasPrefix(got, "sysnerd/sandbox:") || len(got) != len("sysnerd/sandbox:")+16 {
		t.Errorf("sandboxTag() = %q, want sysnerd/sandbox: and 16 digits", got)
	}
}

func TestTagWithoutGuestSaysWhatToDo(t *testing.T) {
	files := testFiles()
	delete(files, "embed/guest")
	_, err := newRecipe(files, bookworm)
	if !errors.Is(err, ErrNoGuest) || !strings.Contains(err.Error(), "make build") {
		t.Errorf("newRecipe without a guest: %v, want ErrNoGuest with its cure", err)
	}
}

func TestPackagesLeavesCommentsOut(t *testing.T) {
	got := recipe{testFiles(), bookworm}.packages()
	if diff := cmp.Diff([]string{"bash", "strace"}, got); diff != "" {
		t.Errorf("packages() (-want +got):\n%s", diff)
	}
}

func TestTarHoldsPartsAndGuestUnderItsOwnName(t *testing.T) {
	r := recipe{testFiles(), bookworm}
	got := map[string]string{}
	for in := tar.NewReader(bytes.NewReader(r.tar(topParts))); ; {
		header, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		got[header.Name] = string(content)
	}
	want := map[string]string{
		"top.sh": "top", "programs/drip.c": "int main", "files/bash.bashrc": "PS1=",
		"files/vim/vimrc.tiny": "set", "guest": "ELF",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tar (-want +got):\n%s", diff)
	}
}

// What the binary really holds.
func TestEmbeddedPackagesServeTheCourse(t *testing.T) {
	names := recipe{ingredients, bookworm}.packages()
	for _, want := range []string{"bash", "strace", "procps", "gcc", "gdb", "man-db", "manpages", "manpages-dev", "vim-tiny"} {
		if !slices.Contains(names, want) {
			t.Errorf("packages.txt lacks %s", want)
		}
	}
}
