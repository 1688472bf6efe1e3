package sandbox

import (
	"context"
	"fmt"
	"time"

	"sysnerd/sandbox/link"
)

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
	// minor faults, major faults, 1 if it executed a program and 0 if it only
	// forked, the tab of its controlling terminal or 0, and between which two bytes
	// of that terminal's output it ended, in the guest's numbers; the second is -1
	// when nothing was printed since. The record of a process is complete before
	// its parent's wait returns. A process chooses its command name itself, prctl(2).
	RunEnded = "SN_ENDED"
	// RunOpened tells which of the watched real programs were opened (inotify),
	// a line each, tab separated: Unix milliseconds, path. Behind these stand the
	// processes that were seen to run one, with three fields more: pid, 1 if it
	// loads code that its program does not ask for (LD_PRELOAD and its like), and
	// the arguments, separated by the byte 1f, control characters replaced by "?".
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

// runGrace is how much longer than its deadline a run may take to answer.
const runGrace = 5 * time.Second

// Run runs a script in the sandbox and returns when it and all that it started
// have ended. A script that fails is no error: see RunResult.
// Errors: ErrNotRunning when the sandbox ended or does not answer, the context's.
func (s *Sandbox) Run(ctx context.Context, r Run) (RunResult, error) {
	if r.Deadline == 0 {
		r.Deadline = DefaultRunDeadline
	}
	if r.Output == 0 {
		r.Output = DefaultRunOutput
	}
	spec := link.Run{Script: len(r.Script), Env: r.Env, Deadline: max(1, r.Deadline.Milliseconds()), Output: r.Output, Learner: r.Learner}
	data := [][]byte{r.Script}
	for _, f := range r.Files {
		fill := f.Data == nil && (f.Name == RunEnded || f.Name == RunOpened)
		spec.Files = append(spec.Files, link.File{Name: f.Name, Size: len(f.Data), Fill: fill})
		data = append(data, f.Data)
	}
	if err := spec.Check(); err != nil {
		return RunResult{}, fmt.Errorf("run script: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.Deadline+runGrace, fmt.Errorf("%w: its guest does not answer", ErrNotRunning))
	defer cancel()
	id := s.number()
	result := &RunResult{}
	s.mu.Lock()
	s.runs[id] = result
	s.mu.Unlock()
	reply, err := s.ask(ctx, id, link.KindRunDone, func(c *conn) error {
		if err := c.sendJSON(link.KindRun, id, spec); err != nil {
			return err
		}
		for _, p := range data {
			for len(p) > 0 {
				n := min(len(p), link.MaxPayload)
				if err := c.send(link.Frame{Kind: link.KindRunData, Stream: id, Payload: p[:n]}); err != nil {
					return err
				}
				p = p[n:]
			}
		}
		return nil
	})
	s.mu.Lock()
	delete(s.runs, id)
	s.mu.Unlock()
	if err != nil {
		if c := s.link(); c != nil && ctx.Err() != nil {
			_ = c.send(link.Frame{Kind: link.KindCancel, Stream: id})
			err = context.Cause(ctx)
		}
		return RunResult{}, fmt.Errorf("run script: %w", err)
	}
	d := reply.(link.RunDone)
	if d.Error != "" {
		return RunResult{}, fmt.Errorf("run script: %w: %s", ErrNotRunning, d.Error)
	}
	result.Exit, result.Signal = d.Exit, d.Signal
	result.TimedOut, result.Truncated = d.TimedOut, d.Truncated
	result.Took = time.Duration(d.Micros) * time.Microsecond
	return *result, nil
}

func (s *Sandbox) runOutput(f link.Frame) {
	if len(f.Payload) < 1 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.runs[f.Stream]
	if r == nil {
		return
	}
	out := &r.Stdout
	if f.Payload[0] == 2 {
		out = &r.Stderr
	}
	if len(*out) < 16<<20 {
		*out = append(*out, f.Payload[1:]...)
	}
}
