package labs

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Bounds of a lab that comes from elsewhere; each file is bound as all are.
const (
	maxImportFiles = 1000
	maxImportBytes = 8 << 20
)

// Parcel is a lab from elsewhere, unpacked into a folder of its own beside the labs it
// may become one of. Remove it when done.
type Parcel struct {
	Folder string // of the lab, below FS
	FS     fs.FS  // its module, with no other lab

	root *os.Root // of all labs
	at   string   // of the parcel, below root
	home string   // of the module, below root
}

// Unpack reads a lab, from a folder or a tar (gzip or not), into a hidden folder below
// dir, as a lab of a module that is there. name is the lab's folder; "" is the one that
// it had. Errors: links, special files, paths that lead out, and sizes; nothing of such
// a lab is kept.
func Unpack(dir, module, name, source string) (p *Parcel, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	p = &Parcel{root: root}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Remove())
			p = nil
		}
	}()
	if p.home, err = moduleFolder(root.FS(), module); errors.Is(err, fs.ErrNotExist) {
		return p, fmt.Errorf("there is no module %q in %s; begin one by: sysnerd lab new", module, dir)
	} else if err != nil {
		return p, err
	}
	files, found, err := readParcel(source)
	if err != nil {
		return p, err
	}
	if name == "" {
		name = found
	}
	if name, err = numbered(root.FS(), path.Join(p.home, "labs"), name); err != nil {
		return p, err
	}
	p.at = ".import-" + newToken()
	p.Folder = path.Join(p.home, "labs", name)
	about, err := root.ReadFile(path.Join(p.home, "module.yaml"))
	if err != nil {
		return p, err
	}
	if err := p.write(path.Join(p.home, "module.yaml"), about); err != nil {
		return p, err
	}
	for file, text := range files {
		if err := p.write(path.Join(p.Folder, file), text); err != nil {
			return p, err
		}
	}
	p.FS, err = fs.Sub(root.FS(), p.at)
	return p, err
}

func (p *Parcel) write(file string, text []byte) error {
	file = path.Join(p.at, file)
	if err := p.root.MkdirAll(path.Dir(file), 0o755); err != nil {
		return err
	}
	return p.root.WriteFile(file, text, 0o644)
}

// Accept makes the lab one of its module, whole or not at all.
func (p *Parcel) Accept() error {
	if err := p.root.MkdirAll(path.Dir(p.Folder), 0o755); err != nil {
		return err
	}
	return p.root.Rename(path.Join(p.at, p.Folder), p.Folder)
}

// Remove takes the parcel away; a lab that was accepted stays.
func (p *Parcel) Remove() error {
	var err error
	if p.at != "" {
		err = p.root.RemoveAll(p.at)
	}
	return errors.Join(err, p.root.Close())
}

// readParcel reads the files of a lab, by their paths below it, and the name of its
// folder, "" when it has none.
func readParcel(source string) (files map[string][]byte, name string, err error) {
	info, err := os.Stat(source)
	if err != nil {
		return nil, "", err
	}
	all := map[string][]byte{}
	total := 0
	add := func(file string, size int64, from io.Reader) error {
		file = path.Clean(file)
		switch {
		case !filepath.IsLocal(file):
			return fmt.Errorf("%q leads out of the lab; pack it by paths below its folder", file)
		case size > maxFile:
			return fmt.Errorf("%s is larger than %d KiB; split it or shorten it", file, maxFile>>10)
		case len(all) == maxImportFiles:
			return fmt.Errorf("it has more than %d files; a lab is a few dozen small ones", maxImportFiles)
		case all[file] != nil:
			return fmt.Errorf("%s comes twice; pack it once", file)
		}
		text, err := io.ReadAll(io.LimitReader(from, maxFile+1))
		if err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		if total += len(text); len(text) > maxFile || total > maxImportBytes {
			return fmt.Errorf("%s makes it larger than %d MiB; a lab is a few dozen small files", file, maxImportBytes>>20)
		}
		all[file] = append([]byte{}, text...)
		return nil
	}
	if info.IsDir() {
		name = filepath.Base(filepath.Clean(source))
		err = readFolder(source, add)
	} else {
		err = readTar(source, add)
	}
	if err != nil {
		return nil, "", err
	}
	// A lab may lie in a folder of its own within.
	if all["lab.yaml"] == nil {
		for file := range all {
			if folder := path.Dir(file); path.Base(file) == "lab.yaml" && !strings.Contains(folder, "/") {
				return below(all, folder)
			}
		}
		return nil, "", errors.New("there is no lab.yaml in it; name the folder of a lab, or a tar of one")
	}
	return all, name, nil
}

// below keeps the files of one folder, and refuses others.
func below(all map[string][]byte, folder string) (files map[string][]byte, name string, err error) {
	files = map[string][]byte{}
	for file, text := range all {
		inner, ok := strings.CutPrefix(file, folder+"/")
		if !ok {
			return nil, "", fmt.Errorf("%s lies outside of the lab %s; pack one lab alone", file, folder)
		}
		files[inner] = text
	}
	return files, folder, nil
}

func readFolder(source string, add func(file string, size int64, from io.Reader) error) error {
	root, err := os.OpenRoot(source)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is a link or a special file; put the file itself there", file)
		}
		f, err := root.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		return add(file, info.Size(), f)
	})
}

func readTar(source string, add func(file string, size int64, from io.Reader) error) error {
	f, err := os.Open(source)
	if err != nil {
		return err
	}
	defer f.Close()
	packed := bufio.NewReader(f)
	var from io.Reader = packed
	if magic, _ := packed.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzip, err := gzip.NewReader(packed)
		if err != nil {
			return fmt.Errorf("it is no gzip: %w", err)
		}
		defer unzip.Close()
		from = unzip
	}
	// Headers count too, and what is passed over.
	bounded := &io.LimitedReader{R: from, N: 2*maxImportBytes + 1}
	for archive := tar.NewReader(bounded); ; {
		h, err := archive.Next()
		if bounded.N <= 0 {
			return fmt.Errorf("it is larger than %d MiB; a lab is a few dozen small files", 2*maxImportBytes>>20)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("it is neither a folder nor a tar: %w", err)
		}
		switch h.Typeflag {
		case tar.TypeDir, tar.TypeXGlobalHeader:
		case tar.TypeReg:
			if err := add(h.Name, h.Size, archive); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is a link or a special file; pack the file itself", h.Name)
		}
	}
}
