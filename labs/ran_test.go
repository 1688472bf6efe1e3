package labs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sysnerd/sandbox"
)

// ended is one process in the kernel's table; times as in at, and where in the output
// of its tab it ended.
type ended struct {
	pid, ppid, uid int
	name           string
	exit, signal   int
	start, end     int64
	forked         bool // it never ran a program
	tab            int
	from, to       int64
}

func (e ended) String() string {
	const epoch = 1_700_000_000_000
	execed := 1
	if e.forked {
		execed = 0
	}
	return fmt.Sprintf("1\t%d\t%d\t%d\t%s\t%d\t%d\t%d\t%d\t10\t0\t%d\t%d\t%d\t%d\n",
		e.pid, e.ppid, e.uid, e.name, e.exit, e.signal, epoch+e.start, epoch+e.end, execed, e.tab, e.from, e.to)
}

// record is a process that ended in tab 1, between its bytes 120 and 180.
func record(pid, ppid, uid int, name string, exit, signal int, start, end int64) string {
	return ended{pid: pid, ppid: ppid, uid: uid, name: name, exit: exit, signal: signal, start: start, end: end, tab: 1, from: 120, to: 180}.String()
}

func TestRanHoldsTheJournalAgainstTheKernel(t *testing.T) {
	const opened = "1700000010100\t/usr/bin/strace\n"
	typed := sandbox.Command{Tab: 1, Line: "strace -c ls /", Start: at(10_000), End: at(10_500), From: 100, Until: 200, Next: -1}
	followed, running, elsewhere := typed, typed, typed
	followed.Next = 300
	running.End, running.Until = time.Time{}, -1
	elsewhere.Tab = 2
	alias := typed
	alias.Line = "s ls"
	strace := ended{pid: 5, ppid: 4, uid: 20007, name: "strace", start: 10_000, end: 10_150, tab: 1, from: 120, to: 180}
	with := func(change func(e *ended)) string {
		e := strace
		change(&e)
		return e.String()
	}
	for _, c := range []struct {
		name          string
		command       sandbox.Command
		ended, opened string
		missing       []string
		want          bool
	}{
		{"it ran", typed, strace.String(), opened, nil, true},
		{"an alias", alias, strace.String(), opened, nil, true},
		{"only typed", typed, "", "", nil, false},
		{"only typed, real file read", typed, with(func(e *ended) { e.name = "cat" }), opened, nil, false},
		{"another's process", typed, with(func(e *ended) { e.uid = 20008 }), opened, nil, false},
		{"a copy", typed, strace.String(), "", nil, false},
		{"a copy, real one opened later", typed, strace.String(), "1700000013000\t/usr/bin/strace\n", nil, false},
		{"seen with its arguments", typed, with(func(e *ended) { e.end = 19_000 }), opened + "1700000010110\t/usr/bin/strace\t5\t0\tstrace\x1f-c\n", nil, true},
		{"another one was seen", typed, with(func(e *ended) { e.end = 19_000 }), opened + "1700000010110\t/usr/bin/strace\t6\t0\tstrace\x1f-c\n", nil, false},
		{"seen with a library of the learner's", typed, strace.String(), opened + "1700000010110\t/usr/bin/strace\t5\t1\tstrace\x1f-c\n", nil, false},
		{"lived too long to be missed", typed, with(func(e *ended) { e.end = 10_400 }), opened, nil, false},
		{"a shell that took the name", typed, with(func(e *ended) { e.forked = true }), opened, nil, false},
		{"another name", typed, with(func(e *ended) { e.name = "strace2" }), opened, nil, false},
		{"in another tab", elsewhere, strace.String(), opened, nil, false},
		{"before the command", typed, with(func(e *ended) { e.from, e.to = 20, 90 }), opened, nil, false},
		{"read together with the mark of its begin", typed, with(func(e *ended) { e.from, e.to = 90, 130 }), opened, nil, true},
		{"read together with the mark of its end", typed, with(func(e *ended) { e.from, e.to = 190, 240 }), opened, nil, true},
		{"left running, the last command", typed, with(func(e *ended) { e.from, e.to = 260, 270 }), opened, nil, true},
		{"left running, before the next", followed, with(func(e *ended) { e.from, e.to = 260, 270 }), opened, nil, true},
		{"during the next", followed, with(func(e *ended) { e.from, e.to = 290, 340 }), opened, nil, false},
		{"nothing printed since", typed, with(func(e *ended) { e.from, e.to = 240, -1 }), opened, nil, true},
		{"nothing printed since, of the command before", followed, with(func(e *ended) { e.from, e.to = 340, -1 }), opened, nil, false},
		{"in a shell that tells nothing", running, strace.String(), opened, nil, true},
		{"left its terminal", typed, with(func(e *ended) { e.tab, e.from, e.to = 0, 0, -1 }), opened, nil, true},
		{"left its terminal long before", typed, with(func(e *ended) { e.tab, e.start, e.end = 0, 5_000, 6_000 }), opened, nil, false},
		{"left its terminal, ended long after", typed, with(func(e *ended) { e.tab, e.end = 0, 19_000 }), opened, nil, false},
		{"no accounting", typed, "", opened, []string{"accounting"}, true},
		{"no accounting, another word", alias, "", opened, []string{"accounting"}, false},
		{"no inotify", typed, strace.String(), "", []string{"inotify"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			task := &Task{ID: "it", check: []byte("ran strace && pass yes; fail no\n")}
			box := &host{t: t, commands: []sandbox.Command{c.command}, ended: c.ended, opened: c.opened, missing: c.missing}
			if r := task.Check(t.Context(), box, Attempt{}); (r.Status == Pass) != c.want || r.Status == Broken {
				t.Errorf("ran strace: %+v, want %v", r, c.want)
			}
		})
	}
}

func TestRanGoesThroughCommandsAndProcesses(t *testing.T) {
	box := &host{t: t, opened: "1700000010100\t/usr/bin/strace\n1700000010100\t/usr/bin/strace\t3\t0\tstrace\x1f-c\x1fls /\n", commands: []sandbox.Command{
		{Tab: 1, Line: "old", Start: at(9_000), End: at(9_100), From: 10, Until: 90, Next: 100},
		{Tab: 1, Line: "two", Start: at(10_000), End: at(10_500), From: 100, Until: 200, Next: 240},
		{Tab: 1, Line: "none", Start: at(10_600), End: at(10_700), From: 240, Until: 300, Next: -1},
	}}
	for pid, e := range []ended{{from: 20, to: 30}, {from: 110, to: 120}, {from: 130, to: 140, exit: 1}} {
		e.pid, e.uid, e.name, e.start, e.end, e.tab = pid+1, 20007, "strace", 10_000, 10_100, 1
		box.ended += e.String()
	}
	task := &Task{ID: "it", check: []byte(`all=''
while ran strace; do all+="$place $line $pid $status ${seen}${args[*]}, "; done
while typed; do all+="$line "; done
ran strace && all+="again $pid"
fail "$all"
`)}
	const want = "1 two 3 1 1strace -c ls /, 1 two 2 0 0, 2 old 1 0 0, none two old again 3"
	if r := task.Check(t.Context(), box, Attempt{}); r.Message != want {
		t.Errorf("%q, want %q", strings.TrimSpace(r.Message), want)
	}
}

// Without the kernel's record the guest's own says which process it was, and with which
// arguments.
func TestRanWithoutARecordTakesWhoWasSeen(t *testing.T) {
	const opened = "1700000010100\t/usr/bin/strace\n1700000010110\t/usr/bin/strace\t5\t%d\tstrace\x1f-c\x1fls\n"
	task := &Task{ID: "it", check: []byte(`if ran strace; then fail "$pid $seen $((minor + major)) ${args[*]}"; fi; fail no` + "\n")}
	for loaded, want := range []string{"5 1 0 strace -c ls", "no"} {
		box := &host{t: t, opened: fmt.Sprintf(opened, loaded), missing: []string{"accounting"}, commands: []sandbox.Command{
			{Tab: 1, Line: "strace -c ls", Start: at(10_000), End: at(10_500), From: 100, Until: 200, Next: -1},
		}}
		if r := task.Check(t.Context(), box, Attempt{}); r.Message != want {
			t.Errorf("with a library of the learner's %d: %q, want %q", loaded, r.Message, want)
		}
	}
}

// BenchmarkRan is a check after 40 commands that ran the program 10 times each, none of
// them well.
func BenchmarkRan(b *testing.B) {
	box := &host{t: b, opened: "1700000010100\t/usr/bin/strace\n"}
	for i := range int64(40) {
		box.commands = append(box.commands, sandbox.Command{Tab: 1, Line: "strace", Start: at(10_000), End: at(10_500), From: 100 * i, Until: 100*i + 80, Next: 100 * (i + 1)})
		for pid := range int64(10) {
			box.ended += ended{pid: int(10*i + pid), uid: 20007, name: "strace", exit: 1, start: 10_000, end: 10_100, tab: 1, from: 100*i + 10, to: 100*i + 20}.String()
		}
	}
	task := &Task{ID: "it", check: []byte("while ran strace; do ((status)) || pass yes; done; fail no\n")}
	for b.Loop() {
		task.Check(b.Context(), box, Attempt{})
	}
}
