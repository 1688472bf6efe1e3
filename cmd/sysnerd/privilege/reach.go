package privilege

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// vestibule is where folders lie, in the server's mount namespace alone, that its user
// cannot reach by their path, such as one below /root.
const vestibule = "/run/sysnerd"

// closedAt is the first folder on the way to path that u may not pass, or "".
func closedAt(path string, u User) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	for at := filepath.Dir(path); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return "", err
		}
		is, mode := info.Sys().(*syscall.Stat_t), info.Mode().Perm()
		pass := mode & 0o001
		switch {
		case int(is.Uid) == u.UID:
			pass = mode & 0o100
		case int(is.Gid) == u.GID:
			pass = mode & 0o010
		}
		if pass == 0 {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", nil
		}
	}
}

// reach puts folders that u cannot reach into the vestibule of a mount namespace that
// only the calling thread is in, and changes their paths to where they are.
func reach(u User, folders map[string]*string) error {
	far := map[string]string{} // name in the vestibule to path
	for name, path := range folders {
		if *path == "" {
			continue
		}
		at, err := closedAt(*path, u)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			continue // whoever opens it says so
		}
		if err != nil {
			return fmt.Errorf("look at the way to %s: %w", *path, err)
		}
		if at != "" {
			far[name] = *path
		}
	}
	if len(far) == 0 {
		return nil
	}
	if err := enterVestibule(far); err != nil {
		for _, path := range far {
			return fmt.Errorf("%s cannot reach %s, and it could not be brought to him: %w; choose another folder, or let him pass (chmod o+x) on the way to it", u, path, err)
		}
	}
	for name := range far {
		*folders[name] = filepath.Join(vestibule, name)
	}
	return nil
}

func enterVestibule(far map[string]string) error {
	if err := os.MkdirAll(vestibule, 0o755); err != nil {
		return err
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make a mount namespace: %w", err)
	}
	// What the machine mounts and unmounts goes on to be seen here, and not the reverse.
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("keep mounts to this process: %w", err)
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("tmpfs", vestibule, "tmpfs", flags, "mode=0755,size=64k"); err != nil {
		return fmt.Errorf("mount %s: %w", vestibule, err)
	}
	for name, path := range far {
		at := filepath.Join(vestibule, name)
		if err := os.Mkdir(at, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(path, at, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s at %s: %w", path, at, err)
		}
	}
	return nil
}
