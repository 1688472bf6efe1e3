package guest

import (
	"fmt"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/link"
)

// healthPeriod is how often the guest looks whether something is full.
const healthPeriod = 500 * time.Millisecond

// quietPeriods is after how many periods without a script the guest gives back to
// the host what its heap no longer needs.
const quietPeriods = 6

// health tells of kills and of what is full, once when it becomes so and once
// when it is over.
type health struct {
	g    *Guest
	told map[string]bool
}

func (h *health) watch() {
	h.told = map[string]bool{}
	w := h.g.wall
	quiet := 0
	for next := time.Now().Add(healthPeriod); ; {
		time.Sleep(w.period(time.Now()))
		now := time.Now()
		if w.look(now) {
			continue
		}
		if c := h.g.link(); c != nil {
			w.tell(func(k link.OOM) { c.sendJSON(link.KindOOM, 0, k) })
		}
		if now.Before(next) {
			continue
		}
		next = now.Add(healthPeriod - healthPeriod/10) // a look comes a little early or not at all
		h.look()
		if quiet++; h.g.wasUsed() {
			quiet = 0
		} else if quiet == quietPeriods {
			debug.FreeOSMemory()
		}
	}
}

// wasUsed says whether a script runs, or ran since it was last asked.
func (g *Guest) wasUsed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.used || len(g.runs) > 0
	g.used = false
	return was
}

func (h *health) look() {
	g := h.g
	ended := 0
	if g.account != nil {
		for _, e := range g.account.update() {
			if int(e.uid) == g.setup.UID && e.execed { // shells fork at their prompts
				ended++
			}
		}
	}
	c := g.link()
	if c == nil {
		return // what is cumulative is told when somebody listens
	}
	if ended > 0 {
		c.sendJSON(link.KindEnded, 0, link.Ended{Count: ended})
	}
	used, most := g.cgroup.pidsUsed.number(), int64(g.setup.Processes)
	h.tell(c, "processes-full", used >= most*9/10, func() string {
		return fmt.Sprintf("%d of %d process slots are taken; nothing new can start.", min(used, most), most)
	})
	mem, limit := g.cgroup.memUsed.number(), g.cgroup.limit()
	if mem > limit-limit/50 {
		mem -= g.cgroup.cache()
	}
	h.tell(c, "memory-full", limit > 0 && mem > limit-limit/50, func() string {
		return fmt.Sprintf("Memory is at the limit, %d of %d MiB: the kernel may end a process.", mem>>20, limit>>20)
	})
	h.tell(c, "home-full", full(g.setup.Home), func() string { return "Your home is full." })
	h.tell(c, "tmp-full", full("/tmp"), func() string { return "/tmp is full." })
	h.tell(c, "shm-full", full("/dev/shm"), func() string { return "/dev/shm is full." })
}

// full says whether a tmpfs has less than a hundredth of its bytes or inodes left.
func full(path string) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && st.Type == unix.TMPFS_MAGIC &&
		(st.Bfree < st.Blocks/100+1 || (st.Files > 0 && st.Ffree < st.Files/100+1))
}

func (h *health) tell(c *conn, code string, is bool, text func() string) {
	if is == h.told[code] {
		return
	}
	h.told[code] = is
	n := link.Notice{Code: code}
	if is {
		n.Text = text()
	}
	c.sendJSON(link.KindNotice, 0, n)
}
