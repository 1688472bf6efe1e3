package guest

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/link"
)

func TestLimitAndCacheOnBothVersions(t *testing.T) {
	for root, want := range map[string][2]int64{
		"testdata/cgroup1":     {256 << 20, 3 << 20},
		"testdata/cgroup2":     {256 << 20, 3 << 20},
		"testdata/cgroup1-max": {0, 0}, // no limit is 0
		"testdata/cgroup2-max": {0, 0},
	} {
		c := findCgroup(root)
		if got := [2]int64{c.limit(), c.cache()}; got != want {
			t.Errorf("%s: limit and cache = %d, want %d", root, got, want)
		}
	}
}

// A kill in a cgroup below counts: memory.events holds it, memory.events.local not.
func TestKillsBelowCountToo(t *testing.T) {
	if n := findCgroup("testdata/cgroup2").oomKills(); n != 3 {
		t.Errorf("kills = %d, want the 3 of memory.events", n)
	}
}

// stage is a wall whose cgroup and accounting are files of the test.
type stage struct {
	*wall
	t        *testing.T
	dir      string
	accounts *os.File
	now      time.Time
}

func newStage(t *testing.T, version int) *stage {
	s := &stage{t: t, dir: t.TempDir(), now: time.Now()}
	if version == 2 {
		s.put("cgroup.controllers", "memory pids\n")
		s.put("memory.max", "268435456\n")
	} else {
		s.put("memory/memory.limit_in_bytes", "268435456\n")
	}
	s.has(100<<20, 4)
	f, err := os.Create(filepath.Join(s.dir, "ended"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	s.accounts = f
	s.wall = newWall(findCgroup(s.dir), &account{file: f}, 20001)
	return s
}

func (s *stage) put(name, text string) {
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// has says what the cgroup counts.
func (s *stage) has(used, kills int64) {
	s.put("memory/memory.usage_in_bytes", fmt.Sprintln(used))
	s.put("memory.current", fmt.Sprintln(used))
	s.put("memory/memory.oom_control", fmt.Sprintf("oom_kill_disable 0\nunder_oom 0\noom_kill %d\n", kills))
	s.put("memory.events", fmt.Sprintf("max 9\noom %d\noom_kill %d\noom_group_kill 0\n", kills, kills))
}

// ends writes the record of a process that a signal ended, with so many faults.
func (s *stage) ends(name string, pid, signal uint32, faults uint16) {
	p := record(name, pid, 1, 20001, signal, 1000, 1)
	binary.NativeEndian.PutUint16(p[42:], faults)
	if _, err := s.accounts.Write(p); err != nil {
		s.t.Fatal(err)
	}
}

// after looks once more when so much time has passed, and returns what is told.
func (s *stage) after(d time.Duration) (told []link.OOM) {
	s.now = s.now.Add(d)
	s.look(s.now)
	s.tell(func(k link.OOM) { told = append(told, k) })
	return told
}

func TestTwentyKillsAreToldEachWithItsVictim(t *testing.T) {
	for _, version := range []int{1, 2} {
		s := newStage(t, version)
		if told := s.after(0); len(told) != 0 {
			t.Fatalf("version %d: told of the kills before it began: %+v", version, told)
		}
		for pid := range uint32(20) {
			s.ends("hog", 100+pid, uint32(unix.SIGKILL), 5000)
		}
		s.has(20<<20, 24)
		told := s.after(nearPeriod)
		if len(told) != 20 {
			t.Fatalf("version %d: told of %d kills, want 20", version, len(told))
		}
		for i, k := range told {
			want := link.OOM{
				Count: int64(5 + i), At: s.now, PID: 100 + i, Command: "hog",
				RSS: 5000 * pageSize, Score: 5000*pageSize*1000/(256<<20) + learnerOOMScore, Adj: learnerOOMScore, Limit: 256 << 20,
			}
			if k != want {
				t.Fatalf("version %d: kill %d = %+v, want %+v", version, i, k, want)
			}
		}
		var shown sample
		shown.At = s.now
		s.show(&shown)
		if n := len(shown.Kills); n != keptKills || shown.Kills[n-1].Count != 24 {
			t.Errorf("version %d: a sample shows %d kills, want the last %d", version, n, keptKills)
		}
	}
}

// The kernel counts when it decides; the victim ends a moment later.
func TestKillWaitsForItsVictim(t *testing.T) {
	s := newStage(t, 1)
	s.after(0)
	s.has(250<<20, 5)
	if told := s.after(nearPeriod); len(told) != 0 {
		t.Fatalf("told before the victim is known: %+v", told)
	}
	if p := s.period(s.now); p != nearPeriod {
		t.Errorf("the next look comes in %s, want %s", p, nearPeriod)
	}
	s.ends("hog", 12, uint32(unix.SIGKILL), 100)
	s.has(6<<20, 5)
	told := s.after(nearPeriod)
	if len(told) != 1 || told[0].PID != 12 || told[0].RSS != 250<<20 {
		t.Errorf("told %+v; want PID 12 with the 250 MiB that are free since", told)
	}
	if told := s.after(victimTime); len(told) != 0 {
		t.Errorf("told again: %+v", told)
	}
}

func TestKillWithoutARecordIsToldAllTheSame(t *testing.T) {
	s := newStage(t, 1)
	s.after(0)
	s.has(0, 5)
	s.after(nearPeriod)
	if told := s.after(victimTime); len(told) != 1 || told[0].Count != 5 || told[0].PID != 0 {
		t.Errorf("told %+v, want kill 5 of nobody known", told)
	}
}

// Whoever asks the kernel for memory while a victim is ending makes it choose another.
func TestNothingIsLookedAtWhileThereIsNoRoom(t *testing.T) {
	for _, version := range []int{1, 2} {
		s := newStage(t, version)
		s.after(0)
		weighed := s.weighed
		s.ends("greedy", 12, uint32(unix.SIGKILL), 100)
		s.has(256<<20, 5)
		if told := s.after(watchedPeriod); len(told) != 0 || s.weighed != weighed {
			t.Fatalf("version %d: at the limit it told %+v, and weighed at %s", version, told, s.weighed)
		}
		if p := s.period(s.now); p != nearPeriod {
			t.Errorf("version %d: the next look comes in %s, want %s", version, p, nearPeriod)
		}
		s.has(200<<20, 5)
		if told := s.after(nearPeriod); len(told) != 1 || told[0].PID != 12 || s.weighed != s.now {
			t.Errorf("version %d: with room again it told %+v, want PID 12, and weighed at %s", version, told, s.weighed)
		}
	}
}

func TestMemoryThatStaysFullDoesNotSilence(t *testing.T) {
	s := newStage(t, 1)
	s.has(256<<20, 5)
	s.ends("greedy", 12, uint32(unix.SIGKILL), 100)
	if told := s.after(0); len(told) != 0 {
		t.Fatalf("told at once: %+v", told)
	}
	if told := s.after(victimTime); len(told) != 1 || told[0].PID != 12 || s.weighed != s.now {
		t.Errorf("told %+v, want PID 12, and weighed at %s", told, s.weighed)
	}
}

func TestChecksAndSamplesWaitForRoom(t *testing.T) {
	s := newStage(t, 2)
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		s.room()
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("waited %s for room that is there", waited)
		}
		s.has(256<<20, 4)
		time.AfterFunc(90*time.Millisecond, func() { s.has(150<<20, 5) })
		s.room()
		if waited := time.Since(begun); waited < 90*time.Millisecond || waited > 100*time.Millisecond {
			t.Errorf("waited %s, want until there was room after 90 ms", waited)
		}
		s.has(256<<20, 5)
		begun = time.Now()
		s.room()
		if waited := time.Since(begun); waited < victimTime || waited > victimTime+10*time.Millisecond {
			t.Errorf("waited %s with memory that stays full, want %s", waited, victimTime)
		}
	})
}

// What the learner ends himself is no victim, as long as there is a heavier one.
func TestOwnSIGKILLIsNoVictim(t *testing.T) {
	s := newStage(t, 1)
	s.after(0)
	s.ends("sleep", 30, uint32(unix.SIGKILL), 90)
	if told := s.after(nearPeriod); len(told) != 0 {
		t.Fatalf("a SIGKILL alone is told as %+v", told)
	}
	s.ends("quitter", 32, uint32(unix.SIGTERM), 8000)
	s.ends("hog", 31, uint32(unix.SIGKILL), 8000)
	s.has(0, 5)
	if told := s.after(nearPeriod); len(told) != 1 || told[0].PID != 31 {
		t.Errorf("told %+v, want hog, PID 31", told)
	}
	// Long ago, it can't be the victim of a kill that is counted now.
	s.after(suspectLasts + time.Millisecond)
	s.has(0, 6)
	s.after(nearPeriod)
	if told := s.after(victimTime); len(told) != 1 || told[0].PID != 0 {
		t.Errorf("told %+v, want nobody known", told)
	}
}

func TestResetForgetsKillsAndTheCountGoesOn(t *testing.T) {
	s := newStage(t, 2)
	s.after(0)
	s.ends("hog", 12, uint32(unix.SIGKILL), 100)
	s.has(0, 5)
	s.after(nearPeriod)
	s.forget()
	var shown sample
	s.show(&shown)
	if shown.Kills == nil || len(shown.Kills) != 0 || len(shown.Trail) != 0 {
		t.Errorf("after a reset: %+v", shown)
	}
	s.ends("hog", 13, uint32(unix.SIGKILL), 100)
	s.has(0, 6)
	if told := s.after(nearPeriod); len(told) != 1 || told[0].Count != 6 {
		t.Errorf("told %+v, want kill 6", told)
	}
}

func TestWhoIsWatchedIsLookedAtMoreOften(t *testing.T) {
	s := newStage(t, 1)
	s.after(0)
	if p := s.period(s.now); p != healthPeriod {
		t.Errorf("unwatched: %s", p)
	}
	var shown sample
	shown.At = s.now
	s.show(&shown)
	if p := s.period(s.now); p != watchedPeriod {
		t.Errorf("watched: %s", p)
	}
	if len(shown.Trail) != 1 || shown.Trail[0][1] != 100<<20 {
		t.Errorf("trail = %v, want 100 MiB once", shown.Trail)
	}
	s.has(240<<20, 4)
	s.after(watchLasts)
	if p := s.period(s.now); p != nearPeriod {
		t.Errorf("near the wall: %s", p)
	}
}

// The scale knows real processes: this one, and a child that has ended since.
func TestScaleWeighsProcesses(t *testing.T) {
	var s scale
	now := time.Now()
	s.weigh(now)
	self, ok := s.of(os.Getpid(), now)
	if !ok && s.kept[0].pid == 0 {
		t.Fatal("nothing was weighed")
	}
	if ok && self.rss < 1<<20 {
		t.Errorf("this test weighs %d bytes", self.rss)
	}
	if _, ok := s.of(s.kept[0].pid, now.Add(weightLasts+1)); ok {
		t.Error("an old weight counts")
	}
}

// What is done many times a second must leave the collector alone.
func TestLookingMakesNextToNoGarbage(t *testing.T) {
	s := newStage(t, 1)
	s.after(0)
	if n := testing.AllocsPerRun(50, func() { s.look(s.now) }); n > 4 {
		t.Errorf("a look allocates %v times, want next to never", n)
	}
}
