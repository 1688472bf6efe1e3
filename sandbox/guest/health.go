package guest

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/link"
)

// healthPeriod is how often the guest looks whether something is full. A kill is
// told within one period.
const healthPeriod = 500 * time.Millisecond

// health tells of kills and of what is full, once when it becomes so and once
// when it is over.
type health struct {
	g     *Guest
	kills int64
	told  map[string]bool
}

func (h *health) watch() {
	h.told = map[string]bool{}
	h.kills = h.g.cgroup.oomKills()
	for range time.Tick(healthPeriod) {
		h.look()
	}
}

func (h *health) look() {
	g := h.g
	var fresh []endedProcess
	if g.account != nil {
		fresh = g.account.update()
	}
	if g.watch != nil {
		g.watch.read()
	}
	c := g.link()
	if c == nil {
		return // what is cumulative is told when somebody listens
	}
	if kills := g.cgroup.oomKills(); kills > h.kills {
		o := link.OOM{Count: kills}
		for _, e := range fresh {
			if e.signal == int(unix.SIGKILL) {
				o.PID, o.Command = int(e.pid), e.command
			}
		}
		h.kills = kills
		c.sendJSON(link.KindOOM, 0, o)
	}

	used := readNumber(g.cgroup.pidsUsed)
	h.tell(c, "processes-full", used >= int64(g.setup.Processes)*9/10,
		fmt.Sprintf("%d of %d process slots are taken; nothing new can start.", min(used, int64(g.setup.Processes)), g.setup.Processes))

	mem, limit := readNumber(g.cgroup.memUsed), readNumber(g.cgroup.memLimit)
	h.tell(c, "memory-full", limit > 0 && mem > limit-limit/50,
		fmt.Sprintf("Memory is at the limit, %d of %d MiB: the kernel may end a process.", mem>>20, limit>>20))

	for _, f := range []struct{ code, path, text string }{
		{"home-full", g.setup.Home, "Your home is full."},
		{"tmp-full", "/tmp", "/tmp is full."},
		{"shm-full", "/dev/shm", "/dev/shm is full."},
	} {
		var st unix.Statfs_t
		full := unix.Statfs(f.path, &st) == nil && st.Type == unix.TMPFS_MAGIC &&
			(st.Bfree < st.Blocks/100+1 || (st.Files > 0 && st.Ffree < st.Files/100+1))
		h.tell(c, f.code, full, f.text)
	}
}

func (h *health) tell(c *conn, code string, full bool, text string) {
	if full == h.told[code] {
		return
	}
	h.told[code] = full
	if !full {
		text = ""
	}
	c.sendJSON(link.KindNotice, 0, link.Notice{Code: code, Text: text})
}
