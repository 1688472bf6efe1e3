package guest

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// record makes an acct_v3 as the kernel writes it, acct(5).
func record(name string, pid, ppid, uid, status uint32, start uint32, ticks float32) []byte {
	p := make([]byte, acctRecord)
	p[1] = 3
	ne := binary.NativeEndian
	ne.PutUint32(p[4:], status)
	ne.PutUint32(p[8:], uid)
	ne.PutUint32(p[16:], pid)
	ne.PutUint32(p[20:], ppid)
	ne.PutUint32(p[24:], start)
	ne.PutUint32(p[28:], math.Float32bits(ticks))
	ne.PutUint16(p[42:], 1<<13|5) // 5 × 8
	ne.PutUint16(p[44:], 7)
	copy(p[48:], name)
	return p
}

func TestAccountingRecord(t *testing.T) {
	got, ok := parseRecord(record("ls\tx", 12, 3, 20001, 2<<8, 1000, 150))
	want := endedProcess{pid: 12, ppid: 3, uid: 20001, command: "ls?x", exit: 2, start: 1000000, end: 1001500, minFlt: 40, majFlt: 7, execed: true}
	if !ok || got != want {
		t.Errorf("parseRecord = %+v, %v; want %+v", got, ok, want)
	}
	if got, _ := parseRecord(record("hog", 1, 1, 1, 9, 1, 1)); got.signal != 9 || got.exit != 0 {
		t.Errorf("killed by 9: exit %d, signal %d", got.exit, got.signal)
	}
	for name, bad := range map[string][]byte{"short": make([]byte, 10), "another version": make([]byte, acctRecord)} {
		if _, ok := parseRecord(bad); ok {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestAccountReadsOnAsTheFileGrows(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "ended"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a := &account{file: f}
	whole := record("one", 1, 0, 0, 0, 1, 1)
	f.Write(whole)
	f.Write(whole[:20]) // the kernel is in the middle of the next
	if a.collect(); len(a.kept) != 1 || a.kept[0].seq != 1 {
		t.Fatalf("first: %+v", a.kept)
	}
	f.Write(whole[20:])
	for range keptEnded {
		f.Write(record("many", 2, 0, 0, 0, 1, 1))
	}
	if a.collect(); a.kept[len(a.kept)-1].seq != keptEnded+2 {
		t.Errorf("then: the last number is %d", a.kept[len(a.kept)-1].seq)
	}
	if len(a.kept) != keptEnded {
		t.Errorf("%d kept, want %d", len(a.kept), keptEnded)
	}
}

// A record is placed between two reads of its own terminal, whoever collected it.
func TestAccountPlacesRecordsInTheOutput(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "ended"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a := &account{file: f, ttys: map[uint16]uint32{}, heads: map[uint32]placement{}}
	one, two := ttyNumber(unix.Mkdev(136, 0)), ttyNumber(unix.Mkdev(136, 7))
	a.seat(one, 1)
	a.seat(two, 2)
	ends := func(name string, tty uint16, flags byte) {
		p := record(name, 1, 0, 0, 0, 1, 1)
		p[0] = flags
		binary.NativeEndian.PutUint16(p[2:], tty)
		f.Write(p)
	}
	a.place(1, 100)
	a.place(2, 500)
	ends("first", one, 0)
	a.table() // a check looks in between
	ends("other", two, 0)
	ends("forked", one, acctForked)
	a.place(1, 160)
	ends("second", one, 0)
	a.place(1, 170)
	ends("daemon", 0, 0)
	ends("last", one, 0)
	a.collect()

	type placed struct {
		tab      uint32
		from, to int64
		execed   bool
	}
	want := map[string]placed{
		"first": {1, 100, 160, true}, "forked": {1, 100, 160, false}, "second": {1, 160, 170, true},
		"other": {2, 500, -1, true}, "daemon": {0, 0, -1, true}, "last": {1, 170, -1, true},
	}
	for _, e := range a.kept {
		if got := (placed{e.tab, e.from, e.to, e.execed}); got != want[e.command] {
			t.Errorf("%s: %+v, want %+v", e.command, got, want[e.command])
		}
	}
	if len(a.kept) != len(want) {
		t.Errorf("%d records, want %d", len(a.kept), len(want))
	}
}

func TestStatWithBracketsInItsName(t *testing.T) {
	line := "42 (a) b (c)) S 7 42 42 0 -1 4194304 900 0 3 0 1 2 0 0 20 0 5 0 100 4096000 250 18446744073709551615 1 1 0 0"
	got, ok := parseStat([]byte(line))
	want := process{PID: 42, PPID: 7, State: "S", Command: "a) b (c)", VSZ: 4096000, RSS: 250 * pageSize, Threads: 5, MinFlt: 900, MajFlt: 3}
	if !ok || got != want {
		t.Errorf("parseStat = %+v, %v; want %+v", got, ok, want)
	}
	for _, bad := range []string{"", "1", "1 (x", "1 )x(", "x (y) S 1", "1 (x) S 1 2"} {
		if got, ok := parseStat([]byte(bad)); ok {
			t.Errorf("parseStat(%q) = %+v", bad, got)
		}
	}
}

// The same words on both versions: the files are as a kernel printed them.
func TestCgroupOnBothVersions(t *testing.T) {
	for _, c := range []struct {
		root    string
		version int
	}{{"testdata/cgroup1", 1}, {"testdata/cgroup2", 2}} {
		g := findCgroup(c.root)
		if g.version != c.version {
			t.Errorf("%s: version %d, want %d", c.root, g.version, c.version)
		}
		got := []int64{g.memUsed.number(), g.memLimit.number(), g.oomKills(), g.pidsUsed.number(), g.pidsLimit.number()}
		want := []int64{2310144, 268435456, 3, 9, 192}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: number %d is %d, want %d", c.root, i, got[i], want[i])
			}
		}
	}
	if n := readNumber("testdata/max"); n != math.MaxInt64 {
		t.Errorf(`"max" is %d`, n)
	}
	if n := readNumber("testdata/none"); n != 0 {
		t.Errorf("a file that is not there is %d", n)
	}
}

func TestEmptyRemovesWhatIsClosed(t *testing.T) {
	dir := t.TempDir()
	closed := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(closed, "file"), []byte("x"), 0o600)
	outside := filepath.Join(t.TempDir(), "kept")
	os.WriteFile(outside, []byte("x"), 0o600)
	os.Symlink(filepath.Dir(outside), filepath.Join(dir, "link"))
	os.Chmod(closed, 0)
	os.Chmod(filepath.Join(dir, "a"), 0)
	empty(os.Getuid(), []string{dir})
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("a file behind a link is gone: %v", err)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (a) b) S 7 42 42 0 -1 4194304 900 0 3 0 1 2 0 0 20 0 5 0 100 4096000 250 1"))
	f.Fuzz(func(t *testing.T, p []byte) {
		if got, ok := parseStat(p); ok && strings.ContainsAny(got.Command, "\n\t\x1b") {
			t.Errorf("control characters in %q", got.Command)
		}
	})
}

func FuzzKeyed(f *testing.F) {
	f.Add([]byte("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"), "oom_kill")
	f.Fuzz(func(t *testing.T, p []byte, key string) {
		if n := keyed(p, key); n != 0 && !bytes.Contains(p, []byte(key)) {
			t.Errorf("%d from a file without the key", n)
		}
	})
}
