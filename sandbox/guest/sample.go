package guest

import (
	"os"
	"path/filepath"
	"strconv"
	"time"

	"sysnerd/sandbox/link"
)

// maxSampled bounds a sample, so that it fits in one frame.
const maxSampled = 160

// sample is sandbox.Sample on the wire.
type sample struct {
	At        time.Time `json:"at"`
	Memory    memory    `json:"memory"`
	Pids      pids      `json:"pids"`
	Processes []process `json:"processes"`
	Cgroup    int       `json:"cgroup"`

	Trail [][2]int64 `json:"trail"`
	Kills []link.OOM `json:"kills"`
}

type memory struct {
	Used     int64 `json:"used"`
	Limit    int64 `json:"limit"`
	Cache    int64 `json:"cache"`
	OOMKills int64 `json:"oom_kills"`
	HostFree int64 `json:"host_free"`
}

type pids struct {
	Used    int `json:"used"`
	Limit   int `json:"limit"`
	Learner int `json:"learner"`
}

// sample looks at everything, once that cannot make the kernel end somebody.
func (g *Guest) sample() sample {
	g.wall.room()
	c := g.cgroup
	s := sample{
		At:        time.Now(),
		Cgroup:    c.version,
		Memory:    memory{Used: c.memUsed.number(), Limit: c.limit(), Cache: c.cache(), OOMKills: c.oomKills()},
		Pids:      pids{Used: int(c.pidsUsed.number()), Limit: int(min(c.pidsLimit.number(), 1<<22))},
		Processes: []process{},
	}
	var info [512]byte // the third line has it
	s.Memory.HostFree = keyed(readInto(info[:], "/proc/meminfo"), "MemAvailable:") * 1024
	g.wall.show(&s)
	for _, pid := range processes() {
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue
		}
		p, ok := parseStat(stat)
		if !ok {
			continue
		}
		p.UID, _ = uidOf(pid)
		if p.UID == g.setup.UID {
			s.Pids.Learner += p.Threads
		}
		if len(s.Processes) == maxSampled {
			continue
		}
		p.OOMScore = int(readNumber(filepath.Join(dir, "oom_score")))
		p.OOMAdj = int(readNumber(filepath.Join(dir, "oom_score_adj")))
		p.FDs = -1
		if fds, err := os.Open(filepath.Join(dir, "fd")); err == nil {
			if names, err := fds.Readdirnames(-1); err == nil {
				p.FDs = len(names)
			}
			fds.Close()
		}
		s.Processes = append(s.Processes, p)
	}
	return s
}
