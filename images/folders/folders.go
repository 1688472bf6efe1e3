// Package folders reads the store of images that the local engine runs: in goes a tag,
// out comes the id of a root file system that lies there ready. Package images fills
// the store; this part stands alone so that the helper of the engine, which is root,
// has nothing of the rest in it.
//
//	DIR/sha256-<digest>/      a root file system, never changed once it is called so
//	DIR/sha256-<digest>.json  its tag and kind; written last
//
// # Concurrency
//
// All functions may be called at the same time, by several processes, while images are
// made and removed.
package folders

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Dir is where images lie, for all instances of a machine. It is no part of a data
// folder, since those are given to the user of the pages.
const Dir = "/var/lib/sysnerd-images"

// Note is what a store knows of an image.
type Note struct {
	Tag     string    `json:"tag"`
	Kind    string    `json:"kind"`
	Below   string    `json:"below,omitempty"` // the base that it was made from
	Created time.Time `json:"created"`
	Size    int64     `json:"size"` // bytes of all files
}

// Path is where an image lies in the store dir.
func Path(dir, id string) string {
	return filepath.Join(dir, strings.Replace(id, ":", "-", 1))
}

// All reads every note, by the id of its image.
func All(dir string) (map[string]Note, error) {
	files, err := filepath.Glob(filepath.Join(dir, "sha256-*.json"))
	if err != nil {
		return nil, err
	}
	all := map[string]Note{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var n Note
		if err == nil {
			err = json.Unmarshal(text, &n)
		}
		if err != nil {
			return nil, fmt.Errorf("read image %s: %w", file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if info, err := os.Lstat(filepath.Join(dir, name)); err == nil && info.IsDir() {
			all[strings.Replace(name, "-", ":", 1)] = n
		}
	}
	return all, nil
}

// Find returns the id of the image that tag names; ok is false if there is none.
func Find(dir, tag string) (id string, ok bool, err error) {
	all, err := All(dir)
	for id, n := range all {
		if n.Tag == tag {
			return id, true, nil
		}
	}
	return "", false, err
}
