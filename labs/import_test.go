package labs

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type packed struct {
	name, text string
	kind       byte
}

// pack writes a tar of a lab with what is added, and returns its path.
func pack(t *testing.T, zip bool, files ...packed) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if f.kind == 0 {
			f.kind = tar.TypeReg
		}
		h := &tar.Header{Name: f.name, Mode: 0o644, Typeflag: f.kind}
		if f.kind == tar.TypeReg {
			h.Size = int64(len(f.text))
		} else {
			h.Linkname = f.text
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if f.kind == tar.TypeReg {
			if _, err := w.Write([]byte(f.text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if zip {
		var z bytes.Buffer
		g := gzip.NewWriter(&z)
		if _, err := g.Write(b.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		b = z
	}
	path := filepath.Join(t.TempDir(), "lab.tar")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// skeletonFiles are the files of the skeleton below a folder.
func skeletonFiles(t *testing.T, folder string) (files []packed) {
	t.Helper()
	root := filepath.Join(begun(t), "os/labs/10-one")
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		below, _ := filepath.Rel(root, path)
		files = append(files, packed{name: folder + below, text: string(text)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestImportTakesFoldersAndTars(t *testing.T) {
	for _, c := range []struct {
		name, as, source, want string
	}{
		{"a folder", "", filepath.Join(begun(t), "os/labs/10-one"), "os/labs/10-one"},
		{"a tar", "20-two", pack(t, false, skeletonFiles(t, "./")...), "os/labs/20-two"},
		{"a folder in a zipped tar", "", pack(t, true, skeletonFiles(t, "30-three/")...), "os/labs/30-three"},
		{"one without a number", "three", pack(t, true, skeletonFiles(t, "30-three/")...), "os/labs/02-three"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := New(dir, "os", "01-first"); err != nil {
				t.Fatal(err)
			}
			p, err := Unpack(dir, "os", c.as, c.source)
			if err != nil {
				t.Fatal(err)
			}
			if p.Folder != c.want {
				t.Errorf("folder is %s, want %s", p.Folder, c.want)
			}
			problems, err := tester.Lint(t.Context(), p.FS)
			if err != nil || len(problems) > 0 {
				t.Errorf("lint: %v, %v", problems, err)
			}
			if err := p.Accept(); err != nil {
				t.Fatal(err)
			}
			if err := p.Remove(); err != nil {
				t.Fatal(err)
			}
			left, _ := filepath.Glob(filepath.Join(dir, ".import-*"))
			if library, problems := Load(os.DirFS(dir)); len(problems) > 0 || len(library.Modules[0].Labs) != 2 || len(left) > 0 {
				t.Errorf("%v, %d labs, left over %v", problems, len(library.Modules[0].Labs), left)
			}
		})
	}
}

func TestImportRefusesWhatIsNoPlainLab(t *testing.T) {
	good := skeletonFiles(t, "")
	var many []packed
	for i := range maxImportFiles + 1 {
		many = append(many, packed{name: fmt.Sprint(i)})
	}
	link := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(link, "lab.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, as, source, want string }{
		{"a path that leads out", "", pack(t, false, append(good, packed{name: "../../x", text: "x"})...), "leads out of the lab"},
		{"an absolute path", "", pack(t, false, append(good, packed{name: "/etc/cron.d/x", text: "x"})...), "leads out of the lab"},
		{"a link", "", pack(t, false, append(good, packed{"setup2.sh", "/etc/passwd", tar.TypeSymlink})...), "is a link or a special file"},
		{"a hard link", "", pack(t, false, append(good, packed{"setup2.sh", "/etc/passwd", tar.TypeLink})...), "is a link or a special file"},
		{"a device", "", pack(t, false, append(good, packed{"null", "", tar.TypeChar})...), "is a link or a special file"},
		{"a link in a folder", "x", link, "is a link or a special file"},
		{"a large file", "x", pack(t, true, append(good, packed{name: "big", text: strings.Repeat("x", maxFile+1)})...), "is larger than 256 KiB"},
		{"a bomb", "x", pack(t, true, bomb()...), "larger than 8 MiB"},
		{"the same twice", "x", pack(t, false, append(good, good[0])...), "comes twice"},
		{"too many", "x", pack(t, true, many...), "more than 1000 files"},
		{"no lab", "x", pack(t, false, packed{name: "README", text: "x"}), "there is no lab.yaml in it"},
		{"beside a lab", "", pack(t, false, append(skeletonFiles(t, "30-x/"), packed{name: "README", text: "x"})...), "pack one lab alone"},
		{"no tar", "x", filepath.Join(begun(t), "os/module.yaml"), "neither a folder nor a tar"},
		{"a name that is there", "first", pack(t, false, good...), "is there already"},
		{"a name that is none", "..", pack(t, false, good...), "is no name of a lab"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := New(dir, "os", "01-first"); err != nil {
				t.Fatal(err)
			}
			p, err := Unpack(dir, "os", c.as, c.source)
			if err == nil {
				t.Fatalf("taken as %s", p.Folder)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want %q", err, c.want)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, ".import-*")); len(left) > 0 {
				t.Errorf("left over: %v", left)
			}
		})
	}
}

// bomb is small when packed and large when not.
func bomb() (files []packed) {
	for i := range 60 {
		files = append(files, packed{name: strings.Repeat("a", i+1), text: strings.Repeat("\x00", maxFile)})
	}
	return files
}
