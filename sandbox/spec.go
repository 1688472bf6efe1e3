package sandbox

import "time"

// FirstUID is the uid of slot 0. Kernel budgets such as inotify watches and
// RLIMIT_NPROC count per uid over all containers of a host, so each live
// sandbox has its own: FirstUID + slot.
const FirstUID = 20000

// Slots is how many uids there are to hand out.
const Slots = 10000

// Spec says what one sandbox is. It is a plain value.
type Spec struct {
	ID       string    // [a-z0-9]{16}
	Instance string    // whose it is; the engine's own instance
	Lab      string    // "<module>/<lab>", a label only
	Image    string    // image reference or id that the engine holds
	UID      int       // the learner's uid and gid, 20000+slot
	Expires  time.Time // a label only; the Keeper acts on it
	Limits   Limits
}

// Limits bound what a sandbox may take from the host. Sizes are in bytes.
type Limits struct {
	Memory           int64   // RAM; no swap beyond it
	MemoryLow        int64   // Memory may be moved down to this while it runs; 0, as MemoryHigh: it may not
	MemoryHigh       int64   // and up to this
	CPUs             float64 // 1 = one CPU's worth of time
	Processes        int     // pids cgroup: all processes of the sandbox
	LearnerProcesses int     // RLIMIT_NPROC of the learner, below Processes so that checks can start
	Home             int64   // tmpfs of the home
	Tmp              int64   // tmpfs of /tmp
	Inodes           int     // inodes of home and of /tmp, each
}

// most is the memory that a sandbox of these limits may ever take.
func (l Limits) most() int64 { return max(l.Memory, l.MemoryHigh) }

// DefaultLimits are those of a sandbox whose lab asks for nothing else.
// Home, Tmp, /run and /dev/shm together stay under a third of Memory, because
// a tmpfs is charged to the memory limit and cannot be reclaimed.
func DefaultLimits() Limits {
	return Limits{
		Memory:           256 << 20,
		CPUs:             1,
		Processes:        192,
		LearnerProcesses: 128,
		Home:             32 << 20,
		Tmp:              32 << 20,
		Inodes:           4096,
	}
}
