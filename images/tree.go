package images

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// digestTree is over all that a program in a tree can see but for times: names,
// kinds, modes, owners, links and contents, in lexical order. size is that of the
// contents, in bytes.
func digestTree(root string) (digest string, size int64, err error) {
	h := sha256.New()
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return fmt.Errorf("%s: no owner is known", name)
		}
		fmt.Fprintf(h, "%q %o %d %d ", name, info.Mode(), owner.Uid, owner.Gid)
		switch {
		case info.IsDir():
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(h, "%q", target)
		case info.Mode().IsRegular():
			fmt.Fprintf(h, "%d ", info.Size())
			size += info.Size()
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			if _, err := io.Copy(h, f); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is neither file, folder nor link", name)
		}
		fmt.Fprintln(h)
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), size, err
}
