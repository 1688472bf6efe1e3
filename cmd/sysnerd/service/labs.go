package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"sysnerd/labs"
)

// OpenLabs opens the labs below dir, or those in the program when dir is empty. close
// ends its use.
func OpenLabs(dir string) (content fs.FS, close func() error, err error) {
	if dir == "" {
		return labs.Embedded(), func() error { return nil }, nil
	}
	// A root cannot be left by links, which a plain folder can.
	root, err := os.OpenRoot(dir)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		if errors.Is(err, fs.ErrPermission) {
			return nil, nil, fmt.Errorf("cannot open the folder of labs %s: the pages run as uid %d, who may not read it; let him (chmod -R o+rX), or name another user with --user", dir, os.Geteuid())
		}
		return nil, nil, fmt.Errorf("cannot open the folder of labs %s: %w; name another with --labs, or leave it out", dir, err)
	}
	return root.FS(), root.Close, nil
}

// LoadLabs loads the labs below dir, or those in the program when dir is empty.
// A lab with a problem is left out and hides no other.
func LoadLabs(dir string) (*labs.Library, []labs.Problem, error) {
	content, close, err := OpenLabs(dir)
	if err != nil {
		return nil, nil, err
	}
	defer close()
	library, problems := labs.Load(content)
	return library, problems, nil
}
