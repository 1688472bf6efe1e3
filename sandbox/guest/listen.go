package guest

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/link"
)

const (
	// listenFD is the first descriptor that a service manager passes, sd_listen_fds(3).
	listenFD = 3
	// maxLinks is how many connections may be open at once; more are closed unheard.
	// A server has one, and a new one for a moment beside it.
	maxLinks = 64
)

// inheritedSocket is the listening socket that whoever started the guest passed
// on, or -1. It is named by LISTEN_FDS, which is taken out of the environment,
// and no child inherits it.
func inheritedSocket() (int, error) {
	count, pid := os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_PID")
	for _, name := range []string{"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name)
	}
	if count == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return -1, nil
	}
	unix.CloseOnExec(listenFD)
	if count != "1" {
		return -1, fmt.Errorf("LISTEN_FDS is %.20q: want 1", count)
	}
	for _, want := range []struct {
		option, value int
		what          string
	}{
		{unix.SO_DOMAIN, unix.AF_UNIX, "of the unix family"},
		{unix.SO_TYPE, unix.SOCK_STREAM, "a stream"},
		{unix.SO_ACCEPTCONN, 1, "listening"},
	} {
		got, err := unix.GetsockoptInt(listenFD, unix.SOL_SOCKET, want.option)
		if err != nil {
			return -1, fmt.Errorf("descriptor %d, named by LISTEN_FDS: %w", listenFD, err)
		}
		if got != want.value {
			return -1, fmt.Errorf("descriptor %d, named by LISTEN_FDS, is not a socket that is %s", listenFD, want.what)
		}
	}
	return listenFD, nil
}

// stdioLink is the link on standard input and output, or nil where there is none:
// a device such as /dev/null is no far end, and would be at its end for ever.
func (g *Guest) stdioLink() (*conn, error) {
	var in unix.Stat_t
	if err := unix.Fstat(0, &in); err != nil || in.Mode&unix.S_IFMT == unix.S_IFCHR {
		return nil, nil //nolint:nilerr // closed is as good as a device
	}
	return newConn(0, 1, g.drained)
}

// serve handles what arrives on a link until that is over.
func (g *Guest) serve(c *conn) {
	go c.drain()
	c.receive(func(f link.Frame) { g.handle(c, f) })
}

// listen takes each connection to the socket as a link of its own.
func (g *Guest) listen(socket int) {
	g.accept(func() (int, error) {
		for {
			fd, err := retry(func() (int, error) {
				n, _, err := unix.Accept4(socket, unix.SOCK_CLOEXEC)
				return n, err
			})
			if err == nil || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EBADF) {
				return fd, err // or it listens no more
			}
		}
	})
}

// accept serves each connection as a link of its own, until next has none any more.
func (g *Guest) accept(next func() (int, error)) {
	free := make(chan struct{}, maxLinks)
	for {
		fd, err := next()
		if err != nil {
			return
		}
		select {
		case free <- struct{}{}:
			go func() {
				c := acceptedConn(fd, g.drained)
				g.serve(c)
				g.over(c)
				<-free
			}()
		default:
			unix.Close(fd)
		}
	}
}

// over takes back what a connection had that has ended, and closes it.
func (g *Guest) over(c *conn) {
	g.current.CompareAndSwap(c, nil)
	g.mu.Lock()
	all := slices.Collect(maps.Values(g.terminals))
	g.mu.Unlock()
	for _, t := range all {
		t.gone(c)
	}
	c.close()
}
