// Package datadir takes the path of a data directory and gives it, made and
// locked, to one server at a time, with the instance that owns its sandboxes.
//
//	DIR/lock        held by flock(2) as long as the server lives; holds its pid
//	DIR/instance    random name, on every sandbox's label
//	DIR/sysnerd.db  the classroom's store
//
// Root opens it for a server that is to run as an ordinary user, gives it (give.go)
// and leaves the lock to it. The folder stays root's: it is sticky and the user's group
// may write there, so that the server makes the files of its store, and can put nothing
// in the place of what is root's.
package datadir

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

// Dir is a data directory that is ours until Close.
type Dir struct {
	Path     string
	Instance string
	lock     *os.File
}

// Open makes the directory if need be and takes it, or says who has it.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, explain(path, err)
	}
	d := &Dir{Path: path}
	if err := d.take(); err != nil {
		return nil, err
	}
	var err error
	if d.Instance, err = instance(filepath.Join(path, "instance")); err != nil {
		d.Close()
		return nil, explain(path, err)
	}
	return d, nil
}

// Store is the path of the classroom's store.
func (d *Dir) Store() string { return filepath.Join(d.Path, "sysnerd.db") }

// Close lets others have the directory. The lock file stays: to remove it would
// let two servers lock two files of one name.
func (d *Dir) Close() error { return d.lock.Close() }

func (d *Dir) take() error {
	lock, err := openOrMake(filepath.Join(d.Path, "lock"))
	if err != nil {
		return explain(d.Path, err)
	}
	err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		pid, _ := io.ReadAll(io.LimitReader(lock, 32))
		lock.Close()
		return fmt.Errorf("another sysnerd (pid %s) uses %s; stop that one, or choose another folder with --data",
			strings.TrimSpace(string(pid)), d.Path)
	}
	if err == nil {
		err = errors.Join(lock.Truncate(0), writeAll(lock, fmt.Sprintln(os.Getpid())))
	}
	if err != nil {
		lock.Close()
		return explain(d.Path, err)
	}
	d.lock = lock
	return nil
}

// openOrMake does it in two steps: in a sticky folder the kernel lets nobody make what
// is there and another's (fs.protected_regular), not even root. No link is followed,
// since a server's user may have made it.
func openOrMake(file string) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) { // another was faster
			f, err = os.OpenFile(file, os.O_RDWR|unix.O_NOFOLLOW, 0)
		}
	}
	return f, err
}

// instance reads the name in file, or makes one up and keeps it there. A name
// that was once used must not be lost: sandboxes bear it.
func instance(file string) (string, error) {
	text, err := readPlain(file, 64)
	if err == nil {
		name := strings.TrimSpace(string(text))
		if err := sandbox.CheckInstance(name); err != nil {
			return "", fmt.Errorf("%s is damaged: %w; bring it back, or remove it and then its containers", file, err)
		}
		return name, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	name := strings.ToLower(rand.Text()[:16]) // a-z and 2-7
	whole, err := os.OpenFile(file+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	err = errors.Join(writeAll(whole, name+"\n"), whole.Sync(), whole.Close())
	if err != nil {
		return "", err
	}
	return name, os.Rename(file+".new", file)
}

// readPlain reads the beginning of a file that is no link.
func readPlain(file string, most int64) ([]byte, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

func writeAll(f *os.File, text string) error {
	_, err := f.WriteString(text)
	return err
}

// explain names the cure of what can go wrong with a folder.
func explain(path string, err error) error {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return fmt.Errorf("the disk of data folder %s is full; free some space there, or choose another with --data", path)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.EROFS):
		return fmt.Errorf("cannot write to data folder %s: %w; make it writable for you, or choose another with --data", path, reason(err))
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.EEXIST):
		return fmt.Errorf("data folder %s is a file, or lies below one; choose another with --data", path)
	}
	return fmt.Errorf("cannot use data folder %s: %w; mend that, or choose another with --data", path, reason(err))
}

// reason is what the kernel said, without the path.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// Resume is a directory whose lock this process was left. It takes the lock.
func Resume(path, instance string, lock *os.File) *Dir {
	return &Dir{Path: path, Instance: instance, lock: lock}
}

// Lock is the file whose lock holds the directory, to be left to another program.
func (d *Dir) Lock() *os.File { return d.lock }

// Holder is the pid of the server that has the directory, if one has.
func Holder(path string) (pid string, held bool) {
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return "", false
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_SH|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		return "", false
	}
	text, _ := io.ReadAll(io.LimitReader(lock, 32))
	return strings.TrimSpace(string(text)), true
}
