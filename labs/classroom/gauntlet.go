package classroom

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Gauntlet is a learner's standing in the interview gauntlet of a module.
type Gauntlet struct {
	Interview string // a Day; "" for none
	Marks     []Mark // the newest of each question, by the question's id
}

// Mark is how a learner marked his own answer.
type Mark struct {
	Question string
	Points   []int // which of the question's points he said, from 0
	Of       int   // how many points it has; for SaveGauntlet alone
	Marked   time.Time
	Day      string // on which he marked it, where he was
	Step     int    // good answers in a row; Store fills it in
	Due      string // the Day on which it comes again; "" for not before the interview
}

// Gauntlet returns a learner's standing.
func (s *Store) Gauntlet(ctx context.Context, learner, module string) (g Gauntlet, err error) {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return g, fmt.Errorf("get gauntlet of %s: %w", module, s.explain(err))
	}
	defer tx.Rollback()
	if g, err = readGauntlet(ctx, tx, learner, module); err != nil {
		return g, fmt.Errorf("get gauntlet of %s: %w", module, s.explain(err))
	}
	return g, nil
}

func readGauntlet(ctx context.Context, tx *sql.Tx, learner, module string) (g Gauntlet, err error) {
	err = tx.QueryRowContext(ctx, "SELECT day FROM interview WHERE learner = ? AND module = ?", learner, module).Scan(&g.Interview)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return g, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT question, points, marked, day, step, chosen FROM mark WHERE learner = ? AND module = ? ORDER BY question", learner, module)
	if err != nil {
		return g, err
	}
	defer rows.Close()
	for rows.Next() {
		var m Mark
		var points, chosen string
		var marked int64
		if err := rows.Scan(&m.Question, &points, &marked, &m.Day, &m.Step, &chosen); err != nil {
			return g, err
		}
		if err := json.Unmarshal([]byte(points), &m.Points); err != nil {
			return g, fmt.Errorf("question %s: decode points: %w", m.Question, err)
		}
		m.Marked, m.Due = moment(marked), due(m.Day, m.Step, chosen, g.Interview)
		g.Marks = append(g.Marks, m)
	}
	return g, rows.Err()
}

// SaveGauntlet keeps the day of the interview, unless it is nil, and marks. A mark that
// is older than the one kept of its question counts for nothing; the same again only
// moves its Due. A Due other than that of the spacing is one that the learner chose; "" leaves it to
// the spacing. It returns what stands then.
func (s *Store) SaveGauntlet(ctx context.Context, learner, module string, interview *string, marks []Mark) (g Gauntlet, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		if interview != nil {
			_, err := tx.ExecContext(ctx, `INSERT INTO interview (learner, module, day) VALUES (?, ?, ?)
				ON CONFLICT (learner, module) DO UPDATE SET day = excluded.day`, learner, module, *interview)
			if err != nil {
				return err
			}
		}
		if g, err = readGauntlet(ctx, tx, learner, module); err != nil {
			return err
		}
		for _, m := range marks {
			if err := saveMark(ctx, tx, learner, module, g.Interview, m); err != nil {
				return fmt.Errorf("question %s: %w", m.Question, err)
			}
		}
		g, err = readGauntlet(ctx, tx, learner, module)
		return err
	})
	if err != nil {
		return Gauntlet{}, fmt.Errorf("save gauntlet of %s: %w", module, err)
	}
	return g, nil
}

func saveMark(ctx context.Context, tx *sql.Tx, learner, module, interview string, m Mark) error {
	var step int
	var marked int64
	err := tx.QueryRowContext(ctx, "SELECT step, marked FROM mark WHERE learner = ? AND module = ? AND question = ?", learner, module, m.Question).
		Scan(&step, &marked)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	now := millis(m.Marked)
	switch {
	case now < marked:
		return nil
	case now > marked:
		step = nextStep(step, len(m.Points), m.Of)
	}
	chosen := ""
	if m.Due != due(m.Day, step, "", interview) {
		chosen = m.Due
	}
	points, err := json.Marshal(append([]int{}, m.Points...))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO mark (learner, module, question, points, marked, day, step, chosen) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (learner, module, question) DO UPDATE SET points = excluded.points, marked = excluded.marked, day = excluded.day,
			step = excluded.step, chosen = excluded.chosen`, learner, module, m.Question, string(points), now, m.Day, step, chosen)
	return err
}

// ComingBack returns when the solution of each task was shown to a learner who had not
// passed it: lab/task → time.
func (s *Store) ComingBack(ctx context.Context, learner, module string) (map[string]time.Time, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT lab, task, revealed FROM progress
		WHERE learner = ? AND module = ? AND revealed <> 0 AND (passed = 0 OR revealed <= passed)`, learner, module)
	if err != nil {
		return nil, fmt.Errorf("get solutions shown in %s: %w", module, s.explain(err))
	}
	defer rows.Close()
	all := map[string]time.Time{}
	for rows.Next() {
		var lab, task string
		var revealed int64
		if err := rows.Scan(&lab, &task, &revealed); err != nil {
			return nil, fmt.Errorf("get solutions shown in %s: %w", module, s.explain(err))
		}
		all[lab+"/"+task] = moment(revealed)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("get solutions shown in %s: %w", module, s.explain(err))
	}
	return all, nil
}
