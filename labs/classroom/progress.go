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
	Revealed   bool
	Hints      int    // opened
	Prediction string // "" none
	Last       *labs.Result
	Tries      int // attempts seen that did not pass
}

// Progress returns task → standing.
func (s *Store) Progress(ctx context.Context, learner, module, lab string) (map[string]Progress, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT task, passed, revealed <> 0, hints, prediction, last, tries
		FROM progress WHERE learner = ? AND module = ? AND lab = ?`, learner, module, lab)
	if err != nil {
		return nil, fmt.Errorf("get progress in %s/%s: %w", module, lab, s.explain(err))
	}
	defer rows.Close()
	all := map[string]Progress{}
	for rows.Next() {
		var p Progress
		var passed int64
		var last string
		if err := rows.Scan(&p.Task, &passed, &p.Revealed, &p.Hints, &p.Prediction, &last, &p.Tries); err != nil {
			return nil, fmt.Errorf("get progress in %s/%s: %w", module, lab, s.explain(err))
		}
		p.Passed = moment(passed)
		if p.Last, err = decodeResult(last); err != nil {
			return nil, fmt.Errorf("get progress in %s/%s: task %s: %w", module, lab, p.Task, err)
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

// SaveResult keeps the newest result and the moment of the first pass. An attempt
// that did not pass counts once, however often it is looked at. A broken check is
// our fault and says nothing of the learner: it is not kept. SaveResult returns
// once the result is on disk.
func (s *Store) SaveResult(ctx context.Context, learner, module, lab string, r labs.Result) error {
	if r.Status == labs.Broken {
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("save result of %s/%s/%s: %w", module, lab, r.Task, err)
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		var before string
		err := tx.QueryRowContext(ctx, "SELECT last FROM progress WHERE learner = ? AND module = ? AND lab = ? AND task = ?",
			learner, module, lab, r.Task).Scan(&before)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		last, err := decodeResult(before)
		if err != nil {
			return err
		}
		var passed int64
		var tries int
		switch {
		case r.Status == labs.Pass:
			passed = millis(time.Now())
		case r.Attempted && !sameAttempt(last, r):
			tries = 1
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO progress (learner, module, lab, task, passed, last, tries) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (learner, module, lab, task) DO UPDATE SET last = excluded.last, tries = tries + excluded.tries,
				passed = CASE WHEN passed = 0 THEN excluded.passed ELSE passed END`,
			learner, module, lab, r.Task, passed, string(text), tries)
		return err
	})
	if err != nil {
		return fmt.Errorf("save result of %s/%s/%s: %w", module, lab, r.Task, err)
	}
	return nil
}

// sameAttempt tells whether r says again what last said: checks run after every
// command, also after one that has nothing to do with the task.
func sameAttempt(last *labs.Result, r labs.Result) bool {
	return last != nil && last.Status == r.Status && last.Attempted == r.Attempted &&
		last.Message == r.Message && last.Observed == r.Observed
}

// Predict keeps the first prediction.
func (s *Store) Predict(ctx context.Context, learner, module, lab, task, choice string) error {
	err := s.exec(ctx, `INSERT INTO progress (learner, module, lab, task, prediction) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (learner, module, lab, task) DO UPDATE SET
			prediction = CASE WHEN prediction = '' THEN excluded.prediction ELSE prediction END`,
		learner, module, lab, task, choice)
	if err != nil {
		return fmt.Errorf("save prediction for %s/%s/%s: %w", module, lab, task, err)
	}
	return nil
}

// OpenHint counts one more hint and returns how many are open now. How many there
// are is the lab's to know.
func (s *Store) OpenHint(ctx context.Context, learner, module, lab, task string) (n int, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `INSERT INTO progress (learner, module, lab, task, hints) VALUES (?, ?, ?, ?, 1)
			ON CONFLICT (learner, module, lab, task) DO UPDATE SET hints = hints + 1
			RETURNING hints`, learner, module, lab, task).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("open hint of %s/%s/%s: %w", module, lab, task, err)
	}
	return n, nil
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
