package labs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"sysnerd/sandbox"
)

// lineTime is how long one typed line may take.
const lineTime = 30 * time.Second

// Stage is a sandbox in which tasks are proved.
type Stage struct {
	Box   *sandbox.Sandbox
	Reset func(ctx context.Context) error // brings Box into the lab's first state, setup.sh included
	Seed  string
	// Saw is told what each attempt got, by its file's name. May be nil.
	Saw func(t *Task, attempt string, r Result)
}

// Try proves a task: untouched it does not pass, each wrong attempt gets its message,
// the solution passes, and after a reset it does not pass again. Lines are typed into
// a real terminal. The error holds all that is not so.
func (s *Stage) Try(ctx context.Context, t *Task) error {
	var all []error
	wrong := func(format string, a ...any) {
		all = append(all, fmt.Errorf("task %s: "+format, append([]any{t.ID}, a...)...))
	}
	try := func(name, lines string) (Result, error) {
		r, err := s.play(ctx, t, lines)
		if err == nil && s.Saw != nil {
			s.Saw(t, name, r)
		}
		return r, err
	}
	untouched := func(when string) {
		r, err := try(when, "")
		switch {
		case err != nil:
			wrong("%s: %w", when, err)
		case r.Status != Fail || r.Attempted:
			wrong("%s: %s, attempted %v: %s; want fail, not attempted", when, r.Status, r.Attempted, r.Message)
		}
	}
	untouched("untouched")
	for _, w := range t.wrong {
		r, err := try("wrong/"+w.Name, w.Script)
		switch {
		case err != nil:
			wrong("wrong/%s: %w", w.Name, err)
		case r.Status != Fail || !r.Attempted || r.Message != w.Message:
			wrong("wrong/%s: %s, attempted %v: %q; want fail, attempted: %q", w.Name, r.Status, r.Attempted, r.Message, w.Message)
		case r.Expected == "" || r.Observed == "" || r.Evidence == "" || r.Hint == "":
			wrong("wrong/%s: expected, observed, evidence or hint is missing: %+v", w.Name, r)
		}
	}
	r, err := try("solve", typed(t.solve))
	switch {
	case err != nil:
		wrong("solve.sh: %w", err)
	case r.Status != Pass:
		wrong("solve.sh: %s: %s (expected %s, observed %s)", r.Status, r.Message, r.Expected, r.Observed)
	}
	untouched("after the solution and a reset")
	return errors.Join(all...)
}

// play resets the sandbox, types lines into its first terminal, and checks.
func (s *Stage) play(ctx context.Context, t *Task, lines string) (Result, error) {
	if err := s.Reset(ctx); err != nil {
		return Result{}, fmt.Errorf("reset: %w", err)
	}
	attempt := Attempt{Seed: s.Seed}
	if lines != "" {
		answers, err := s.enter(ctx, lines)
		if err != nil {
			return Result{}, err
		}
		if unnamed, ok := answers[""]; ok && t.Answer {
			answers[t.ID] = unnamed
		}
		attempt.Answers = answers
	}
	return t.Check(ctx, s.Box, attempt), nil
}

// enter types lines one after the other, each when the shell is ready for it, and
// returns what was answered.
func (s *Stage) enter(ctx context.Context, lines string) (map[string]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, unsubscribe := s.Box.Subscribe()
	defer unsubscribe()
	view, err := s.Box.Terminal(1).View(ctx, sandbox.ViewOptions{Size: sandbox.Size{Cols: 100, Rows: 30}, Since: -1})
	if err != nil {
		return nil, fmt.Errorf("open the terminal: %w", err)
	}
	defer view.Close()

	// One goroutine reads the terminal; it ends with ctx.
	screen := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() { watchScreen(ctx, view, screen) })
	defer reading.Wait()
	defer cancel()

	answers := map[string]string{}
	// typeLine waits until a command has ended, or the shell asks for more of it.
	typeLine := func(line string, limit time.Duration, ended func(c *sandbox.Command) bool) error {
		if err := view.Write(ctx, []byte(strings.TrimSuffix(line, "\n")+"\r")); err != nil {
			return err
		}
		timeout := time.NewTimer(limit)
		defer timeout.Stop()
		for {
			select {
			case e, ok := <-events:
				if !ok {
					return sandbox.ErrNotRunning
				}
				if e.Answer != nil {
					answers[e.Answer.Task] = e.Answer.Value
				}
				if c := e.Command; c != nil && !c.End.IsZero() && ended(c) {
					return nil
				}
			case tail := <-screen:
				if strings.HasSuffix(tail, "\x1b[?2004h> ") {
					return nil
				}
			case <-timeout.C:
				return errLineTime
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	// After a reset the shell is a new one; what is typed before it reads is lost.
	for n := 1; ; n++ {
		probe := fmt.Sprintf(": ready %d", n)
		err := typeLine(probe, 500*time.Millisecond, func(c *sandbox.Command) bool { return c.Line == probe })
		if err == nil {
			break
		}
		if !errors.Is(err, errLineTime) || n == 20 {
			return nil, fmt.Errorf("wait for the shell: %w", err)
		}
	}
	for line := range strings.Lines(lines) {
		err := typeLine(line, lineTime, func(c *sandbox.Command) bool { return !strings.HasPrefix(c.Line, ": ready ") })
		if err != nil {
			return nil, fmt.Errorf("type %q: %w", strings.TrimSpace(line), err)
		}
	}
	return maps.Clone(answers), nil
}

var errLineTime = errors.New("the command did not end in time")

// watchScreen tells the end of what the terminal shows, whenever it changed. Only
// the newest counts.
func watchScreen(ctx context.Context, view *sandbox.View, screen chan string) {
	tail := ""
	for {
		out, err := view.Next(ctx)
		if err != nil {
			return
		}
		if len(out.Data) == 0 {
			continue
		}
		view.Ack(out.Offset + int64(len(out.Data)))
		tail += string(out.Data)
		tail = tail[max(0, len(tail)-64):]
		select {
		case <-screen:
		default:
		}
		screen <- tail
	}
}
