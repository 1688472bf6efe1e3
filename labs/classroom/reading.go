package classroom

import (
	"context"
	"fmt"
	"time"
)

// Reading is a learner's standing in one section.
type Reading struct {
	Section  string
	Seen     time.Time // the last time; zero: only questions were answered
	Heading  string    // where he was then; "" for the top
	Read     time.Time // when he first came to its end; zero: not yet
	Recalled []string  // questions that he answered right once, by id
	Missed   []string  // those that he answered, and never right
}

// SeeSection keeps where in a section a learner is, and, once, that he came to its end.
func (s *Store) SeeSection(ctx context.Context, learner, module, section, heading string, end bool) error {
	now := millis(time.Now())
	var read int64
	if end {
		read = now
	}
	err := s.exec(ctx, `INSERT INTO reading (learner, module, section, seen, heading, read) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (learner, module, section) DO UPDATE SET seen = excluded.seen, heading = excluded.heading,
			read = CASE WHEN read = 0 THEN excluded.read ELSE read END`,
		learner, module, section, now, heading, read)
	if err != nil {
		return fmt.Errorf("save reading of %s/%s: %w", module, section, err)
	}
	return nil
}

// SaveRecall keeps whether a recall question was answered right. The first right answer
// stays.
func (s *Store) SaveRecall(ctx context.Context, learner, module, section, question string, right bool) error {
	now := millis(time.Now())
	var recalled int64
	if right {
		recalled = now
	}
	err := s.exec(ctx, `INSERT INTO recall (learner, module, section, question, answered, recalled) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (learner, module, section, question) DO UPDATE SET answered = excluded.answered,
			recalled = CASE WHEN recalled = 0 THEN excluded.recalled ELSE recalled END`,
		learner, module, section, question, now, recalled)
	if err != nil {
		return fmt.Errorf("save recall of %s/%s/%s: %w", module, section, question, err)
	}
	return nil
}

// Readings returns section → standing.
func (s *Store) Readings(ctx context.Context, learner, module string) (map[string]Reading, error) {
	all := map[string]Reading{}
	rows, err := s.read.QueryContext(ctx, `SELECT section, '', seen, heading, read, 0 FROM reading WHERE learner = ? AND module = ?
		UNION ALL SELECT section, question, 0, '', 0, recalled FROM recall WHERE learner = ? AND module = ? ORDER BY 1, 2`,
		learner, module, learner, module)
	if err != nil {
		return nil, fmt.Errorf("get reading of %s: %w", module, s.explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var section, question, heading string
		var seen, read, recalled int64
		if err := rows.Scan(&section, &question, &seen, &heading, &read, &recalled); err != nil {
			return nil, fmt.Errorf("get reading of %s: %w", module, s.explain(err))
		}
		r := all[section]
		r.Section = section
		switch {
		case question == "":
			r.Seen, r.Heading, r.Read = moment(seen), heading, moment(read)
		case recalled != 0:
			r.Recalled = append(r.Recalled, question)
		default:
			r.Missed = append(r.Missed, question)
		}
		all[section] = r
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("get reading of %s: %w", module, s.explain(err))
	}
	return all, nil
}
