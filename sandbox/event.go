package sandbox

import "time"

// Event is something that happened in a sandbox, told to all who subscribed.
// Exactly one of the fields below At is set.
type Event struct {
	At      time.Time
	State   *State   // the sandbox went live, was lost, ended
	Command *Command // a command ended in a terminal (from the journal)
	OOM     *OOM     // the kernel ended a process for want of memory
	Answer  *Answer  // `answer` was called in the sandbox
	Notice  *Notice  // something is full, or sick, or mended
	Limits  *Limits  // the limits were changed
	Expires *time.Time
	Exits   int // so many programs of the learner ended; told half a second late at most
}

// State of a sandbox.
type State string

const (
	Starting State = "starting"
	Live     State = "live"
	Lost     State = "lost"  // the link is down; being mended
	Ended    State = "ended" // it will not come back
)

// OOM is one kill by the kernel's out-of-memory killer in this sandbox's cgroup.
// The count is the cgroup's own, PID and command are from the kernel's accounting.
// A sandbox can't read the kernel's log: RSS and Score are about, from what the
// process weighed when last looked at and from what the cgroup has less of since.
type OOM struct {
	Count   int64     `json:"count"`   // kills so far; one event each
	At      time.Time `json:"at"`      // when it was counted, half a second late at most
	PID     int       `json:"pid"`     // 0 when not known; then what follows is not either
	Command string    `json:"command"` // at most 15 bytes
	RSS     int64     `json:"rss"`     // bytes
	Score   int64     `json:"score"`   // RSS in thousandths of the limit, plus Adj: what the kernel compared
	Adj     int64     `json:"adj"`     // oom_score_adj
	Limit   int64     `json:"limit"`   // bytes, then
}

// Answer is a value that the learner submitted with `answer VALUE`.
type Answer struct {
	Task  string // "" when not said
	Value string // at most 4096 bytes of UTF-8
}

// Notice is a message for the learner.
type Notice struct {
	Code string // "processes-full", "memory-full", "home-full", "tmp-full", "ok", …
	Text string
}

// Command is one command line that ran in a terminal, as the shell's marks
// (OSC 133 and OSC 633;E) told it. A learner can forge it; hold it against
// RunEnded, which tells where in the output a process ended.
type Command struct {
	Seq    int64 // 1, 2, … within the sandbox, over all tabs
	Tab    int
	Line   string    // as typed, at most 4 KiB; "" when the shell did not tell it
	Start  time.Time // when output began (mark C)
	End    time.Time // mark D; zero while it runs
	Exit   int       // exit status, -1 when the mark named none
	Output []byte    // first 16 KiB, escape sequences still in
	Tail   []byte    // when Cut: the last 4 KiB or less of what came behind Output
	Late   []byte    // last 4 KiB or less printed between its end and the next command, prompts left out: by what it left running, or typed
	Cut    bool      // more was printed than Output holds, or bytes were lost
	Offset int64     // terminal offset at which the output begins

	// Where it began, where it ended and where the next command of the tab began, in
	// the guest's numbers, as RunEnded has them; -1 for what has not come.
	From, Until, Next int64
}

// Sample is one look at the processes and the cgroup of a sandbox.
type Sample struct {
	At        time.Time `json:"at"`
	Memory    Memory    `json:"memory"`
	Pids      Pids      `json:"pids"`
	Processes []Process `json:"processes"` // by pid, at most 256
	Cgroup    int       `json:"cgroup"`    // 1 or 2

	// What was in use in the last 1.5 s, without the cache, oldest first: Unix
	// milliseconds and bytes. Ten a second, twenty near the limit.
	Trail [][2]int64 `json:"trail"`
	Kills []OOM      `json:"kills"` // the last 8 since the last reset, oldest first
}

// Memory is in bytes.
type Memory struct {
	Used     int64 `json:"used"`
	Limit    int64 `json:"limit"` // 0 for none
	Cache    int64 `json:"cache"` // of Used, files of a disk, which the kernel takes back first
	OOMKills int64 `json:"oom_kills"`
	HostFree int64 `json:"host_free"`
}

// Pids counts process slots.
type Pids struct {
	Used    int `json:"used"`
	Limit   int `json:"limit"`
	Learner int `json:"learner"` // of them the learner's threads
}

// Process is one process as /proc shows it.
type Process struct {
	PID      int    `json:"pid"`
	PPID     int    `json:"ppid"`
	UID      int    `json:"uid"`
	State    string `json:"state"` // R S D Z T t I X
	Command  string `json:"command"`
	VSZ      int64  `json:"vsz"` // bytes mapped
	RSS      int64  `json:"rss"` // bytes resident
	Threads  int    `json:"threads"`
	MinFlt   int64  `json:"minor_faults"`
	MajFlt   int64  `json:"major_faults"`
	OOMScore int    `json:"oom_score"` // against the memory of the whole machine, as /proc has it
	OOMAdj   int    `json:"oom_score_adj"`
	FDs      int    `json:"fds"` // -1 when not readable
}
