package redraw

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"
)

func after(text string) State {
	var s State
	s.Feed([]byte(text))
	return s
}

func TestPrefixTellsTheModesInForce(t *testing.T) {
	const clear = "\x18\x1b[!p\x1b[?1049l\x1b[!p\x1b[H\x1b[2J\x1b[20l\x1b[?12;1000;1006l"
	const alternate = "\x18\x1b[!p\x1b[?1049h\x1b[!p\x1b[H\x1b[2J\x1b[20l\x1b[?12;1000;1006l"
	for _, test := range []struct{ stream, want string }{
		{"", clear},
		{"plain\r\n", clear},
		{"\x1b[?1049h", alternate},
		{"\x1b[?1049h\x1b[?1049l", clear},
		{"\x1b[?1;2004h", clear + "\x1b[?1h\x1b[?2004h"},
		{"\x1b[?25l\x1b[?7l", clear + "\x1b[?7l\x1b[?25l"},
		{"\x1b=\x1b[4h\x1b[20h", clear + "\x1b[?66h\x1b[4h\x1b[20h"},
		{"\x1b[?1000h\x1b[?1002h\x1b[?1006h", clear + "\x1b[?1002h\x1b[?1006h"},
		{"\x1b[3;20r\x1b[?6h", clear + "\x1b[3;20r\x1b[?6h"},
		{"\x1b[3;20r\x1b[r", clear},
		{"\x1b(0\x1b)A\x0e", clear + "\x1b(0\x1b)A\x0e"},
		{"\x0e\x0fx", clear},
		{"\x1b[2 q", clear + "\x1b[2 q"},
		{"\x1b[1;31;48;5;200m", clear + "\x1b[;1;31;48;5;200m"},
		{"\x1b[38:2::1:2:3;4:3;58:5:9m", clear + "\x1b[;4:3;38;2;1;2;3;58;5;9m"},
		{"\x1b[38;2;1;2;3;7m", clear + "\x1b[;7;38;2;1;2;3m"},
		{"\x1b[1;31m\x1b7\x1b[m\x1b8", clear + "\x1b[;1;31m\x1b7\x1b[m\x1b[;1;31m"},
		{"\x1b[31m\x1b[?1049h", "\x18\x1b[!p\x1b[;31m\x1b[?1049h\x1b[!p\x1b[H\x1b[2J\x1b[20l\x1b[?12;1000;1006l\x1b[;31m"},
		{"\x1b[?1h\x1b[31m\x1bc", clear},
		{"\x1b[?1h\x1b[31m\x1b[!p", clear},
		{"\x1b[>4;2m\x1b[?4m\x1b[1$p", clear}, // none of them SGR, or a mode
		{"\x1b[1;3", clear + "\x1b[1;3"},
		{"\x1b[1;3\x18", clear},
		{"\x1b[1;3\x1b", clear + "\x1b"},
		{"\x1b(", clear + "\x1b("},
		{"\x1b]0;a title", clear + "\x1b]99999;"},
		{"\x1b]0;a title\x07", clear},
		{"\x1b]0;a title\x1b\\", clear},
		{"\x1bP1$", clear + "\x1bP1$"},
		{"\x1bP1$qm", clear + "\x1bP0z"},
		{"\x1b_G", clear + "\x1b_"},
		{"\xc2\x9b1;31", clear + "\x1b[1;31"},
		{"\xe2\x82", clear + "\xe2\x82"},
		{"\xe2\x82\xac", clear},
		{"\x1b[" + strings.Repeat("1;", 100), clear + "\x1b[0<"},
	} {
		s := after(test.stream)
		if got := string(s.Prefix(0)); got != test.want {
			t.Errorf("after %q the prefix is\n%q, want\n%q", test.stream, got, test.want)
		}
	}
}

func TestPrefixMovesWhatStoodThereIntoTheScrollback(t *testing.T) {
	s := after("\x1b[31m")
	if got := bytes.Count(s.Prefix(24), []byte("\n")); got != 24 {
		t.Errorf("%d lines are moved up, want 24", got)
	}
	s.Feed([]byte("\x1b[?1049h"))
	if got := bytes.Count(s.Prefix(24), []byte("\n")); got != 0 {
		t.Errorf("%d lines of the alternate screen are moved up, want none", got)
	}
}

func TestFullScreen(t *testing.T) {
	for stream, want := range map[string]bool{
		"":                          false,
		"$ ls\r\n\x1b[?2004h":       false,
		"\x1b[?1049h":               true,
		"\x1b[?1049h\x1b[?1049l":    false,
		"\x1b[?1h\x1b=\x1b[H\x1b[J": true, // top(1) stays in the normal screen
		"\x1b[?25l":                 true,
		"\x1b[2;20r":                true,
	} {
		if s := after(stream); s.FullScreen() != want {
			t.Errorf("after %q FullScreen is %v", stream, !want)
		}
	}
}

func TestCutLeavesTheSequence(t *testing.T) {
	s := after("\x1b[1m\x1b]0;a title")
	s.Cut()
	if want := after("\x1b[1m"); !same(s, want) {
		t.Errorf("after a cut: %+v, want %+v", s, want)
	}
}

// same compares what a State says; behind the lengths lies what it said before.
func same(a, b State) bool {
	for _, s := range []*State{&a, &b} {
		clear(s.seq[s.seqLen:])
		clear(s.char[s.runeLen:])
		if s.phase != escape && s.phase != control && s.phase != deviceHead {
			s.seq, s.seqLen = [maxSeq]byte{}, 0
		}
		s.screens[0].top, s.screens[0].bottom = s.screen().top, s.screen().bottom
		if !s.alt {
			s.screens[1] = screen{}
		}
		// A restored underline without its flag, or a flag without a style, is said as near as SGR can.
		for _, l := range []*attributes{&s.attributes, &s.screens[0].saved, &s.screens[1].saved} {
			if l.flags&underlined == 0 {
				l.underline = 0
			} else {
				l.underline = max(1, l.underline)
			}
		}
	}
	return a == b
}

func recordings(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.stream")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings in testdata: %v", err)
	}
	all := map[string][]byte{}
	for _, name := range files {
		p, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = p
	}
	return all
}

func TestPrefixIsTheStateItCameFrom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, stream := range recordings(t) {
		var s State
		for at := 0; at < len(stream); {
			n := min(1+random.IntN(200), len(stream)-at)
			s.Feed(stream[at : at+n])
			at += n
			var told State
			told.Feed([]byte("\x1b[?1049h\x1b[3;9r\x1b[1;35m\x1b]0;x")) // any other
			told.Feed(s.Prefix(24))
			if !same(s, told) {
				t.Fatalf("%s at %d: %q tells\n%+v, want\n%+v", name, at, s.Prefix(24), told, s)
			}
		}
	}
}

func TestStateIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(State{}); n > 256 {
		t.Errorf("a State takes %d bytes, want at most 256", n)
	}
}

// The bytes of a sequence that never ends cost nothing.
func TestUnterminatedSequences(t *testing.T) {
	for _, start := range []string{"\x1b]0;", "\x1bPq", "\x1b_", "\x1b[1", "\x1b[?", "\x1b(", "\x1bP1"} {
		var s State
		s.Feed([]byte(start))
		chunk := bytes.Repeat([]byte("1"), 64<<10)
		if start == "\x1b(" {
			chunk = bytes.Repeat([]byte("("), 64<<10)
		}
		if n := testing.AllocsPerRun(160, func() { s.Feed(chunk) }); n > 0 { // 10 MB
			t.Errorf("behind %q a chunk takes %v allocations", start, n)
		}
		if n := len(s.Prefix(0)); n > 512 {
			t.Errorf("behind 10 MB in %q the prefix has %d bytes", start, n)
		}
	}
}

func FuzzState(f *testing.F) {
	for _, p := range recordings(f) {
		f.Add(p[:min(len(p), 4096)], uint16(100))
	}
	f.Add([]byte("\x1b[38:2::1:2:3;4:3m\x1b[?1049h\x1b[1;5r\xc2\x9b31m\x1bP+q\x1b\\"), uint16(7))
	f.Fuzz(func(t *testing.T, stream []byte, cut uint16) {
		var whole, bytewise, pieces State
		whole.Feed(stream)
		for i := range stream {
			bytewise.Feed(stream[i : i+1])
		}
		at := min(int(cut), len(stream))
		pieces.Feed(stream[:at])
		prefix := pieces.Prefix(0)
		if len(prefix) > 512 {
			t.Fatalf("the prefix has %d bytes", len(prefix))
		}
		var told State
		told.Feed(prefix)
		if !same(pieces, told) {
			t.Fatalf("%q tells\n%+v, want\n%+v", prefix, told, pieces)
		}
		pieces.Feed(stream[at:])
		if !same(whole, bytewise) || !same(whole, pieces) {
			t.Fatalf("fed whole:\n%+v, byte by byte:\n%+v, in two:\n%+v", whole, bytewise, pieces)
		}
	})
}

func BenchmarkFeed(b *testing.B) {
	for name, p := range map[string][]byte{
		"plain":  bytes.Repeat([]byte("drwxr-xr-x 2 root root 4096 Nov 24 00:01 file.txt\r\n"), 1200),
		"colour": bytes.Repeat([]byte("\x1b[0m\x1b[01;34mdir\x1b[0m  \x1b[12;4H\x1b[38;5;12mfile\x1b[K\x1b[m text\r\n"), 1000),
		"utf8":   bytes.Repeat([]byte("«ça» – ¬é ünïcödé\r\n"), 2500),
		"binary": bytes.Repeat([]byte("\x0e\x0f\xc2\x85\x1b\xc2\x9b\x00\xff\x1b["), 5000),
		"string": bytes.Repeat([]byte("\x1b]0;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 1000),
	} {
		b.Run(name, func(b *testing.B) {
			var s State
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				s.Feed(p)
			}
		})
	}
}
