package sandbox

import "time"

// Run is a script to be run inside a sandbox by the guest, as root with few
// capabilities, with a fixed PATH and a clean environment. The script is fed on
// the standard input of `bash -s`; it is never a file there.
type Run struct {
	Script   []byte
	Files    []File        // each handed over as an inherited descriptor
	Env      []string      // "NAME=value", added to the guest's clean environment
	Deadline time.Duration // 0 means DefaultRunDeadline
	Output   int           // bytes kept of standard output and of standard error, each; 0 means DefaultRunOutput
	Learner  bool          // run as the learner instead of as root
}

// File is a named piece of data that a Run can read. The guest puts it in a
// memfd and sets the environment variable Name to "/proc/self/fd/N".
//
// A File whose Data is nil and whose Name is one of RunEnded or RunOpened is
// filled by the guest at the moment the run starts.
type File struct {
	Name string // [A-Z_]{1,32}
	Data []byte // at most 1 MiB
}

const (
	// RunEnded is the kernel's own record of every process of the sandbox
	// that has ended (acct(5), newest 4096), a line each, tab separated:
	// sequence, pid, ppid, uid, command (at most 15 bytes, control characters
	// replaced by "?"), exit status, signal, start and end in Unix milliseconds,
	// minor faults, major faults. The record of a process is complete before its parent's wait returns.
	RunEnded = "SN_ENDED"
	// RunOpened tells which of the watched real programs were opened (inotify):
	// a line each, tab separated: Unix milliseconds, path.
	RunOpened = "SN_OPENED"
)

const (
	DefaultRunDeadline = 10 * time.Second
	DefaultRunOutput   = 64 << 10
)

// RunResult tells how a Run ended. Everything that it started is dead by then.
type RunResult struct {
	Exit      int  // exit status; -1 when it did not exit by itself
	Signal    int  // the signal that ended it, 0 if none
	TimedOut  bool // ended by its deadline
	Truncated bool // printed more than Output bytes
	Stdout    []byte
	Stderr    []byte
	Took      time.Duration // as measured by the guest
}
