package classroom

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"sysnerd/labs"
)

// keptResults is how many results of a task are kept for each learner.
const keptResults = 20

// Found is a result and when it came.
type Found struct {
	At     time.Time
	Result labs.Result
}

// sameAttempt tells whether r says again what last said: checks run after every
// command, also after one that has nothing to do with the task.
func sameAttempt(last *labs.Result, r labs.Result) bool {
	return last != nil && last.Status == r.Status && last.Message == r.Message && last.Observed == r.Observed
}

// lastTry is the newest result kept of a task, nil for none.
func lastTry(ctx context.Context, tx *sql.Tx, task []any) (*labs.Result, error) {
	var text string
	err := tx.QueryRowContext(ctx, `SELECT result FROM result WHERE learner = ? AND module = ? AND lab = ? AND task = ?
		ORDER BY id DESC LIMIT 1`, task...).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeResult(text)
}

// addResult keeps a result and drops those that are too old.
func addResult(ctx context.Context, tx *sql.Tx, task []any, at int64, text string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO result (learner, module, lab, task, at, result) VALUES (?, ?, ?, ?, ?, ?)",
		append(slices.Clone(task), at, text)...)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM result WHERE learner = ? AND module = ? AND lab = ? AND task = ? AND id NOT IN
		(SELECT id FROM result WHERE learner = ? AND module = ? AND lab = ? AND task = ? ORDER BY id DESC LIMIT ?)`,
		append(append(slices.Clone(task), task...), keptResults)...)
	return err
}

// LabRecord is all that is known of a learner in one lab.
type LabRecord struct {
	Module, Lab string
	Begun       time.Time // his first sandbox of it; zero for none
	Sandboxes   int
	Tasks       map[string]TaskRecord
}

// TaskRecord is all that is known of a learner in one task.
type TaskRecord struct {
	Progress
	// Took is how long he had a sandbox of this lab between the pass before this
	// one, or his first sandbox, and this pass. 0 while it is not passed.
	Took    time.Duration
	Results []Found // new attempts and the first pass, oldest first, at most the newest 20
}

// Record returns all that is known of a learner, by module and lab.
func (s *Store) Record(ctx context.Context, learner string) ([]LabRecord, error) {
	// One transaction: what is read belongs together.
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("get record: %w", s.explain(err))
	}
	defer tx.Rollback()
	found := map[[2]string]*labRecord{}
	in := func(module, lab string) *labRecord {
		key := [2]string{module, lab}
		if found[key] == nil {
			found[key] = &labRecord{LabRecord: LabRecord{Module: module, Lab: lab, Tasks: map[string]TaskRecord{}}}
		}
		return found[key]
	}
	for _, read := range []func(context.Context, *sql.Tx, string, func(module, lab string) *labRecord) error{readTasks, readResults, readSandboxes} {
		if err := read(ctx, tx, learner, in); err != nil {
			return nil, fmt.Errorf("get record: %w", s.explain(err))
		}
	}
	all := []LabRecord{}
	for _, l := range found {
		l.measure()
		all = append(all, l.LabRecord)
	}
	slices.SortFunc(all, func(a, b LabRecord) int {
		return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.Lab, b.Lab))
	})
	return all, nil
}

// labRecord is a LabRecord that is being put together.
type labRecord struct {
	LabRecord
	had []span // a sandbox, in order
}

// span is a piece of time; one without end goes on.
type span struct{ from, to time.Time }

func readTasks(ctx context.Context, tx *sql.Tx, learner string, in func(module, lab string) *labRecord) error {
	rows, err := tx.QueryContext(ctx, "SELECT "+progressColumns+", module, lab FROM progress WHERE learner = ?", learner)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var module, lab string
		p, err := scanProgress(rows, &module, &lab)
		if err != nil {
			return err
		}
		in(module, lab).Tasks[p.Task] = TaskRecord{Progress: p}
	}
	return rows.Err()
}

func readResults(ctx context.Context, tx *sql.Tx, learner string, in func(module, lab string) *labRecord) error {
	rows, err := tx.QueryContext(ctx, "SELECT module, lab, task, at, result FROM result WHERE learner = ? ORDER BY id", learner)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var module, lab, task, text string
		var at int64
		if err := rows.Scan(&module, &lab, &task, &at, &text); err != nil {
			return err
		}
		r, err := decodeResult(text)
		if err != nil {
			return err
		}
		tasks := in(module, lab).Tasks
		t := tasks[task]
		t.Task = task
		t.Results = append(t.Results, Found{moment(at), *r})
		tasks[task] = t
	}
	return rows.Err()
}

func readSandboxes(ctx context.Context, tx *sql.Tx, learner string, in func(module, lab string) *labRecord) error {
	rows, err := tx.QueryContext(ctx, "SELECT module, lab, started, ended FROM attempt WHERE learner = ? ORDER BY started", learner)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var module, lab string
		var started, ended int64
		if err := rows.Scan(&module, &lab, &started, &ended); err != nil {
			return err
		}
		l := in(module, lab)
		if l.Sandboxes == 0 {
			l.Begun = moment(started)
		}
		l.Sandboxes++
		l.had = append(l.had, span{moment(started), moment(ended)})
	}
	return rows.Err()
}

// measure fills in how long each pass took.
func (l *labRecord) measure() {
	var passed []TaskRecord
	for _, t := range l.Tasks {
		if !t.Passed.IsZero() {
			passed = append(passed, t)
		}
	}
	slices.SortFunc(passed, func(a, b TaskRecord) int { return a.Passed.Compare(b.Passed) })
	from := l.Begun
	for _, t := range passed {
		for _, had := range l.had {
			t.Took += had.within(from, t.Passed)
		}
		l.Tasks[t.Task] = t
		from = t.Passed
	}
}

// within is how much of s lies between two moments.
func (s span) within(from, to time.Time) time.Duration {
	if s.from.After(from) {
		from = s.from
	}
	if !s.to.IsZero() && s.to.Before(to) {
		to = s.to
	}
	return max(0, to.Sub(from))
}
