package privilege

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"

	"sysnerd/sandbox/privsep"
)

// Helper is the process that stays root.
type Helper struct {
	pid  int
	conn *os.File // the server's end
}

// startHelper starts a program with its end of the socket at privsep.HelperEnd.
func startHelper(program string, argv []string) (*Helper, error) {
	theirs, ours, err := privsep.Pair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	c := &exec.Cmd{Path: program, Args: argv, Stderr: os.Stderr, ExtraFiles: []*os.File{theirs}}
	// A terminal's signals are for the server, which may need sandboxes to the last.
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		ours.Close()
		return nil, fmt.Errorf("start the helper that runs the sandboxes: %w", err)
	}
	return &Helper{pid: c.Process.Pid, conn: ours}, nil
}

// PID is the helper's process id.
func (h *Helper) PID() int { return h.pid }

// Conn is the server's end of the socket. It is taken once.
func (h *Helper) Conn() (*net.UnixConn, error) { return privsep.Conn(h.conn) }

// Wait returns when the helper has ended, as it does once the socket is closed.
func (h *Helper) Wait() error {
	p, err := os.FindProcess(h.pid)
	if err != nil {
		return err
	}
	state, err := p.Wait()
	if err == nil && !state.Success() {
		err = fmt.Errorf("the helper that runs the sandboxes ended: %s", state)
	}
	return err
}
