package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

// Names in a sandbox's folder, and of the lock in the instance's.
const (
	recordName = "sandbox.json"
	bundleName = "config.json"
	socketName = "link.sock"
	pidName    = "pid"
	stderrName = "stderr"
	lockName   = "lock"
)

// record is what a sandbox is, as its folder tells whoever opens the engine next.
type record struct {
	Instance string    `json:"instance"`
	ID       string    `json:"id"`
	Lab      string    `json:"lab"`
	Image    string    `json:"image"`
	UID      int       `json:"uid"`
	Expires  time.Time `json:"expires"`
}

// folder is the path of a sandbox's folder. The id was checked.
func (e *Engine) folder(id string) string { return filepath.Join(e.dir, id) }

// write puts a file into a folder whole, or not at all.
func write(folder, name string, content []byte) error {
	part := filepath.Join(folder, name+".part")
	if err := os.WriteFile(part, content, 0o600); err != nil {
		return err
	}
	return os.Rename(part, filepath.Join(folder, name))
}

// found is a sandbox whose start was finished.
type found struct {
	record
	pid process
}

// find looks a sandbox up by its folder. Errors: ErrNotFound.
func (e *Engine) find(id string) (found, error) {
	if err := sandbox.CheckID(id); err != nil {
		return found{}, fmt.Errorf("%w: %v", sandbox.ErrNotFound, err)
	}
	var f found
	text, err := os.ReadFile(filepath.Join(e.folder(id), recordName))
	if err == nil {
		err = json.Unmarshal(text, &f.record)
	}
	if err == nil && (f.Instance != e.cfg.Instance || f.ID != id) {
		err = fmt.Errorf("its folder says that it is %.40q of instance %.40q", f.ID, f.Instance)
	}
	if err == nil {
		f.pid, err = readProcess(filepath.Join(e.folder(id), pidName))
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return found{}, sandbox.ErrNotFound
	case err != nil:
		return found{}, fmt.Errorf("%w: %v", sandbox.ErrNotFound, err)
	}
	return f, nil
}

// running says whether the sandbox's PID 1 lives.
func (e *Engine) running(f found) bool { return f.pid.boot == e.booted && f.pid.alive() }

// socketPath calls f with a path of a folder's socket that is short enough for an
// address, unix(7), however deep the folder lies.
func socketPath(folder string, f func(path string) error) error {
	fd, err := unix.Open(folder, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: folder, Err: err}
	}
	defer unix.Close(fd)
	return f("/proc/self/fd/" + strconv.Itoa(fd) + "/" + socketName)
}

// listen makes the socket on which the guest will wait for links.
func listen(folder string) (socket *os.File, err error) {
	err = socketPath(folder, func(path string) error {
		listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			return err
		}
		defer listener.Close()
		listener.SetUnlinkOnClose(false)
		socket, err = listener.File()
		return err
	})
	return socket, err
}

const maxComplaint = 2 << 10

// complaint is the end of what runc and the guest wrote to standard error.
func complaint(folder string) string {
	f, err := os.Open(filepath.Join(folder, stderrName))
	if err != nil {
		return "it left no message"
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, size-maxComplaint), io.SeekStart)
	}
	text, _ := io.ReadAll(io.LimitReader(f, maxComplaint))
	if len(text) == 0 {
		return "it left no message"
	}
	return string(text)
}
