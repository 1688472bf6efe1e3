package sandbox

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// feedAll feeds stream in pieces of n bytes and returns the ends of commands.
func feedAll(j *Journal, stream string, n int) (ended []Command) {
	for at := 0; at < len(stream); at += n {
		for _, c := range j.Feed(1, int64(at), []byte(stream[at:min(at+n, len(stream))]), time.Unix(int64(at+1), 0)) {
			if !c.End.IsZero() {
				ended = append(ended, c)
			}
		}
	}
	return ended
}

func TestJournalReadsMarks(t *testing.T) {
	const prompt = "\x1b]133;A\a$ \x1b]133;B\a"
	for _, c := range []struct {
		name, stream string
		want         []Command
	}{
		{"no marks", "hello\r\n\x1b[31mred\x1b[m\x1b]0;title\a", nil},
		{"VS Code's order", prompt + "ls\r\n\x1b]633;E;ls -l\x3b true\a\x1b]133;C\aout\r\n\x1b]133;D;3\a",
			[]Command{{Line: "ls -l", Exit: 3, Output: []byte("out\r\n")}}},
		{"escaped line", `` + "\x1b]633;E;printf 'a\\x3b\\\\x3b'\\x0atrue;nonce\x1b\\\x1b]133;C\x1b\\\x1b]133;D;0\x1b\\",
			[]Command{{Line: "printf 'a;\\x3b'\ntrue", Exit: 0}}},
		{"line behind the command", "\x1b]133;C;aid=7\aout\x1b]633;E;\t if true; then\r\n\\x41\r\nfi\r\n\a\x1b]133;D;1;aid=7\a",
			[]Command{{Line: "if true; then\n\\x41\nfi", Exit: 1, Output: []byte("out")}}},
		{"colours stay in the output", "\x1b]133;C\a\x1b[31mred\x1b[m\x1b]0;title\a.\x1b]133;D;0\a",
			[]Command{{Exit: 0, Output: []byte("\x1b[31mred\x1b[m.")}}},
		{"no status", "\x1b]133;C\a\x1b]133;D\a", []Command{{Exit: -1}}},
		{"nonsense for a status", "\x1b]133;C\a\x1b]133;D;-1\a\x1b]133;C\a\x1b]133;D;999\a", []Command{{Exit: -1}, {Exit: -1}}},
		{"end without a start", "\x1b]133;D;0\a", nil},
		{"back at the prompt without an end", "\x1b]133;C\aout" + prompt, []Command{{Exit: -1, Output: []byte("out")}}},
		{"a shell in a shell", "\x1b]133;C;aid=1\a" + "\x1b]133;A;aid=2\a" +
			"\x1b]133;C;aid=2\ain\x1b]633;E;\t ls\r\n\a\x1b]133;D;0;aid=2\a" +
			"\x1b]133;C;aid=2\aexit\r\n" +
			"\x1b]633;E;\t bash\r\n\a\x1b]133;D;4;aid=1\a",
			[]Command{{Line: "ls", Exit: 0, Output: []byte("in")}, {Exit: -1, Output: []byte("exit\r\n")}, {Line: "bash", Exit: 4}}},
		{"called off", "\x1b]133;C\x18\x1b]133;C\x1a\x1b]133;D;0\a", nil},
		{"cut off by another sequence", "\x1b]133;C\x1b[31m.\x1b]133;D;0\x1b]0;x\a", []Command{{Exit: 0, Output: []byte("\x1b[31m.")}}},
		{"two escapes", "\x1b\x1b]133;C\a.\x1b\x1b]133;D;0\a", []Command{{Exit: 0, Output: []byte(".\x1b")}}},
		{"not UTF-8", "\x1b]633;E;a\xffb\a\x1b]133;C\a\x1b]133;D;0\a", []Command{{Line: "a\uFFFDb", Exit: 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, n := range []int{len(c.stream) + 1, 1, 2, 3, 7} {
				got := feedAll(NewJournal(), c.stream, n)
				ignore := cmpopts.IgnoreFields(Command{}, "Seq", "Tab", "Start", "End", "Offset", "From", "Until", "Next")
				if d := cmp.Diff(c.want, got, ignore, cmpopts.EquateEmpty()); d != "" {
					t.Errorf("in pieces of %d (-want +got):\n%s", n, d)
				}
			}
		})
	}
}

func TestJournalNumbersAndPlacesCommands(t *testing.T) {
	j := NewJournal()
	started := j.Feed(2, 100, []byte("$ \x1b]133;C\aabc"), time.Unix(5, 0))
	if len(started) != 1 || started[0].Seq != 1 || started[0].Tab != 2 || started[0].Offset != 110 || !started[0].End.IsZero() {
		t.Fatalf("start: %+v", started)
	}
	if got := j.Commands(0); len(got) != 1 || string(got[0].Output) != "abc" {
		t.Errorf("while it runs: %+v", got)
	}
	ended := j.Feed(2, 113, []byte("\x1b]133;D;0\a"), time.Unix(6, 0))
	if len(ended) != 1 || ended[0].Start != time.Unix(5, 0) || ended[0].End != time.Unix(6, 0) {
		t.Errorf("end: %+v", ended)
	}
	if got := j.Commands(1); len(got) != 0 {
		t.Errorf("Commands(1) = %+v", got)
	}
}

// Places are in the guest's numbers, which begin anew with a new guest.
func TestJournalPlacesCommandsAsTheGuestDoes(t *testing.T) {
	type places struct{ from, until, next int64 }
	got := func(j *Journal) (all []places) {
		for _, c := range j.Commands(0) {
			all = append(all, places{c.From, c.Until, c.Next})
		}
		return all
	}
	j := NewJournal()
	j.Rebase(1, 1000)
	j.Feed(1, 1000, []byte("\x1b]133;C\aout\x1b]133;D;0\a$ \x1b]133;C\a"), time.Unix(1, 0))
	if want := []places{{8, 21, 31}, {31, -1, -1}}; !reflect.DeepEqual(got(j), want) {
		t.Errorf("places %v, want %v", got(j), want)
	}
	j.Feed(1, 1031, []byte("\x1b]133;C;aid=2\a\x1b]133;D;0;aid=2\a\x1b]133;D;0\a"), time.Unix(1, 0))
	if want := []places{{8, 21, 31}, {31, 71, -1}, {45, 61, 71}}; !reflect.DeepEqual(got(j), want) {
		t.Errorf("with a shell in it %v, want %v", got(j), want)
	}
	j.Clear()
	j.Feed(1, 1100, []byte("\x1b]133;C\a"), time.Unix(1, 0))
	if want := []places{{108, -1, -1}}; !reflect.DeepEqual(got(j), want) {
		t.Errorf("after Clear %v, want %v", got(j), want)
	}
}

// A shell's end may be told before its last output, and ends all that ran in it.
func TestJournalEndsWhatAShellRan(t *testing.T) {
	for _, n := range []int{1, 5, 100} {
		j := NewJournal()
		const first = "\x1b]133;C;aid=1\a\x1b]133;C;aid=2\alast words"
		stream := first + "\x1b]133;A;aid=3\a$ \x1b]133;C;aid=3\anew"
		j.Exited(1, int64(len(first)))
		ended := feedAll(j, stream, n)
		if len(ended) != 2 || ended[0].Seq != 2 || string(ended[0].Output) != "last words" || ended[1].Seq != 1 {
			t.Errorf("in pieces of %d, ended: %+v", n, ended)
		}
		all := j.Commands(0)
		if c := all[len(all)-1]; len(all) != 3 || !c.End.IsZero() || string(c.Output) != "new" {
			t.Errorf("in pieces of %d, the new shell: %+v", n, c)
		}
		for range 100 {
			j.Exited(1, 1<<40)
		}
		if n := len(j.tabs[1].shells); n > journalShells {
			t.Errorf("%d ends are waited for", n)
		}
	}
}

func TestJournalKeepsTheEndAndWhatCameLate(t *testing.T) {
	flood := strings.Repeat("0123456789", 5000)
	for _, n := range []int{7, 1000, 1 << 20} {
		j := NewJournal()
		feedAll(j, "\x1b]133;C\a"+flood+"end\x1b]133;D;0\a\x1b]133;A\aprompt\x1b]133;B\a"+flood+"late", n)
		c := j.Commands(0)[0]
		if !c.Cut || string(c.Output) != flood[:journalOutput] || len(c.Tail) != journalTail || !strings.HasSuffix(flood+"end", string(c.Tail)) {
			t.Errorf("in pieces of %d: %d bytes, and %d of the end: %.20q", n, len(c.Output), len(c.Tail), c.Tail)
		}
		if len(c.Late) != journalTail || !strings.HasSuffix(flood+"late", string(c.Late)) {
			t.Errorf("in pieces of %d: %d bytes late", n, len(c.Late))
		}
		if kept := cap(j.commands[0].Tail) + cap(j.commands[0].Late); kept > 8*journalTail {
			t.Errorf("in pieces of %d: %d bytes are held for ends of %d", n, kept, journalTail)
		}
	}
}

func TestJournalIsBounded(t *testing.T) {
	j := NewJournal()
	feed := func(p string) { j.Feed(1, 0, []byte(p), time.Unix(1, 0)) }

	feed("\x1b]133;C\a")
	chunk := strings.Repeat("x", 1<<20)
	for range 10 {
		feed(chunk)
	}
	if c := j.Commands(0)[0]; len(c.Output) != journalOutput || !c.Cut {
		t.Errorf("10 MB of output: kept %d, cut %v", len(c.Output), c.Cut)
	}
	feed("\x1b]633;E;")
	for range 10 {
		feed(chunk)
	}
	if n := cap(j.tabs[1].scan.text); n > 2*maxOSC {
		t.Errorf("10 MB of unterminated OSC: %d bytes are held", n)
	}
	feed("\a\x1b]133;D;0\a")
	if c := j.Commands(0)[0]; len(c.Line) != journalLine || c.Exit != 0 {
		t.Errorf("after 10 MB of OSC: line of %d bytes, exit %d", len(c.Line), c.Exit)
	}
	for i := range 1000 {
		feed(fmt.Sprintf("\x1b]133;C;aid=%d\a", i))
	}
	all := j.Commands(0)
	if len(all) != journalCommands || all[len(all)-1].Seq != 1001 {
		t.Errorf("1000 commands: kept %d, the last is %d", len(all), all[len(all)-1].Seq)
	}
	if n := len(j.tabs[1].running); n > journalNesting {
		t.Errorf("1000 shells in shells: %d commands run", n)
	}
}

func TestJournalSkipAndClear(t *testing.T) {
	j := NewJournal()
	j.Feed(1, 0, []byte("\x1b]133;C\ahalf a mark: \x1b]13"), time.Unix(1, 0))
	j.Skip(1)
	j.Feed(1, 90, []byte("3;D;0\athen \x1b]133;D;0\a"), time.Unix(2, 0))
	if c := j.Commands(0)[0]; string(c.Output) != "half a mark: 3;D;0\athen " || !c.Cut || c.Exit != 0 {
		t.Errorf("after a gap: %+v", c)
	}
	j.Clear()
	if got := j.Commands(0); len(got) != 0 {
		t.Errorf("after Clear: %+v", got)
	}
	if got := j.Feed(1, 0, []byte("\x1b]133;C\a"), time.Unix(3, 0)); got[0].Seq != 2 {
		t.Errorf("Seq starts again at %d", got[0].Seq)
	}
}

func TestJournalFromManyGoroutines(t *testing.T) {
	j := NewJournal()
	var wg sync.WaitGroup
	for tab := range 4 {
		wg.Go(func() {
			for range 100 {
				j.Feed(tab, 0, []byte("\x1b]133;C\aout"), time.Unix(1, 0))
				for _, c := range j.Commands(0) {
					_ = string(c.Output)
				}
				j.Feed(tab, 0, []byte("put\x1b]133;D;0\a"), time.Unix(1, 0))
			}
		})
	}
	wg.Wait()
	for _, c := range j.Commands(0) {
		if string(c.Output) != "output" {
			t.Fatalf("command %d printed %q", c.Seq, c.Output)
		}
	}
}

func FuzzJournal(f *testing.F) {
	for _, s := range []string{
		"", "\x1b]133;A\a$ \x1b]133;B\als\r\n\x1b]133;C\aout\x1b]633;E;\t ls\r\n\a\x1b]133;D;0\a",
		"\x1b]633;E;a\\x3b\\\\\x1b\\\x1b]133;C;aid=1\x1b\\\x1b]133;C;aid=2\a\x1b]133;D;256;aid=1\a",
		"\x1b\x1b]\x1b]133;\x18C\x1a\x9d133;C\x9c",
	} {
		f.Add([]byte(s), uint8(1))
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		whole, pieces := NewJournal(), NewJournal()
		whole.Feed(1, 0, stream, time.Unix(1, 0))
		n := int(piece)%16 + 1
		for at := 0; at < len(stream); at += n {
			pieces.Feed(1, int64(at), stream[at:min(at+n, len(stream))], time.Unix(1, 0))
		}
		a, b := whole.Commands(0), pieces.Commands(0)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("in pieces of %d it reads otherwise:\n%+v\n%+v", n, a, b)
		}
		for _, c := range a {
			if len(c.Tail) > journalTail || len(c.Late) > journalTail || c.Until > int64(len(stream)) || (c.Next >= 0 && c.Next < c.Until) {
				t.Errorf("out of bounds: %d and %d bytes of ends, places %d, %d, %d", len(c.Tail), len(c.Late), c.From, c.Until, c.Next)
			}
			if len(c.Output) > journalOutput || len(c.Line) > 3*journalLine || c.Offset > int64(len(stream)) {
				t.Errorf("out of bounds: %d bytes of output, %d of line, offset %d", len(c.Output), len(c.Line), c.Offset)
			}
		}
	})
}

func BenchmarkJournalBulk(b *testing.B) {
	j := NewJournal()
	p := []byte(strings.Repeat("a line of output that holds no mark at all, as most do\r\n", 72))
	j.Feed(1, 0, []byte("\x1b]133;C\a"), time.Unix(1, 0))
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		j.Feed(1, 0, p, time.Unix(1, 0))
	}
}
