package classroom

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Attempt is one learner in one sandbox of one lab.
type Attempt struct {
	Sandbox, Learner, Module, Lab string
	Seed                          string // hex
	Generation                    int    // of the sandbox; Answers are of this one
	Expires                       time.Time
	Memory                        int64 // limit in bytes
}

const attemptColumns = "sandbox, learner, module, lab, seed, generation, expires, memory"

func scanAttempt(row interface{ Scan(...any) error }) (a Attempt, err error) {
	var expires int64
	err = row.Scan(&a.Sandbox, &a.Learner, &a.Module, &a.Lab, &a.Seed, &a.Generation, &expires, &a.Memory)
	a.Expires = moment(expires)
	return a, err
}

// SaveAttempt inserts or replaces the attempt of that sandbox.
func (s *Store) SaveAttempt(ctx context.Context, a Attempt) error {
	err := s.exec(ctx, `INSERT INTO attempt (`+attemptColumns+`, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (sandbox) DO UPDATE SET learner = excluded.learner, module = excluded.module, lab = excluded.lab,
			seed = excluded.seed, generation = excluded.generation, expires = excluded.expires, memory = excluded.memory`,
		a.Sandbox, a.Learner, a.Module, a.Lab, a.Seed, a.Generation, millis(a.Expires), a.Memory, millis(time.Now()))
	if err != nil {
		return fmt.Errorf("save attempt of sandbox %s: %w", a.Sandbox, err)
	}
	return nil
}

// Attempt returns the attempt of that sandbox, ended or not; ok is false when there is none.
func (s *Store) Attempt(ctx context.Context, sandbox string) (a Attempt, ok bool, err error) {
	a, err = scanAttempt(s.read.QueryRowContext(ctx, "SELECT "+attemptColumns+" FROM attempt WHERE sandbox = ?", sandbox))
	if errors.Is(err, sql.ErrNoRows) {
		return Attempt{}, false, nil
	}
	if err != nil {
		return Attempt{}, false, fmt.Errorf("get attempt of sandbox %s: %w", sandbox, s.explain(err))
	}
	return a, true, nil
}

// Attempts returns all attempts whose sandbox has not been ended.
func (s *Store) Attempts(ctx context.Context) ([]Attempt, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+attemptColumns+" FROM attempt WHERE ended = 0 ORDER BY sandbox")
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", s.explain(err))
	}
	defer rows.Close()
	var all []Attempt
	for rows.Next() {
		a, err := scanAttempt(rows)
		if err != nil {
			return nil, fmt.Errorf("list attempts: %w", s.explain(err))
		}
		all = append(all, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list attempts: %w", s.explain(err))
	}
	return all, nil
}

// EndAttempt marks the sandbox as gone. Results are kept.
func (s *Store) EndAttempt(ctx context.Context, sandbox string) error {
	err := s.exec(ctx, "UPDATE attempt SET ended = ? WHERE sandbox = ? AND ended = 0", millis(time.Now()), sandbox)
	if err != nil {
		return fmt.Errorf("end attempt of sandbox %s: %w", sandbox, err)
	}
	return nil
}

// SaveAnswer keeps the last answer for a task of an attempt.
func (s *Store) SaveAnswer(ctx context.Context, sandbox, task, value string) error {
	err := s.exec(ctx, `INSERT INTO answer (sandbox, task, value) VALUES (?, ?, ?)
		ON CONFLICT (sandbox, task) DO UPDATE SET value = excluded.value`, sandbox, task, value)
	if err != nil {
		return fmt.Errorf("save answer in sandbox %s: %w", sandbox, err)
	}
	return nil
}

// Answers returns task → answer.
func (s *Store) Answers(ctx context.Context, sandbox string) (map[string]string, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT task, value FROM answer WHERE sandbox = ?", sandbox)
	if err != nil {
		return nil, fmt.Errorf("get answers in sandbox %s: %w", sandbox, s.explain(err))
	}
	defer rows.Close()
	answers := map[string]string{}
	for rows.Next() {
		var task, value string
		if err := rows.Scan(&task, &value); err != nil {
			return nil, fmt.Errorf("get answers in sandbox %s: %w", sandbox, s.explain(err))
		}
		answers[task] = value
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("get answers in sandbox %s: %w", sandbox, s.explain(err))
	}
	return answers, nil
}

// ClearAnswers forgets the answers of a sandbox, after a reset.
func (s *Store) ClearAnswers(ctx context.Context, sandbox string) error {
	if err := s.exec(ctx, "DELETE FROM answer WHERE sandbox = ?", sandbox); err != nil {
		return fmt.Errorf("clear answers in sandbox %s: %w", sandbox, err)
	}
	return nil
}

// millis and moment are how times are stored; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
