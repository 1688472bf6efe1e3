package labtest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"sysnerd/labs"
	"sysnerd/sandbox"
)

// Config says what is proved, and where.
type Config struct {
	Picked   []Picked
	Repeat   int // how often each task is proved, at least 1
	Parallel int // sandboxes at a time, at least 1
	Engine   sandbox.Engine
	Instance string // what of it is there already is removed first
	Image    string
	Seed     string // of every sandbox; "" gives each its own, as learners have
	Log      *slog.Logger
	// Saw is told of every step, and Ended of every task, as they end. Neither is
	// called by two goroutines at once.
	Saw   func(Progress)
	Ended func(*Task)
}

// Progress tells how far a run is.
type Progress struct {
	Task         *Task // that a step of has ended
	Step         labs.Step
	Ended, Tasks int // tasks
}

// sandboxLife is how long a sandbox may be used; a run that takes longer has a fault.
const sandboxLife = 6 * time.Hour

// cleanTime is for removing what is left after a run was stopped.
const cleanTime = 30 * time.Second

// Run proves tasks until all are, or the context ends; the report tells of those that
// ended. Errors: those of the engine.
func Run(ctx context.Context, cfg Config) (report *Report, err error) {
	begun := time.Now()
	report = &Report{}
	tests := cfg.tasks()
	workers := min(cfg.Parallel, len(tests))
	keeper := sandbox.NewKeeper(sandbox.KeeperConfig{
		Engine: cfg.Engine, Instance: cfg.Instance, Image: cfg.Image, Capacity: max(1, workers),
		Lifetime: sandboxLife, MaxLife: sandboxLife, Log: cfg.Log,
	})
	defer func() {
		err = errors.Join(err, keeper.Close(context.WithoutCancel(ctx)), cfg.clean(ctx))
	}()
	// What a run left that was killed. No sandbox is known, so none is taken over.
	if _, err := keeper.Recover(ctx, nil); err != nil {
		return nil, err
	}

	r := &run{Config: cfg, keeper: keeper, waiting: tests, report: report, tasks: len(tests)}
	var working sync.WaitGroup
	for n := range workers {
		working.Go(func() { r.work(ctx, n) })
	}
	working.Wait()
	slices.SortStableFunc(report.Tasks, func(a, b *Task) int { return a.order - b.order })
	report.Took, report.Untried = time.Since(begun), len(r.waiting)+r.stopped
	return report, nil
}

// clean removes every sandbox of the instance, stopped or not.
func (cfg Config) clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime)
	defer cancel()
	left, err := cfg.Engine.List(ctx)
	if err != nil {
		return fmt.Errorf("look for what is left: %w", err)
	}
	for _, l := range left {
		err = errors.Join(err, cfg.Engine.Remove(ctx, l.ID))
	}
	return err
}

// tasks lists what is to be done, all of it once before any of it twice.
func (cfg Config) tasks() (all []*Task) {
	for repetition := range cfg.Repeat {
		for _, p := range cfg.Picked {
			for _, t := range p.Tasks {
				all = append(all, &Task{
					Module: p.Lab.Module, Lab: p.Lab.ID, Task: t.ID, Title: t.Title, Repetition: repetition + 1,
					lab: p.Lab, task: t, order: len(all),
				})
			}
		}
	}
	return all
}

// run is a Run under way.
type run struct {
	Config
	keeper *sandbox.Keeper
	tasks  int

	mu      sync.Mutex
	waiting []*Task
	stopped int // tasks that were begun and did not end
	report  *Report
}

// next takes a task, of that lab if one waits: then the sandbox can stay.
func (r *run) next(lab *labs.Lab) *Task {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		return nil
	}
	i := max(0, slices.IndexFunc(r.waiting, func(t *Task) bool { return t.lab == lab }))
	t := r.waiting[i]
	r.waiting = slices.Delete(r.waiting, i, i+1)
	return t
}

// work proves one task after the other.
func (r *run) work(ctx context.Context, worker int) {
	var p *place
	var lab *labs.Lab
	for ctx.Err() == nil {
		t := r.next(lab)
		if t == nil {
			break
		}
		if p != nil && t.lab != lab {
			p.leave(ctx)
			p = nil
		}
		lab = t.lab
		begun := time.Now()
		var err error
		if p == nil {
			p, err = r.enter(ctx, worker, t.lab)
		}
		if err == nil {
			err = p.stage.Try(ctx, t.task, func(s labs.Step) { r.saw(t, s) })
		}
		t.Took = time.Since(begun)
		r.ended(ctx, t, err)
		if err != nil && p != nil {
			p.leave(ctx)
			p = nil
		}
	}
	if p != nil {
		p.leave(ctx)
	}
}

func (r *run) saw(t *Task, s labs.Step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.Steps = append(t.Steps, s)
	if r.Saw != nil {
		r.Saw(Progress{Task: t, Step: s, Ended: len(r.report.Tasks), Tasks: r.tasks})
	}
}

func (r *run) ended(ctx context.Context, t *Task, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil && err != nil {
		r.stopped++
		return
	}
	if err != nil && len(t.Steps) == 0 {
		t.Steps = append(t.Steps, labs.Step{Name: "sandbox", Faults: []string{err.Error()}})
	}
	r.report.Tasks = append(r.report.Tasks, t)
	if r.Ended != nil {
		r.Ended(t)
	}
}

// place is a sandbox of one lab, and the stage in it.
type place struct {
	keeper *sandbox.Keeper
	box    *sandbox.Sandbox
	stage  *labs.Stage
}

// enter claims a sandbox.
func (r *run) enter(ctx context.Context, worker int, lab *labs.Lab) (*place, error) {
	seed := cmp.Or(r.Seed, newSeed())
	box, _, err := r.keeper.Claim(ctx, sandbox.Claim{
		Owner: fmt.Sprintf("worker %d", worker), Lab: lab.Module + "/" + lab.ID, Limits: lab.Limits, Lifetime: sandboxLife,
		Prepare: func(ctx context.Context, s *sandbox.Sandbox) error {
			return lab.Prepare(ctx, s, labs.Attempt{Seed: seed})
		},
	})
	if err != nil {
		return nil, fmt.Errorf("start a sandbox: %w", err)
	}
	stage := &labs.Stage{
		Box: box, Seed: seed,
		Reset:     func(ctx context.Context) error { return r.keeper.Reset(ctx, box.ID()) },
		SetMemory: func(ctx context.Context, bytes int64) error { return r.keeper.SetMemory(ctx, box.ID(), bytes) },
	}
	return &place{keeper: r.keeper, box: box, stage: stage}, nil
}

// leave removes the sandbox, also when the run was stopped. What it cannot remove is
// removed at the end of the run.
func (p *place) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime)
	defer cancel()
	_ = p.keeper.Remove(ctx, p.box.ID())
}

func newSeed() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}
