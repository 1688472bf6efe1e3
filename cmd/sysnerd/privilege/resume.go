package privilege

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"sysnerd/cmd/sysnerd/datadir"
	"sysnerd/config"
)

// Parted is what the server has when it goes on as an ordinary user.
type Parted struct {
	Config   *config.Config // its folders are where this process reaches them
	Watch    bool
	Engine   string // docker or local
	User     string
	Data     *datadir.Dir
	Place    string       // path of the data folder as the operator knows it
	Listener net.Listener // nil when the server is to listen by itself
	Helper   *Helper
}

// Resume takes up what Part left. It returns nil when nothing was.
func Resume() (*Parted, error) {
	text, ok := os.LookupEnv(leftVariable)
	if !ok {
		return nil, nil
	}
	if err := os.Unsetenv(leftVariable); err != nil {
		return nil, err
	}
	var l left
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return nil, fmt.Errorf("take up %s: %w; unset it", leftVariable, err)
	}
	lock, err := inherited(l.Lock, "lock")
	if err != nil {
		return nil, err
	}
	socket, err := inherited(l.Socket, "helper's socket")
	if err != nil {
		return nil, err
	}
	p := &Parted{
		Config: l.Config, Watch: l.Watch, Engine: l.Engine, User: l.User,
		Data: datadir.Resume(l.Config.Data, l.Instance, lock), Place: l.Data,
		Helper: &Helper{pid: l.Helper, conn: socket},
	}
	if err := checkSelf(); err != nil {
		return nil, err
	}
	if l.Listener >= 0 {
		f, err := inherited(l.Listener, "listening socket")
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if p.Listener, err = net.FileListener(f); err != nil {
			return nil, fmt.Errorf("take up the listening socket: %w", err)
		}
	}
	return p, nil
}

// inherited takes up a descriptor, which no program that this one starts gets.
func inherited(fd int, name string) (*os.File, error) {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
		return nil, fmt.Errorf("take up the %s at descriptor %d: %w", name, fd, err)
	}
	f := os.NewFile(uintptr(fd), name)
	if f == nil {
		return nil, errors.New("take up the " + name + ": no descriptor")
	}
	return f, nil
}
