package guest

import (
	"bytes"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/link"
)

const (
	// watchedPeriod is how often memory is read while somebody asks for samples, and
	// nearPeriod how often beyond three quarters of the limit.
	watchedPeriod = 100 * time.Millisecond
	nearPeriod    = 50 * time.Millisecond
	// watchLasts is how long after a sample somebody counts as watching.
	watchLasts = 3 * time.Second
	// victimTime is how long the record of a victim may take to be there. The kernel
	// counts a kill when it decides, and writes the record when the process has ended: on
	// a machine where a whole class does the lab on it, hundreds of milliseconds later.
	victimTime = time.Second
	// suspectLasts is how long somebody ended by SIGKILL may be the victim of a kill
	// that was not counted yet.
	suspectLasts = time.Second

	keptKills   = 8  // are told with every sample
	maxOwed     = 64 // kills wait for their victims, or for somebody to be told
	maxSuspects = 256
	trailPoints = 64
	trailLasts  = 1500 * time.Millisecond // what a sample tells; the next one comes in a second
)

// wall follows the memory of the sandbox against its limit, and finds out whom the
// kernel ended for want of it. Safe for concurrent use.
//
// A sandbox can't read the kernel's log, which alone says it all. What stands in for it:
//
//	how many     oom_kill of the cgroup, exact
//	who          the accounting record of a process that SIGKILL ended, written by the kernel
//	its memory   what it weighed when last looked at, or what the cgroup has less of since: about
//	its score    from that, the limit, and oom_score_adj: about
type wall struct {
	cgroup  cgroup
	account *account // nil where there is none
	learner int      // uid

	mu       sync.Mutex
	counted  int64 // kills seen in the cgroup
	record   int64 // the newest accounting record looked at
	owed     []owed
	suspects []suspect
	scale    scale
	weighed  time.Time
	cache    int64 // as last read
	near     bool
	tight    time.Time // since when there is next to no room; zero while there is some
	watched  time.Time // when a sample was last taken
	trail    [trailPoints]point
	points   int        // so far
	kills    []link.OOM // newest last, at most keptKills
	untold   []link.OOM // at most maxOwed
}

// owed is a kill whose victim is not known yet.
type owed struct {
	count int64
	limit int64
	at    time.Time
	alone bool // no other kill was counted with it
}

// suspect is a process that SIGKILL ended; the kernel or the learner sent it.
type suspect struct {
	pid      int
	command  string
	rss, adj int64
	at       time.Time
}

// point is what was in use at a moment, without the cache.
type point struct{ at, used int64 } // Unix milliseconds, bytes

func newWall(c cgroup, a *account, learner int) *wall {
	w := &wall{cgroup: c, account: a, learner: learner, counted: c.oomKills()}
	if a != nil {
		w.record = a.newest()
	}
	return w
}

// period is how long to wait before the next look.
func (w *wall) period(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.near, len(w.owed) > 0:
		return nearPeriod
	case now.Sub(w.watched) < watchLasts:
		return watchedPeriod
	}
	return healthPeriod
}

// still says whether the guest has to keep still: so little is left that what it asks
// of the kernel could be what makes it choose a victim, and then a second one, since one
// that has begun to end is not looked at any more, mem_cgroup_scan_tasks() in
// mm/memcontrol.c, although its memory is not free yet. Who would have been spared is
// ended then. That lasts as long as a victim may take; memory that stays full does not
// silence the guest. Under mu.
func (w *wall) still(used, limit int64, now time.Time) bool {
	switch {
	case limit == 0 || used < limit-limit/64:
		w.tight = time.Time{}
		return false
	case w.tight.IsZero():
		w.tight = now
	}
	return now.Sub(w.tight) < victimTime
}

// room returns when the guest need not keep still.
func (w *wall) room() {
	for {
		w.mu.Lock()
		still := w.still(w.cgroup.memUsed.number(), w.cgroup.limit(), time.Now())
		w.mu.Unlock()
		if !still {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// look reads the memory in use, and takes in the kills since the last look. It says
// whether the guest has to keep still, and does so itself.
func (w *wall) look(now time.Time) (still bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	used, limit := w.cgroup.memUsed.number(), w.cgroup.limit()
	still = w.still(used, limit, now)
	if used > limit/2 || now.Sub(w.watched) < watchLasts {
		w.cache = w.cgroup.cache()
	}
	used = max(0, used-w.cache)
	w.near = limit > 0 && used > limit/4*3
	w.trail[w.points%trailPoints] = point{now.UnixMilli(), used}
	w.points++

	// The count first: whoever is counted now has his record now or later.
	kills := w.cgroup.oomKills()
	for n := max(w.counted, kills-maxOwed) + 1; n <= kills; n++ {
		w.owed = append(w.owed, owed{n, limit, now, kills == w.counted+1})
	}
	w.counted = kills
	if still {
		return true
	}
	w.suspect(now)
	w.settle(now)
	if limit > 0 && used > limit/2 && now.Sub(w.weighed) >= watchedPeriod {
		w.weighed = now
		w.scale.weigh(now)
	}
	return false
}

// suspect takes in who was ended by SIGKILL since the last look.
func (w *wall) suspect(now time.Time) {
	kept := w.suspects[:0]
	for _, s := range w.suspects {
		if now.Sub(s.at) <= suspectLasts {
			kept = append(kept, s)
		}
	}
	w.suspects = kept
	if w.account == nil {
		return
	}
	w.record = w.account.after(w.record, func(e *endedProcess) {
		if e.signal != int(unix.SIGKILL) || len(w.suspects) >= maxSuspects {
			return
		}
		s := suspect{pid: int(e.pid), command: e.command, at: now}
		if was, ok := w.scale.of(s.pid, now); ok {
			s.rss, s.adj = was.rss, was.adj
		} else {
			// Each page costs a fault when it is touched first; what a child is given
			// to begin with are its parent's own scores.
			s.rss = e.minFlt * pageSize
			s.adj = w.adjOf(int(e.ppid), int(e.uid))
		}
		w.suspects = append(w.suspects, s)
	})
}

// adjOf is the oom_score_adj of a process, or, when that is gone, what the
// processes of that user begin with.
func (w *wall) adjOf(pid, uid int) int64 {
	var buf [16]byte
	if pid > 1 { // what the guest starts doesn't inherit its score
		if p := readInto(buf[:], filepath.Join("/proc", strconv.Itoa(pid), "oom_score_adj")); len(p) > 0 {
			n, _ := strconv.ParseInt(string(bytes.TrimSpace(p)), 10, 64)
			return n
		}
	}
	if uid == w.learner {
		return learnerOOMScore
	}
	return 0
}

// settle finds the victims of the kills that are owed, the oldest first.
func (w *wall) settle(now time.Time) {
	for len(w.owed) > 0 {
		o := w.owed[0]
		if w.account == nil {
			w.guess(now)
		}
		i := w.likeliest(len(w.owed), o.limit)
		if i < 0 && now.Sub(o.at) < victimTime {
			return
		}
		k := link.OOM{Count: o.count, At: o.at, Limit: o.limit}
		if i >= 0 {
			s := w.suspects[i]
			if o.alone && o.limit > 0 {
				// The limit was reached, and what is not there any more was the victim's.
				s.rss = max(s.rss, o.limit-max(0, w.cgroup.memUsed.number()-w.cgroup.cache()))
			}
			k.PID, k.Command = s.pid, s.command
			k.RSS = s.rss
			if o.limit > 0 {
				k.RSS = min(s.rss, o.limit)
			}
			k.Score, k.Adj = score(k.RSS, s.adj, o.limit), s.adj
			w.suspects = append(w.suspects[:i], w.suspects[i+1:]...)
		}
		w.owed = append(w.owed[:0], w.owed[1:]...)
		w.kills = append(w.kills[max(0, len(w.kills)+1-keptKills):], k)
		w.untold = append(w.untold[max(0, len(w.untold)+1-maxOwed):], k)
	}
}

// guess suspects, where the kernel keeps no record, the heaviest process that is gone.
func (w *wall) guess(now time.Time) {
	if len(w.suspects) > 0 {
		return
	}
	var heaviest *weight
	for i := range w.scale.kept {
		v := &w.scale.kept[i]
		if v.pid > 0 && now.Sub(v.at) <= weightLasts && (heaviest == nil || v.rss > heaviest.rss) && isZombie(v.pid) {
			heaviest = v
		}
	}
	if heaviest != nil {
		w.suspects = append(w.suspects, suspect{pid: heaviest.pid, rss: heaviest.rss, adj: heaviest.adj, at: now})
		*heaviest = weight{}
	}
}

// likeliest is the first suspect among the n with the highest scores: the learner
// sends SIGKILL too, and hardly to a heavier one at that moment. -1 without any.
func (w *wall) likeliest(n int, limit int64) int {
	for i, s := range w.suspects {
		higher := 0
		for _, other := range w.suspects {
			if score(other.rss, other.adj, limit) > score(s.rss, s.adj, limit) {
				higher++
			}
		}
		if higher < n {
			return i
		}
	}
	return -1
}

// score is what the kernel compares inside one limit, in thousandths of it,
// oom_badness() in mm/oom_kill.c. It isn't /proc/PID/oom_score, which weighs a
// process against the memory of the whole machine.
func score(rss, adj, limit int64) int64 {
	if limit <= 0 {
		return adj
	}
	return max(0, rss*1000/limit+adj)
}

// tell hands every kill that was not told yet to send, the oldest first.
func (w *wall) tell(send func(link.OOM)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.untold {
		send(k)
	}
	w.untold = w.untold[:0]
}

// show fills in what a sample tells, and looks more often from now on.
func (w *wall) show(s *sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched = s.At
	s.Kills = append([]link.OOM{}, w.kills...)
	s.Trail = [][2]int64{}
	for n := max(0, w.points-trailPoints); n < w.points; n++ {
		if p := w.trail[n%trailPoints]; p.at >= s.At.Add(-trailLasts).UnixMilli() {
			s.Trail = append(s.Trail, [2]int64{p.at, p.used})
		}
	}
}

// forget drops what is kept, after a reset. The cgroup goes on counting.
func (w *wall) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kills, w.untold, w.suspects, w.points = nil, nil, nil, 0
}

// newest is the number of the newest record.
func (a *account) newest() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seq
}

// after shows f the records behind number seq that are kept, oldest first, and
// returns the number of the newest. f must not call a.
func (a *account) after(seq int64, f func(*endedProcess)) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.collect()
	first := len(a.kept)
	for first > 0 && a.kept[first-1].seq > seq {
		first--
	}
	for i := range a.kept[first:] {
		f(&a.kept[first+i])
	}
	return a.seq
}
