package labs

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
)

//go:embed all:skeleton
var skeleton embed.FS

// labFolder is the name of a lab's folder: a number that orders, and its id.
var labFolder = regexp.MustCompile(`^[0-9]{2,4}-[a-z0-9][a-z0-9-]{0,63}$`)

// New writes the skeleton of a lab below dir, which is made if need be, and returns
// the folder of the lab. name is its folder, or its id alone: then its number is behind
// those that are there. A module that is not there gets a module.yaml. Nothing that is
// there is written over.
func New(dir, module, name string) (folder string, err error) {
	if !idPattern.MatchString(module) {
		return "", fmt.Errorf("module %q is no id: use 1 to 64 of a-z, 0-9 and -", module)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	home, err := moduleFolder(root.FS(), module)
	if errors.Is(err, fs.ErrNotExist) {
		home = module
		err = writeSkeleton(root, "skeleton/module/module.yaml", path.Join(home, "module.yaml"), module)
	}
	if err != nil {
		return "", err
	}
	if name, err = numbered(root.FS(), path.Join(home, "labs"), name); err != nil {
		return "", err
	}
	folder = path.Join(home, "labs", name)
	if _, err := root.Lstat(folder); err == nil {
		return "", fmt.Errorf("%s is there already; choose another id", folder)
	}
	return folder, fs.WalkDir(skeleton, "skeleton/lab", func(from string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return writeSkeleton(root, from, path.Join(folder, strings.TrimPrefix(from, "skeleton/lab/")), module)
	})
}

// moduleFolder is the folder that holds the module of that id, which need not be its
// name. Errors: fs.ErrNotExist, or that its module.yaml cannot be read.
func moduleFolder(fsys fs.FS, module string) (string, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		file := path.Join(e.Name(), "module.yaml")
		if info, err := fs.Stat(fsys, file); err != nil || !info.Mode().IsRegular() {
			continue
		}
		r := &reader{fsys: fsys}
		var f moduleFile
		if !r.yaml(file, &f) {
			if e.Name() == module {
				return "", errors.New(r.problems[0].String())
			}
			continue
		}
		if f.ID == module {
			return e.Name(), nil
		}
	}
	return "", fs.ErrNotExist
}

// numbered puts a number before a lab's id that has none: the one behind the last.
func numbered(fsys fs.FS, dir, name string) (string, error) {
	id := prefixPattern.ReplaceAllString(name, "")
	last := 0
	entries, _ := fs.ReadDir(fsys, dir)
	for _, e := range entries {
		if folderID(e.Name()) == id {
			return "", fmt.Errorf("%s is there already; choose another id", path.Join(dir, e.Name()))
		}
		number, _, _ := strings.Cut(e.Name(), "-")
		n, _ := strconv.Atoi(number)
		last = max(last, n)
	}
	if id == name {
		name = fmt.Sprintf("%02d-%s", last+1, id)
	}
	if !labFolder.MatchString(name) || !idPattern.MatchString(id) {
		return "", fmt.Errorf("%q is no name of a lab: use a number and 1 to 64 of a-z, 0-9 and -, as in 10-open-files", cut(name, 80))
	}
	return name, nil
}

func folderID(dir string) string { return prefixPattern.ReplaceAllString(path.Base(dir), "") }

// writeSkeleton writes one file of the skeleton; it must not be there.
func writeSkeleton(root *os.Root, from, to, module string) error {
	text, err := skeleton.ReadFile(from)
	if err != nil {
		return err
	}
	if err := root.MkdirAll(path.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.ReplaceAll(string(text), "MODULE", module))
	return errors.Join(err, f.Close())
}
