package guest

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/link"
)

// killTime bounds how long ending everything may take.
const killTime = 3 * time.Second

// kill ends every process but PID 1, and empties the learner's folders when asked.
// Shells come back by themselves afterwards.
func (g *Guest) kill(k link.Kill) error {
	g.gate.Lock() // no shell is started meanwhile
	defer g.gate.Unlock()
	if err := g.killAll(); err != nil {
		return err
	}
	g.recall()
	if !k.Wipe {
		return nil
	}
	folders := []string{g.setup.Home, "/tmp", "/dev/shm", "/dev/mqueue"}
	argv := append([]string{"guest", "wipe", strconv.Itoa(g.setup.UID)}, folders...)
	_, done, err := g.children.start(self, argv, &syscall.ProcAttr{Dir: "/", Sys: &syscall.SysProcAttr{Setsid: true}})
	if err != nil {
		return fmt.Errorf("start wipe: %w", err)
	}
	if status := <-done; status.ExitStatus() != 0 {
		return fmt.Errorf("wipe ended with status %d", shellStatus(status))
	}
	empty(0, folders[1:]) // what root put there; not the home, which is the learner's alone
	if g.account != nil {
		g.account.forget()
	}
	if g.watch != nil {
		g.watch.forget()
	}
	g.wall.forget()
	return nil
}

// killAll ends everything else in the PID namespace. kill(-1) from PID 1 reaches
// every process at once, so a fork bomb cannot outrun it, kill(2).
func (g *Guest) killAll() error {
	if os.Getpid() != 1 {
		return fmt.Errorf("not PID 1 of a sandbox: refusing to end every process")
	}
	for end := time.Now().Add(killTime); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if err := unix.Kill(-1, unix.SIGKILL); err == unix.ESRCH {
			return nil
		}
		g.children.reap()
	}
	return fmt.Errorf("processes still live after %s", killTime)
}
