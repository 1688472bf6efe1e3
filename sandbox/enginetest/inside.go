package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sysnerd/sandbox"
)

// inside runs a script in a sandbox and returns what it printed.
func (b *bench) inside(box *sandbox.Sandbox, r sandbox.Run) (string, error) {
	got, err := box.Run(b.ctx, r)
	if err != nil {
		return "", err
	}
	if got.Exit != 0 {
		return string(got.Stdout), fmt.Errorf("script %.60q: exit %d, signal %d, timed out %t; printed %q and %q",
			r.Script, got.Exit, got.Signal, got.TimedOut, got.Stdout, got.Stderr)
	}
	return string(got.Stdout), nil
}

// asRoot and asLearner run a script the one way and the other.
func (b *bench) asRoot(box *sandbox.Sandbox, script string) (string, error) {
	return b.inside(box, sandbox.Run{Script: []byte(script)})
}

func (b *bench) asLearner(box *sandbox.Sandbox, script string) (string, error) {
	return b.inside(box, sandbox.Run{Script: []byte(script), Learner: true})
}

// screen is a terminal as a test reads it.
type screen struct {
	view *sandbox.View
	seen strings.Builder // since the last wait
}

// screen opens a terminal and waits for its prompt.
func (b *bench) screen(box *sandbox.Sandbox) (*screen, error) {
	view, err := box.Terminal(1).View(b.ctx, sandbox.ViewOptions{Size: sandbox.Size{Cols: 200, Rows: 50}, Since: -1})
	if err != nil {
		return nil, err
	}
	b.undo = append(b.undo, view.Close)
	s := &screen{view: view}
	return s, s.wait(b.ctx, "$ ")
}

// wait reads until text has come.
func (s *screen) wait(ctx context.Context, text string) error {
	for !strings.Contains(s.seen.String(), text) {
		out, err := s.view.Next(ctx)
		if err != nil {
			return fmt.Errorf("wait for %q in the terminal: %w; came: %q", text, err, s.seen.String())
		}
		s.seen.Write(out.Data)
		s.view.Ack(out.Offset + int64(len(out.Data)))
	}
	return nil
}

// do types a command and returns what it prints, up to its end.
func (s *screen) do(ctx context.Context, command string) (string, error) {
	s.seen.Reset()
	// The quotes keep the typed line from looking like what it prints.
	if err := s.view.Write(ctx, []byte(command+"; echo en''d-of-it\n")); err != nil {
		return "", err
	}
	if err := s.wait(ctx, "end-of-it\r\n"); err != nil {
		return "", err
	}
	return s.seen.String(), nil
}

// fields reads lines of "key: value" or "key value".
func fields(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			key, value, _ = strings.Cut(strings.TrimSpace(line), " ")
		}
		all[key] = strings.Join(strings.Fields(value), " ")
	}
	return all
}

// differ says which of want's fields got has otherwise.
func differ(who string, got, want map[string]string) error {
	var wrong []error
	for key, value := range want {
		if got[key] != value {
			wrong = append(wrong, fmt.Errorf("%s: %s is %q, want %q", who, key, got[key], value))
		}
	}
	return errors.Join(wrong...)
}
