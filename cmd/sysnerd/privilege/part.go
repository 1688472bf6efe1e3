package privilege

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"sysnerd/cmd/sysnerd/datadir"
	"sysnerd/config"
)

// leftVariable holds, for the program that Part executes, what it left. It is no
// setting, and Resume takes it away.
const leftVariable = "_SYSNERD_LEFT"

// Order says what is to be parted.
type Order struct {
	Config *config.Config
	Watch  bool
	Engine string // docker or local
	// HelperProgram and HelperArgs start the helper of an instance.
	HelperProgram string
	HelperArgs    func(instance string) []string
	// Listen listens where only root may.
	Listen func(address string) (net.Listener, error)
	Log    *slog.Logger
}

// left is what crosses to the same process as another user.
type left struct {
	Config   *config.Config
	Watch    bool
	Engine   string
	User     string
	Data     string // path as the operator knows it
	Instance string
	Lock     int // descriptors; Listener is -1 without one
	Socket   int
	Listener int
	Helper   int // pid
}

// Part starts the helper and executes this program as the user that the configuration
// names. It returns only if that could not be done, and then has ended the helper; the
// caller then ends the process.
func Part(o Order) error {
	u, err := FindUser(o.Config.User)
	if err != nil {
		return err
	}
	data, err := datadir.Open(o.Config.Data)
	if err != nil {
		return err
	}
	defer data.Close()
	changed, err := data.Give(u.UID, u.GID)
	if err != nil {
		return err
	}
	if changed {
		o.Log.Info("the data folder's database now belongs to the user that the pages run as", "data", data.Path, "user", u.String())
	}
	l := left{Config: o.Config, Watch: o.Watch, Engine: o.Engine, User: u.String(), Data: data.Path, Instance: data.Instance, Listener: -1}
	keep := []*os.File{data.Lock()}
	if rootsPort(o.Config.Listen) {
		socket, err := listening(o.Listen, o.Config.Listen)
		if err != nil {
			return err
		}
		defer socket.Close()
		l.Listener = int(socket.Fd())
		keep = append(keep, socket)
	}
	helper, err := startHelper(o.HelperProgram, o.HelperArgs(data.Instance))
	if err != nil {
		return err
	}
	keep = append(keep, helper.conn)
	l.Lock, l.Socket, l.Helper = int(data.Lock().Fd()), int(helper.conn.Fd()), helper.pid

	runtime.LockOSThread() // for good: it is another user's from here on
	err = reach(u, map[string]*string{"data": &o.Config.Data, "labs": &o.Config.Labs})
	if err == nil {
		err = execute(u, l, keep)
	}
	helper.conn.Close()
	return errors.Join(err, helper.Wait())
}

// rootsPort says whether an address is one that an ordinary user may not listen on.
func rootsPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	n, _ := strconv.Atoi(port)
	return err == nil && n > 0 && n < 1024
}

func listening(listen func(string) (net.Listener, error), address string) (*os.File, error) {
	l, err := listen(address)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return nil, fmt.Errorf("cannot hand on a %s socket; choose another address with --listen", l.Addr().Network())
	}
	return tcp.File()
}

// execute runs this program anew, in the same process, as u.
func execute(u User, l left, keep []*os.File) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	for _, f := range keep {
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFD, 0); err != nil {
			return fmt.Errorf("leave %s open: %w", f.Name(), err)
		}
	}
	const program = "/proc/self/exe" // which no closed folder hides
	argv, env := os.Args, append(os.Environ(), leftVariable+"="+string(text))
	if err := drop(u); err != nil {
		return fmt.Errorf("become %s: %w", u, err)
	}
	err = unix.Exec(program, argv, env)
	if errors.Is(err, unix.EACCES) {
		path, _ := os.Readlink(program)
		return fmt.Errorf("%s may not execute %s; make it executable for all (chmod 755 %[2]s)", u, path)
	}
	return fmt.Errorf("execute %s as %s: %w", program, u, err)
}
