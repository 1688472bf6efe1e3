package classroom

import (
	"strings"
	"testing"
)

func TestReadingKeepsWhereOneIsAndWhatOneRecalled(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	check(t, s.SeeSection(ctx, "ada", "os", "calls", "model", false))
	check(t, s.SeeSection(ctx, "ada", "os", "calls", "limits", false))
	check(t, s.SaveRecall(ctx, "ada", "os", "calls", "why", false))
	check(t, s.SaveRecall(ctx, "ada", "os", "calls", "who", false))
	check(t, s.SaveRecall(ctx, "ada", "os", "calls", "who", true))
	check(t, s.SaveRecall(ctx, "ada", "os", "calls", "who", false)) // what was right once stays
	check(t, s.SaveRecall(ctx, "ada", "os", "signals", "what", true))
	all, err := s.Readings(ctx, "ada", "os")
	check(t, err)
	calls := all["calls"]
	if calls.Heading != "limits" || calls.Seen.IsZero() || !calls.Read.IsZero() || strings.Join(calls.Recalled, " ") != "who" || strings.Join(calls.Missed, " ") != "why" {
		t.Errorf("section calls: %+v", calls)
	}
	if signals := all["signals"]; !signals.Seen.IsZero() || len(signals.Recalled) != 1 || len(all) != 2 {
		t.Errorf("section signals: %+v of %d", signals, len(all))
	}
	check(t, s.SeeSection(ctx, "ada", "os", "calls", "recall", true))
	all, err = s.Readings(ctx, "ada", "os")
	check(t, err)
	read := all["calls"].Read
	check(t, s.SeeSection(ctx, "ada", "os", "calls", "", false))
	all, err = s.Readings(ctx, "ada", "os")
	check(t, err)
	if read.IsZero() || !all["calls"].Read.Equal(read) || all["calls"].Heading != "" {
		t.Errorf("read at %v, then %+v", read, all["calls"])
	}
	for _, other := range [][2]string{{"bob", "os"}, {"ada", "net"}} {
		if all, err := s.Readings(ctx, other[0], other[1]); err != nil || len(all) != 0 {
			t.Errorf("%v has %v, %v", other, all, err)
		}
	}
}
