package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"sysnerd/labs"
)

// LoadLabs loads the labs below dir, or those in the program when dir is empty.
// A lab with a problem is left out and hides no other.
func LoadLabs(dir string) (*labs.Library, []labs.Problem, error) {
	if dir == "" {
		library, problems := labs.Load(labs.Embedded())
		return library, problems, nil
	}
	// A root cannot be left by links, which a plain folder can.
	root, err := os.OpenRoot(dir)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, nil, fmt.Errorf("cannot open the folder of labs %s: %w; name another with --labs, or leave it out", dir, err)
	}
	defer root.Close()
	library, problems := labs.Load(root.FS())
	return library, problems, nil
}
