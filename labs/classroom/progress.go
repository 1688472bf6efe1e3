package classroom

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sysnerd/labs"
)

// Progress is a learner's standing in one task.
type Progress struct {
	Task       string
	Passed     time.Time // the first pass; zero: not yet. It stays: for mode while, ask Last
	Revealed   bool      // the solution was shown
	ComesBack  bool      // it was shown before the pass: the gauntlet asks for this task again
	Hints      int       // opened
	Prediction string    // the first one; "" none
	Outcome    string    // of what was to be predicted, as the pass told it; "" none
	Why        string    // his own line on why it worked; "" none
	Last       *labs.Result
	Tries      int // attempts seen that did not pass, before the first pass
}

const progressColumns = "task, passed, revealed, hints, prediction, outcome, why, last, tries"

func scanProgress(row interface{ Scan(...any) error }, more ...any) (p Progress, err error) {
	var passed, revealed int64
	var last string
	fields := append([]any{&p.Task, &passed, &revealed, &p.Hints, &p.Prediction, &p.Outcome, &p.Why, &last, &p.Tries}, more...)
	if err := row.Scan(fields...); err != nil {
		return p, err
	}
	p.Passed, p.Revealed = moment(passed), revealed != 0
	p.ComesBack = p.Revealed && (passed == 0 || revealed <= passed)
	if p.Last, err = decodeResult(last); err != nil {
		return p, fmt.Errorf("task %s: %w", p.Task, err)
	}
	return p, nil
}

// Progress returns task → standing.
func (s *Store) Progress(ctx context.Context, learner, module, lab string) (map[string]Progress, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+progressColumns+" FROM progress WHERE learner = ? AND module = ? AND lab = ?",
		learner, module, lab)
	if err != nil {
		return nil, fmt.Errorf("get progress in %s/%s: %w", module, lab, s.explain(err))
	}
	defer rows.Close()
	all := map[string]Progress{}
	for rows.Next() {
		p, err := scanProgress(rows)
		if err != nil {
			return nil, fmt.Errorf("get progress in %s/%s: %w", module, lab, s.explain(err))
		}
		all[p.Task] = p
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("get progress in %s/%s: %w", module, lab, s.explain(err))
	}
	return all, nil
}

func decodeResult(text string) (*labs.Result, error) {
	if text == "" {
		return nil, nil
	}
	r := new(labs.Result)
	if err := json.Unmarshal([]byte(text), r); err != nil {
		return nil, fmt.Errorf("decode result: %w", err)
	}
	return r, nil
}

// Look is one look at a task, and what it found.
type Look struct {
	Learner, Module, Lab string
	Result               labs.Result
	Asked                bool // by the learner himself, with the button
	While                bool // the task must be true at the moment; else its first pass stays
}

// SaveResult keeps what a look found, as far as it says something new of the
// learner: an attempt, the answer to a button, a pass, or that what must be true is
// true no longer. An attempt that did not pass counts once, however often it is
// looked at. What only saw a stray command leaves the task as it was, and so does a
// check that broke or was interrupted. SaveResult returns once it is on disk, and
// says whether this was the first pass.
func (s *Store) SaveResult(ctx context.Context, l Look) (first bool, err error) {
	r := l.Result
	if r.Status != labs.Pass && r.Status != labs.Fail {
		return false, nil
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = s.change(ctx, func(tx *sql.Tx) error {
			first, err = saveResult(ctx, tx, l, string(text))
			return err
		})
	}
	if err != nil {
		return false, fmt.Errorf("save result of %s/%s/%s: %w", l.Module, l.Lab, r.Task, err)
	}
	return first, nil
}

func saveResult(ctx context.Context, tx *sql.Tx, l Look, text string) (first bool, err error) {
	r := l.Result
	task := []any{l.Learner, l.Module, l.Lab, r.Task}
	var before string
	var passedAt int64
	err = tx.QueryRowContext(ctx, "SELECT last, passed FROM progress WHERE learner = ? AND module = ? AND lab = ? AND task = ?", task...).
		Scan(&before, &passedAt)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	last, err := decodeResult(before)
	if err != nil {
		return false, err
	}
	passed := r.Status == labs.Pass
	switch {
	case passed:
	case passedAt != 0 && !l.While:
		return false, nil // the pass stays
	case r.Attempted, l.Asked:
	case l.While && last != nil && last.Status == labs.Pass: // true no longer
	default:
		return false, nil
	}
	now := millis(time.Now())
	first = passed && passedAt == 0
	fresh := first
	var tries, passedNow int64
	if first {
		passedNow = now
	}
	if !passed && r.Attempted && passedAt == 0 {
		known, err := lastTry(ctx, tx, task)
		if err != nil {
			return false, err
		}
		if !sameAttempt(known, r) {
			tries, fresh = 1, true
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO progress (learner, module, lab, task, last, passed, outcome, tries) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (learner, module, lab, task) DO UPDATE SET last = excluded.last, tries = tries + excluded.tries,
			outcome = CASE WHEN passed = 0 THEN excluded.outcome ELSE outcome END,
			passed = CASE WHEN passed = 0 THEN excluded.passed ELSE passed END`,
		append(task, text, passedNow, r.Outcome, tries)...)
	if err != nil || !fresh {
		return false, err
	}
	return first, addResult(ctx, tx, task, now, text)
}

// Predict keeps the first prediction, unless the task was passed before it. What
// counts is in the task's Progress.
func (s *Store) Predict(ctx context.Context, learner, module, lab, task, choice string) error {
	err := s.exec(ctx, `INSERT INTO progress (learner, module, lab, task, prediction) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (learner, module, lab, task) DO UPDATE SET
			prediction = CASE WHEN prediction = '' AND passed = 0 THEN excluded.prediction ELSE prediction END`,
		learner, module, lab, task, choice)
	if err != nil {
		return fmt.Errorf("save prediction for %s/%s/%s: %w", module, lab, task, err)
	}
	return nil
}

// ErrNoHint says that all hints of a task are open.
var ErrNoHint = errors.New("all hints are open")

// OpenHint opens one more of the hints of a task, of which there are all, and
// returns how many are open now. The second and each after it opens at a new try,
// or when the one before was open for the pause: until then wait is how long that
// takes, and nothing is opened. Errors: ErrNoHint.
func (s *Store) OpenHint(ctx context.Context, learner, module, lab, task string, all int, pause time.Duration) (n int, wait time.Duration, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		var hinted int64
		var tries, then int
		err := tx.QueryRowContext(ctx, `SELECT hints, hinted, hinted_tries, tries FROM progress
			WHERE learner = ? AND module = ? AND lab = ? AND task = ?`, learner, module, lab, task).Scan(&n, &hinted, &then, &tries)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if n >= all {
			return ErrNoHint
		}
		// A clock that was set back opens it: better early than never.
		now := time.Now()
		if since := now.Sub(moment(hinted)); n > 0 && tries == then && since >= 0 && since < pause {
			wait = pause - since
			return nil
		}
		return tx.QueryRowContext(ctx, `INSERT INTO progress (learner, module, lab, task, hints, hinted, hinted_tries) VALUES (?, ?, ?, ?, 1, ?, ?)
			ON CONFLICT (learner, module, lab, task) DO UPDATE SET hints = hints + 1, hinted = excluded.hinted, hinted_tries = excluded.hinted_tries
			RETURNING hints`, learner, module, lab, task, millis(now), tries).Scan(&n)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("open hint of %s/%s/%s: %w", module, lab, task, err)
	}
	return n, wait, nil
}

// Reveal marks the solution as shown.
func (s *Store) Reveal(ctx context.Context, learner, module, lab, task string) error {
	err := s.exec(ctx, `INSERT INTO progress (learner, module, lab, task, revealed) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (learner, module, lab, task) DO UPDATE SET
			revealed = CASE WHEN revealed = 0 THEN excluded.revealed ELSE revealed END`,
		learner, module, lab, task, millis(time.Now()))
	if err != nil {
		return fmt.Errorf("reveal solution of %s/%s/%s: %w", module, lab, task, err)
	}
	return nil
}

// ErrNotPassed says that something is for those who passed the task.
var ErrNotPassed = errors.New("the task is not passed")

// SaveWhy keeps the learner's line on why a task that he passed worked, in the
// place of an earlier one. Errors: ErrNotPassed.
func (s *Store) SaveWhy(ctx context.Context, learner, module, lab, task, text string) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE progress SET why = ? WHERE learner = ? AND module = ? AND lab = ? AND task = ? AND passed <> 0",
			text, learner, module, lab, task)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotPassed)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("save line on %s/%s/%s: %w", module, lab, task, err)
	}
	return nil
}
