package labs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sysnerd/sandbox"
)

// Stage is a sandbox in which tasks are proved. One goroutine uses it at a time.
type Stage struct {
	Box   *sandbox.Sandbox
	Reset func(ctx context.Context) error // brings Box into the lab's first state, setup.sh included
	Seed  string
	// SetMemory moves the memory limit, as the control on the page does; bytes. It may
	// be nil, and then no script may ask for it.
	SetMemory func(ctx context.Context, bytes int64) error
}

// Step is one attempt at a task, and what came of it.
type Step struct {
	Name    string // "untouched", "wrong/NAME", "solve" or "reset"
	Result  Result
	Printed string        // by the evidence, of a wrong attempt
	Took    time.Duration // with the reset before it
	Faults  []string      // what is not as it has to be; none when all is well
}

// Names of the steps that every task has.
const (
	stepUntouched = "untouched"
	stepWrong     = "wrong/"
	stepSolve     = "solve"
	stepReset     = "reset"
)

func (s *Step) fault(format string, a ...any) {
	s.Faults = append(s.Faults, fmt.Sprintf(format, a...))
}

// Try proves a task: untouched it does not pass; each wrong attempt gets its message,
// and its evidence shows what was observed; the solution passes; after a reset the
// task does not pass again. Lines are typed into a real terminal. Each step is told to
// saw as it ends. The error is the context's; all else is a fault of its step.
func (s *Stage) Try(ctx context.Context, t *Task, saw func(Step)) error {
	trials := []trial{{stepUntouched, "", judgeUntouched}}
	for _, w := range t.wrong {
		trials = append(trials, trial{stepWrong + w.Name, w.Script, func(ctx context.Context, step *Step, p *played) { judgeWrong(ctx, w, step, p) }})
	}
	trials = append(trials, trial{stepSolve, typed(t.solve), judgeSolve}, trial{stepReset, "", judgeUntouched})
	for _, next := range trials {
		begun := time.Now()
		step := Step{Name: next.name}
		p, err := s.play(ctx, t, next.script)
		if err == nil {
			step.Result = p.check(ctx)
			next.judge(ctx, &step, p)
			p.close()
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			step.fault("%v", err)
		}
		step.Took = time.Since(begun)
		saw(step)
		if errors.Is(err, sandbox.ErrNotRunning) || errors.Is(err, sandbox.ErrNotFound) {
			return err
		}
	}
	return nil
}

// trial is one step before it is tried.
type trial struct {
	name, script string
	judge        func(ctx context.Context, step *Step, p *played)
}

// judgeUntouched: nothing was tried, so nothing may seem to have been.
func judgeUntouched(_ context.Context, step *Step, _ *played) {
	switch r := step.Result; {
	case r.Status == Broken || r.Status == Interrupted:
		step.fault("the check broke: %s", r.Fault)
	case r.Status == Pass:
		step.fault("it passes before anything was done: %s", r.Message)
	case r.Attempted:
		step.fault("the check says `attempt` before anything was tried: %s", r.Message)
	}
}

func judgeSolve(_ context.Context, step *Step, _ *played) {
	switch r := step.Result; {
	case r.Status == Broken || r.Status == Interrupted:
		step.fault("the check broke: %s", r.Fault)
	case r.Status != Pass:
		step.fault("solve.sh does not pass: %s (expected %s, observed %s)", r.Message, r.Expected, r.Observed)
	}
}

func judgeWrong(ctx context.Context, w Wrong, step *Step, p *played) {
	r := step.Result
	switch {
	case p.typist == nil:
		step.fault("it types nothing")
		return
	case r.Status == Broken || r.Status == Interrupted:
		step.fault("the check broke: %s", r.Fault)
		return
	case r.Status == Pass:
		step.fault("it passes: %s", r.Message)
		return
	case !r.Attempted:
		step.fault("the check does not say `attempt`")
	}
	if r.Message != w.Message {
		step.fault("message is %q, want %q", r.Message, w.Message)
	}
	for _, part := range []struct{ name, text string }{
		{"expected", r.Expected}, {"observed", r.Observed}, {"evidence", r.Evidence}, {"hint", r.Hint},
	} {
		if part.text == "" {
			step.fault("the check does not say what is %s", part.name)
		}
	}
	if words := len(strings.Fields(r.Message)); words > maxMessageWords {
		step.fault("message has %d words, at most %d are read", words, maxMessageWords)
	}
	if r.Evidence != "" && r.Observed != "" {
		p.prove(ctx, step)
	}
}

// maxMessageWords keeps what a learner reads first to what he takes in at a glance.
const maxMessageWords = 20

// played is a sandbox in which an attempt was made.
type played struct {
	stage   *Stage
	task    *Task
	attempt Attempt
	typist  *typist // nil when nothing was typed
}

// play resets the sandbox and types the lines of a script.
func (s *Stage) play(ctx context.Context, t *Task, script string) (*played, error) {
	if err := s.Reset(ctx); err != nil {
		return nil, fmt.Errorf("reset: %w", err)
	}
	p := &played{stage: s, task: t, attempt: Attempt{Seed: s.Seed}}
	if script == "" {
		return p, nil
	}
	p.typist = newTypist(s)
	if err := p.typist.play(ctx, script); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// check looks at the task now.
func (p *played) check(ctx context.Context) Result {
	if p.typist != nil {
		p.attempt.Answers = p.typist.answersFor(p.task)
	}
	return p.task.Check(ctx, p.stage.Box, p.attempt)
}

func (p *played) close() {
	if p.typist != nil {
		p.typist.close()
	}
}
