package enginetest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sysnerd/sandbox"
)

// grow keeps what has no newline, up to 500 MB where nobody ends it before. It alone
// asks for memory: whoever does so too while it is ending, as the writer of a pipe, may
// make the kernel choose somebody else as well.
const grow = "(ulimit -v 500000; exec tail /dev/zero >/dev/null)"

// limits are what a learner can take, and what others then still have.
var limits = []test{
	{name: "limit-memory", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		s, err := box.Sample(b.ctx)
		if want := sandbox.DefaultLimits().Memory; err == nil && s.Memory.Limit != want {
			err = fmt.Errorf("memory limit as seen inside = %d, want %d", s.Memory.Limit, want)
		}
		return err
	}},
	{name: "limit-memory-live-seen-inside", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		for _, memory := range []int64{320 << 20, 128 << 20} {
			l := sandbox.DefaultLimits()
			l.Memory = memory
			if err := b.engine.Update(b.ctx, box.ID(), l); err != nil {
				return err
			}
			s, err := box.Sample(b.ctx)
			if err != nil || s.Memory.Limit != memory {
				return fmt.Errorf("memory limit as seen inside = %d, %v; want %d", s.Memory.Limit, err, memory)
			}
		}
		return nil
	}},
	// The host has one stock of ptys for everybody; the guest alone may take of it.
	{name: "ptys-are-the-guests", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		out, err := b.asLearner(box, "exec 3<>/dev/ptmx && echo opened || echo refused")
		if err == nil && strings.TrimSpace(out) != "refused" {
			err = fmt.Errorf("the learner opens /dev/ptmx: %q", out)
		}
		return err
	}},
	{name: "limit-below-use", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		if _, err := b.asLearner(box, "head -c 30M /dev/zero >~/big; head -c 30M /dev/zero >/tmp/big"); err != nil {
			return err
		}
		l := sandbox.DefaultLimits()
		l.Memory = 40 << 20
		if err := b.engine.Update(b.ctx, box.ID(), l); !errors.Is(err, sandbox.ErrLimitBelowUse) {
			return fmt.Errorf("update to 40 MiB with 60 MiB in use = %v, want ErrLimitBelowUse", err)
		}
		s, err := box.Sample(b.ctx)
		if want := sandbox.DefaultLimits().Memory; err == nil && s.Memory.Limit != want {
			err = fmt.Errorf("the refused limit left %d, want %d", s.Memory.Limit, want)
		}
		return err
	}},
	{name: "oom-child", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		out, err := b.asLearner(box, grow+"; echo $?")
		if err == nil && strings.TrimSpace(out) != "137" {
			err = fmt.Errorf("tail, which grows, ended with %q, want 137", out)
		}
		if err == nil {
			_, err = b.asRoot(box, "true")
		}
		return err
	}},
	{name: "oom-count", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		before, err := box.Sample(b.ctx)
		if err != nil {
			return err
		}
		if _, err := b.asLearner(box, grow+"; :"); err != nil {
			return err
		}
		after, err := box.Sample(b.ctx)
		if err == nil && (before.Memory.OOMKills != 0 || after.Memory.OOMKills == 0) {
			err = fmt.Errorf("kills counted: %d, then %d; want 0, then more", before.Memory.OOMKills, after.Memory.OOMKills)
		}
		return err
	}},
	{name: "oom-victim", needs: "oom-child", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		events, cancel := box.Subscribe()
		defer cancel()
		out, err := b.asLearner(box, grow+" & echo $!; wait; :")
		if err != nil {
			return err
		}
		k, err := b.kill(events)
		if err != nil {
			return err
		}
		limit := sandbox.DefaultLimits().Memory
		if strconv.Itoa(k.PID) != strings.TrimSpace(out) || k.Command != "tail" || k.Count != 1 || k.Limit != limit {
			return fmt.Errorf("told of %+v, want tail, PID %s, the first, at the limit of %d", k, strings.TrimSpace(out), limit)
		}
		// Nothing else takes a tenth of the memory, so the victim had nearly all.
		if k.RSS < limit/10*8 || k.RSS > limit || k.Score < 800+k.Adj || k.Score > 1000+k.Adj {
			return fmt.Errorf("the victim held %d of %d, score %d with %d of it adjusted; want nearly all", k.RSS, limit, k.Score, k.Adj)
		}
		return nil
	}},
	{name: "oom-twenty", needs: "oom-child", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		s, err := b.screen(box)
		if err != nil {
			return err
		}
		events, cancel := box.Subscribe()
		defer cancel()
		if err := s.view.Write(b.ctx, []byte("shell=$$; for i in {1..20}; do "+grow+"; done; [ $shell = $$ ] && echo all''over\n")); err != nil {
			return err
		}
		seen := map[int]bool{}
		for n := int64(1); n <= 20; n++ {
			k, err := b.kill(events)
			if err != nil {
				return fmt.Errorf("after %d kills: %w", n-1, err)
			}
			if k.Count != n || k.Command != "tail" || k.PID == 0 || seen[k.PID] {
				return fmt.Errorf("kill %d is told as %+v; the victims before: %v", n, k, seen)
			}
			seen[k.PID] = true
		}
		if err := s.wait(b.ctx, "allover"); err != nil {
			return err
		}
		sample, err := box.Sample(b.ctx)
		if err == nil && sample.Memory.OOMKills != 20 {
			err = fmt.Errorf("the cgroup counts %d kills, want 20", sample.Memory.OOMKills)
		}
		return err
	}},
	{name: "oom-apart", needs: "oom-child", body: func(b *bench) error {
		greedy, err := b.start()
		if err != nil {
			return err
		}
		other, err := b.start()
		if err != nil {
			return err
		}
		s, err := b.screen(other)
		if err != nil {
			return err
		}
		if err := s.view.Write(b.ctx, []byte("head -c 100M /dev/zero | tail >/dev/null & echo be''fore\n")); err != nil {
			return err
		}
		if err := s.wait(b.ctx, "before"); err != nil {
			return err
		}
		s.seen.Reset()
		if _, err := b.asLearner(greedy, "for i in 1 2 3; do "+grow+"; done; :"); err != nil {
			return err
		}
		if err := s.view.Write(b.ctx, []byte("echo be''hind\n")); err != nil {
			return err
		}
		if err := s.wait(b.ctx, "behind"); err != nil {
			return err
		}
		killed, err := greedy.Sample(b.ctx)
		if err != nil {
			return err
		}
		spared, err := other.Sample(b.ctx)
		if err == nil && (killed.Memory.OOMKills != 3 || spared.Memory.OOMKills != 0 || len(spared.Kills) != 0) {
			err = fmt.Errorf("kills counted: %d beside %d; want 3 beside none", killed.Memory.OOMKills, spared.Memory.OOMKills)
		}
		return err
	}},
	{name: "limit-cpu", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		out, err := b.asRoot(box, `cd /sys/fs/cgroup; cat cpu.max 2>/dev/null || cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us`)
		if err != nil {
			return err
		}
		f := strings.Fields(out)
		quota, _ := strconv.ParseFloat(f[0], 64)
		period, _ := strconv.ParseFloat(f[1], 64)
		if cpus := quota / period; cpus != sandbox.DefaultLimits().CPUs {
			return fmt.Errorf("CPUs as seen inside = %v, want %v", cpus, sandbox.DefaultLimits().CPUs)
		}
		return nil
	}},
	{name: "limit-pids", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		s, err := box.Sample(b.ctx)
		if want := sandbox.DefaultLimits().Processes; err == nil && s.Pids.Limit != want {
			err = fmt.Errorf("process slots as seen inside = %d, want %d", s.Pids.Limit, want)
		}
		return err
	}},
	{name: "nproc", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		out, err := b.escape(box, true, "forks")
		if err != nil {
			return err
		}
		forks, _ := strconv.Atoi(out["forks"])
		if limit := sandbox.DefaultLimits().LearnerProcesses; forks < limit/2 || forks >= limit {
			return fmt.Errorf("the learner could fork %d times, want nearly %d", forks, limit)
		}
		return nil
	}},
	{name: "check-under-fork-bomb", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		if err := b.bomb(box); err != nil {
			return err
		}
		if _, err := b.asRoot(box, "ls / | wc -l"); err != nil {
			return fmt.Errorf("check beside a fork bomb: %w", err)
		}
		if err := box.Rescue(b.ctx); err != nil {
			return err
		}
		_, err = b.asLearner(box, "ls / | wc -l")
		return err
	}},
	{name: "budgets-apart", body: func(b *bench) error {
		greedy, err := b.start()
		if err != nil {
			return err
		}
		other, err := b.start()
		if err != nil {
			return err
		}
		// All processes and inotify instances that one uid may have.
		s, err := b.screen(greedy)
		if err != nil {
			return err
		}
		if err := b.build(greedy); err != nil {
			return err
		}
		s.seen.Reset()
		if err := s.view.Write(b.ctx, []byte(probe+" hold\n")); err != nil {
			return err
		}
		if err := s.wait(b.ctx, "held"); err != nil {
			return err
		}
		out, err := b.escape(other, true, "inotify", "forks")
		if err != nil {
			return err
		}
		if forks, _ := strconv.Atoi(out["forks"]); forks < 64 || out["inotify"] != "open" {
			return fmt.Errorf("beside a greedy sandbox another one has %v, want its own budgets", out)
		}
		return nil
	}},
}

// kill waits for the next kill that is told of.
func (b *bench) kill(events <-chan sandbox.Event) (sandbox.OOM, error) {
	for {
		select {
		case e, ok := <-events:
			if !ok {
				return sandbox.OOM{}, errors.New("the sandbox has ended")
			}
			if e.OOM != nil {
				return *e.OOM, nil
			}
		case <-b.ctx.Done():
			return sandbox.OOM{}, fmt.Errorf("no kill is told of: %w", b.ctx.Err())
		}
	}
}

// bomb sets off a fork bomb in the terminal and waits until it has all slots.
func (b *bench) bomb(box *sandbox.Sandbox) error {
	s, err := b.screen(box)
	if err != nil {
		return err
	}
	if err := s.view.Write(b.ctx, []byte(":(){ :|:& };:\n")); err != nil {
		return err
	}
	for {
		sample, err := box.Sample(b.ctx)
		if err != nil {
			return err
		}
		if sample.Pids.Learner >= sandbox.DefaultLimits().LearnerProcesses-8 {
			return nil
		}
		if err := b.pause(); err != nil {
			return fmt.Errorf("fork bomb has only %d processes: %w", sample.Pids.Learner, err)
		}
	}
}
