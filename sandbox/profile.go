package sandbox

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

const (
	// GuestPath is where every image holds the guest, the first process of a sandbox.
	GuestPath = "/usr/lib/sysnerd/guest"
	// Home is the learner's home in every sandbox.
	Home = "/home/learner"
)

// Sizes of the tmpfs that no lab may change.
const (
	runSize   = 1 << 20
	runInodes = 256
	shmSize   = 8 << 20
	shmInodes = 512
)

// Bounds of the memory of a sandbox.
const (
	leastMemory int64 = 32 << 20
	mostMemory  int64 = 64 << 30
)

// seccomp is an allow-list in the format of the Docker Engine, read alike by
// 20.10 and all that came since. It began as moby's default. Taken out: what
// reaches the host's global budgets (AIO), what has been an escape before
// (open_by_handle_at, which CAP_DAC_READ_SEARCH would arm, io_uring,
// userfaultfd, bpf, perf, keyctl), every socket family but unix, inet and
// route, and all 32-bit system calls, which could pass the socket rules by.
//
//go:embed seccomp.json
var seccomp string

// Profile is what an engine must grant and refuse a sandbox. It is the same on
// every engine and holds nothing secret: a learner can read most of it.
type Profile struct {
	Command  []string
	Env      []string
	Hostname string
	// Capabilities are all that the guest has; the learner gets none of them.
	Capabilities  []string // "CHOWN", without the prefix CAP_
	Ulimits       []Ulimit
	Tmpfs         []Tmpfs
	MaskedPaths   []string // unreadable in the sandbox
	ReadonlyPaths []string
	Seccomp       string // JSON in the format of the Docker Engine
}

// Ulimit is one resource limit of the guest, inherited by all.
type Ulimit struct {
	Name       string // as in ulimit(1) and Docker: nofile, core, msgqueue
	Soft, Hard int64
}

// Tmpfs is one writable place in a sandbox. Its content counts as memory, so it has a size.
type Tmpfs struct {
	Path   string
	Size   int64 // bytes
	Inodes int
	Mode   uint32
	UID    int // owner, and group
	Exec   bool
}

// Options renders t for mount(2), as data and flags in one comma separated list.
func (t Tmpfs) Options() string {
	exec := "noexec"
	if t.Exec {
		exec = "exec"
	}
	return fmt.Sprintf("rw,nosuid,nodev,%s,size=%d,nr_inodes=%d,mode=%04o,uid=%d,gid=%d",
		exec, t.Size, t.Inodes, t.Mode, t.UID, t.UID)
}

// Profile returns the profile of a sandbox of this spec.
func (s Spec) Profile() Profile {
	return Profile{
		Command:  []string{GuestPath},
		Env:      []string{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG=C.UTF-8"},
		Hostname: "sandbox",
		Capabilities: []string{
			"CHOWN", "SETUID", "SETGID", "SETPCAP", "KILL",
			"SYS_PTRACE", "DAC_READ_SEARCH", "SYS_NICE", "SYS_PACCT",
		},
		Ulimits: []Ulimit{
			{"nofile", 1024, 4096},
			{"core", 0, 0},
			{"msgqueue", 65536, 65536},
		},
		Tmpfs: s.Limits.tmpfs(s.UID),
		// The first block is what Docker masks by itself; naming any replaces all.
		MaskedPaths: []string{
			"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
			"/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
			"/sys/devices/virtual/powercap", "/sys/firmware",

			"/proc/config.gz", "/proc/interrupts", "/proc/iomem", "/proc/ioports", "/proc/kallsyms",
			"/proc/key-users", "/proc/kmsg", "/proc/kpagecgroup", "/proc/kpagecount", "/proc/kpageflags",
			"/proc/modules", "/proc/slabinfo", "/proc/vmallocinfo",
			"/sys/kernel/debug", "/sys/kernel/security", "/sys/kernel/tracing",
		},
		ReadonlyPaths: []string{
			"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
		},
		Seccomp: seccomp,
	}
}

func (l Limits) tmpfs(uid int) []Tmpfs {
	return []Tmpfs{
		{Path: Home, Size: l.Home, Inodes: l.Inodes, Mode: 0o700, UID: uid, Exec: true},
		{Path: "/tmp", Size: l.Tmp, Inodes: l.Inodes, Mode: 0o1777, Exec: true},
		{Path: "/run", Size: runSize, Inodes: runInodes, Mode: 0o755},
		{Path: "/dev/shm", Size: shmSize, Inodes: shmInodes, Mode: 0o1777},
	}
}

var (
	idPattern       = regexp.MustCompile(`^[a-z0-9]{16}$`)
	instancePattern = regexp.MustCompile(`^[a-z0-9]{1,32}$`)
)

// CheckID says whether id can be a sandbox's.
func CheckID(id string) error {
	if !idPattern.MatchString(id) {
		return fmt.Errorf("sandbox id %.40q: want 16 of a-z and 0-9", id)
	}
	return nil
}

// CheckInstance says whether instance can be an instance's name.
func CheckInstance(instance string) error {
	if !instancePattern.MatchString(instance) {
		return fmt.Errorf("instance %.40q: want 1 to 32 of a-z and 0-9", instance)
	}
	return nil
}

// Check says what in s no engine may be asked for. Engines cut absurd values
// off in silence (Docker takes 65536 inodes or ids for 0), so all are held
// against bounds before.
func (s Spec) Check() error {
	if err := CheckID(s.ID); err != nil {
		return err
	}
	if err := CheckInstance(s.Instance); err != nil {
		return err
	}
	if s.UID < FirstUID || s.UID >= FirstUID+Slots {
		return fmt.Errorf("uid %d: want %d to %d", s.UID, FirstUID, FirstUID+Slots-1)
	}
	if s.Image == "" {
		return fmt.Errorf("no image named")
	}
	if len(s.Lab) > 200 || strings.ContainsFunc(s.Lab, func(r rune) bool { return r < ' ' }) {
		return fmt.Errorf("lab %.40q: want at most 200 printable bytes", s.Lab)
	}
	if err := s.Limits.Check(); err != nil {
		return err
	}
	return s.Limits.CheckTmpfs()
}

// CheckTmpfs says whether Home and Tmp leave two thirds of the memory free, also
// when it is at its lowest: what lies there cannot be taken back.
func (l Limits) CheckTmpfs() error {
	memory := l.Memory
	if l.MemoryLow > 0 {
		memory = min(memory, l.MemoryLow)
	}
	var sum int64
	for _, t := range l.tmpfs(0) {
		sum += t.Size
	}
	if sum > memory/3 {
		return fmt.Errorf("home and tmp: with /run and /dev/shm they take %d bytes, more than a third of the memory of %d", sum, memory)
	}
	return nil
}

// Check says which limit is out of bounds. It does not hold Home and Tmp
// against Memory: that is CheckTmpfs.
func (l Limits) Check() error {
	for _, b := range []struct {
		name          string
		value, lo, hi int64
	}{
		{"memory", l.Memory, leastMemory, mostMemory},
		{"processes", int64(l.Processes), 16, 32768},
		{"learner processes", int64(l.LearnerProcesses), 8, int64(l.Processes) - 8},
		{"home", l.Home, 1 << 20, 16 << 30},
		{"tmp", l.Tmp, 1 << 20, 16 << 30},
		{"inodes", int64(l.Inodes), 64, 1 << 20},
	} {
		if b.value < b.lo || b.value > b.hi {
			return fmt.Errorf("%s %d: want %d to %d", b.name, b.value, b.lo, b.hi)
		}
	}
	if low, high := l.MemoryLow, l.MemoryHigh; (low != 0 || high != 0) &&
		!(leastMemory <= low && low <= l.Memory && l.Memory <= high && low < high && high <= mostMemory) {
		return fmt.Errorf("memory %d may be moved from %d to %d: want a range of %d to %d with the memory inside", l.Memory, low, high, leastMemory, mostMemory)
	}
	if !(l.CPUs >= 0.05 && l.CPUs <= 64) {
		return fmt.Errorf("cpus %v: want 0.05 to 64", l.CPUs)
	}
	return nil
}
