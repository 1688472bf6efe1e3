package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// sharedMode is of a folder that is root's: its group makes files there, and nobody
// removes or renames another's.
const sharedMode = fs.ModeSticky | 0o770

// stores are the files that SQLite makes: its database, log, index of that, and journal.
var stores = []string{"sysnerd.db", "sysnerd.db-wal", "sysnerd.db-shm", "sysnerd.db-journal"}

// Give lets a server that runs as uid and gid use the directory. changed says that it
// belonged to root alone before, or to another such server. It is called by root. A
// folder of uid's own stays as it is.
func (d *Dir) Give(uid, gid int) (changed bool, err error) {
	info, err := os.Stat(d.Path)
	if err != nil {
		return false, explain(d.Path, err)
	}
	is := info.Sys().(*syscall.Stat_t)
	switch int(is.Uid) {
	case uid:
		return d.giveFiles(uid, gid, slices.Concat(stores, []string{"lock", "instance"}))
	case 0:
	default:
		return false, fmt.Errorf("data folder %s is user %d's; serve as that one (--user %d), make it root's (chown root %s), or choose another with --data",
			d.Path, is.Uid, is.Uid, d.Path)
	}
	if int(is.Gid) != gid || info.Mode()&^fs.ModeDir != sharedMode {
		// The group first: the mode must never hold for another.
		if err := errors.Join(os.Chown(d.Path, 0, gid), os.Chmod(d.Path, sharedMode)); err != nil {
			return false, explain(d.Path, err)
		}
	}
	changed, err = d.giveFiles(uid, gid, slices.Concat(stores, []string{"lock"}))
	if err != nil {
		return false, err
	}
	// The name on its sandboxes is root's to say, and the server's to read.
	_, err = d.giveFiles(0, gid, []string{"instance"})
	return changed, err
}

func (d *Dir) giveFiles(uid, gid int, names []string) (changed bool, err error) {
	root, err := os.OpenRoot(d.Path)
	if err != nil {
		return false, explain(d.Path, err)
	}
	defer root.Close()
	for _, name := range names {
		f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, explain(d.Path, err)
		}
		gave, err := give(f, uid, gid)
		f.Close()
		if err != nil {
			return false, explain(d.Path, fmt.Errorf("%s: %w", name, err))
		}
		changed = changed || gave && name != "lock" // which root has just made
	}
	return changed, nil
}

// give gives one file, unless its name may be a trap of whoever had the folder before:
// a link of another kind, or a second name of somebody's file.
func give(f *os.File, uid, gid int) (changed bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	is := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.Mode().IsRegular() || is.Nlink != 1:
		return false, errors.New("is no plain file of its own")
	case int(is.Uid) == uid && int(is.Gid) == gid:
		return false, nil
	}
	if err := f.Chown(uid, gid); err != nil {
		return false, err
	}
	if uid == 0 {
		return true, f.Chmod(0o640)
	}
	return true, nil
}
