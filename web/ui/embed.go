// Package ui holds the bundle that esbuild makes of the pages' scripts, styles
// and fonts. What goes in is src; what comes out is a file system of assets whose
// names carry a hash of their content, and the manifest that maps plain names to those.
package ui

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

//go:embed dist
var embedded embed.FS

const manifest = "manifest.json"

// Files returns the built bundle. It fails in a tree that was not built yet.
func Files() (fs.FS, error) {
	files, err := fs.Sub(embedded, "dist")
	if err != nil {
		return nil, err
	}
	if _, err := fs.Stat(files, manifest); errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the pages' scripts and styles are not built; run make build")
	}
	return files, nil
}

// Names reads the manifest of a bundle: plain name ("site.css") to file name
// ("site-3F2A9C01.css").
func Names(files fs.FS) (map[string]string, error) {
	text, err := fs.ReadFile(files, manifest)
	if err != nil {
		return nil, fmt.Errorf("read the bundle's manifest: %w", err)
	}
	names := map[string]string{}
	if err := json.Unmarshal(text, &names); err != nil {
		return nil, fmt.Errorf("read the bundle's manifest: %w; run make build", err)
	}
	for plain, name := range names {
		if _, err := fs.Stat(files, name); err != nil {
			return nil, fmt.Errorf("bundle lacks %s, named by its manifest as %s; run make build", name, plain)
		}
	}
	return names, nil
}
