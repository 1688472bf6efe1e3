package images

import "io/fs"

// Programs are the C sources of the lab programs: NAME.c, and the headers that
// they include.
func Programs() fs.FS {
	sub, err := fs.Sub(ingredients, "programs")
	if err != nil {
		panic("images: embedded programs: " + err.Error()) // the name is right by construction
	}
	return sub
}
