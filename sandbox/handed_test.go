package sandbox_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"sysnerd/sandbox"
	"sysnerd/sandbox/fake"
)

// TestJournalKnowsWhatWasShown types at a view that reads the pty itself, and asks for the
// journal before the view comes back for more.
func TestJournalKnowsWhatWasShown(t *testing.T) {
	s := claim(t, open(t, fake.New(t, "test"), 4), "ada")
	v, err := s.Terminal(1).View(t.Context(), sandbox.ViewOptions{Size: sandbox.Size{Cols: 80, Rows: 24}, Since: -1, Prompt: true})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	term := &screen{t: t, view: v}
	known := func() string {
		t.Helper()
		for _, c := range s.Journal(0) {
			if c.Line == "keys" {
				return string(c.Output)
			}
		}
		t.Fatalf("the journal holds %+v; want a command keys", s.Journal(0))
		return ""
	}
	term.typed(`stty raw -echo; printf '\033]633;E;keys\a\033]133;C\a%s' rea''dy; exec dd bs=1 count=21 status=none` + "\n")
	term.until("ready")
	want := known()
	for i := range 20 {
		key := string(rune('a' + i))
		term.typed(key)
		o, err := v.Next(ctx)
		if err != nil || string(o.Data) != key {
			t.Fatalf("typed %q, got %q, %v", key, o.Data, err)
		}
		if want += key; known() != want {
			t.Fatalf("the journal knows of %q when %q was shown", known(), want)
		}
	}
	term.typed("z") // the last that dd takes
	for want += "z"; ; {
		o, err := v.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if o.Exit != nil {
			break
		}
	}
	if got := known(); !strings.HasPrefix(got, want) { // what the guest says of the end may follow
		t.Errorf("after the shell's end the journal knows of %q; want %q", got, want)
	}
}
