package images

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
)

//go:embed packages.txt base.sh top.sh Dockerfile programs files embed
var ingredients embed.FS

// ErrNoGuest says that the binary was built before the guest was.
var ErrNoGuest = errors.New("this binary was built without the guest; run make build")

// recipe is all that decides what an image holds.
type recipe struct {
	files        fs.FS        // the ingredients, as embedded
	distribution distribution // whose packages
}

// current is the recipe in this binary for this machine. It is worked out once: a
// server answers the same for all its life.
var current = sync.OnceValues(func() (recipe, error) {
	return newRecipe(ingredients, hostDistribution())
})

func newRecipe(files fs.FS, d distribution) (recipe, error) {
	if _, err := fs.Stat(files, "embed/guest"); err != nil {
		return recipe{}, ErrNoGuest
	}
	return recipe{files, d}, nil
}

// Ingredients of the base image and of what is laid over it; folders whole.
var (
	baseParts = []string{"packages.txt", "base.sh", "Dockerfile"}
	topParts  = []string{"top.sh", "programs", "files", "embed/guest"}
)

func (r recipe) baseTag() string {
	return baseRepository + ":" + r.hash("", baseParts)
}

func (r recipe) sandboxTag() string {
	return sandboxRepository + ":" + r.hash(r.baseTag(), topParts)
}

// hash is over the distribution, below (the image underneath), and the names and
// contents of parts. Sources of packages do not count: mirrors hold the same ones.
func (r recipe) hash(below string, parts []string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", r.distribution, below)
	r.walk(parts, func(name string, content []byte) {
		fmt.Fprintf(h, "%s %d\n", name, len(content))
		h.Write(content)
	})
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// walk calls visit for every file of parts in lexical order. The file system is
// in memory and the parts are given by the embed directive: failing is a bug.
func (r recipe) walk(parts []string, visit func(name string, content []byte)) {
	for _, part := range parts {
		err := fs.WalkDir(r.files, part, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := fs.ReadFile(r.files, name)
			if err == nil {
				visit(name, content)
			}
			return err
		})
		if err != nil {
			panic(fmt.Sprintf("images: embedded %s: %v", part, err))
		}
	}
}

// tar packs parts, the guest under its own name.
func (r recipe) tar(parts []string) []byte {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	r.walk(parts, func(name string, content []byte) {
		name = strings.TrimPrefix(name, "embed/")
		// Writing to memory cannot fail, and the header is right by construction.
		_ = w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Format: tar.FormatPAX})
		_, _ = w.Write(content)
	})
	_ = w.Close()
	return packed.Bytes()
}

// packages lists packages.txt without its comments.
func (r recipe) packages() []string {
	var names []string
	r.walk([]string{"packages.txt"}, func(_ string, content []byte) {
		for lines := bufio.NewScanner(bytes.NewReader(content)); lines.Scan(); {
			line, _, _ := strings.Cut(lines.Text(), "#")
			if line = strings.TrimSpace(line); line != "" {
				names = append(names, line)
			}
		}
	})
	return names
}

func (r recipe) read(name string) []byte {
	var content []byte
	r.walk([]string{path.Clean(name)}, func(_ string, c []byte) { content = c })
	return content
}
