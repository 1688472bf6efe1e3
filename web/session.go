package web

import (
	"context"
	"strings"
	"sync"
	"time"

	"sysnerd/labs"
	"sysnerd/sandbox"
)

// checkPause is the least time between two automatic rounds of checks.
const checkPause = time.Second

// session is what the server does for one sandbox: it hears its events, checks,
// and tells all who listen. It lives as long as the sandbox.
type session struct {
	s   *Server
	box *sandbox.Sandbox
	ctx context.Context // ends with the session

	settle chan chan struct{} // asks run to take in all events that came; it closes what it gets

	listeners *audience // of events
	viewers   *audience // of samples

	again chan struct{} // asks run for a round of checks; room for one
	looks chan struct{} // room for maxLooks: who holds one checks a task

	mu        sync.Mutex
	checks    map[string]*turn       // task
	saved     map[string]labs.Result // task: what is on disk of this session's checks
	fresh     bool                   // nothing has happened in it since it was claimed
	resetting int                    // resets under way
	resets    int                    // resets begun
	looking   bool                   // look runs
	streams   int                    // streams and terminals that are open
	over      bool                   // nothing new may begin
	work      sync.WaitGroup         // checks, look
}

// session returns the session of a sandbox, begun now if there is none. It is
// nil once the server closes.
func (s *Server) session(box *sandbox.Sandbox) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.sessions[box.ID()]; e != nil || s.closed {
		return e
	}
	ctx, cancel := context.WithCancel(s.ctx)
	e := &session{
		s: s, box: box, ctx: ctx, settle: make(chan chan struct{}), listeners: newAudience(), viewers: newAudience(),
		again: make(chan struct{}, 1), looks: make(chan struct{}, maxLooks),
		checks: map[string]*turn{}, saved: map[string]labs.Result{},
	}
	select {
	case <-box.Done(): // looked at once more; nothing will ever happen in it
		cancel()
		e.over = true
		e.listeners.close()
		e.viewers.close()
		return e
	default:
	}
	s.sessions[box.ID()] = e
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		defer cancel()
		e.run(cancel)
	}()
	return e
}

// run hears events until the sandbox ends or the server closes.
func (e *session) run(cancel context.CancelFunc) {
	events, unsubscribe := e.box.Subscribe()
	defer unsubscribe()
	var (
		due     bool      // the learner did something that a check may see
		stirred bool      // something ended by itself that a check may see
		last    time.Time // when the last round began because of the learner
		newest  time.Time // when the last round began at all
		pause   = time.NewTimer(0)
	)
	defer pause.Stop()
	for open := true; open; {
		joined := false // somebody came who has not seen the present
		select {
		case event, ok := <-events:
			open = ok
			if ok {
				d, st := e.heard(event)
				due, stirred = due || d, stirred || st
			}
		case settled := <-e.settle:
			for len(events) > 0 {
				if event, ok := <-events; ok {
					d, st := e.heard(event)
					due, stirred = due || d, stirred || st
				}
			}
			close(settled)
		case <-e.box.Done():
			open = false
		case <-e.ctx.Done():
			open = false
		case <-e.listeners.joined:
			joined = true
		case <-e.again:
			due = true
		case <-pause.C:
		}
		if e.stale(due || stirred) {
			stirred = stirred || joined
		} else if joined {
			e.autoCheck(true)
		}
		if !open || !due && !stirred {
			continue
		}
		// What happened by itself waits its turn and makes no command wait.
		wait := checkPause - time.Since(newest)
		if due {
			wait = checkPause - time.Since(last)
		}
		if wait > 0 {
			pause.Reset(wait)
			continue
		}
		newest = time.Now()
		if due {
			last = newest
		}
		// What a command started in the background may begin behind its prompt only:
		// one more look follows.
		due, stirred = false, due
		if stirred {
			pause.Reset(checkPause)
		}
		if e.listeners.any() { // else no page is looking
			e.autoCheck(false)
		}
	}
	e.end(cancel)
}

// claimed notes that the sandbox was made just now.
func (e *session) claimed() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fresh = true
}

// stale says whether anything has happened since the sandbox was claimed, now or before.
func (e *session) stale(now bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fresh = e.fresh && !now
	return !e.fresh
}

// end tells that it is over, and waits for what runs.
func (e *session) end(cancel context.CancelFunc) {
	e.mu.Lock()
	e.over = true
	e.mu.Unlock()
	select {
	case <-e.box.Done():
		e.listeners.tell("state", map[string]any{"state": sandbox.Ended})
		if err := e.s.Store.EndAttempt(context.WithoutCancel(e.ctx), e.box.ID()); err != nil {
			e.s.Log.Error("end attempt", "error", err)
		}
	default: // the server closes; the sandbox lives on
	}
	e.listeners.close()
	e.viewers.close()
	cancel()
	e.work.Wait()
	e.s.mu.Lock()
	delete(e.s.sessions, e.box.ID())
	e.s.mu.Unlock()
}

// heard passes an event on, and says whether a check may now see something new:
// what the learner did (due), or what happened by itself (stirred).
func (e *session) heard(event sandbox.Event) (due, stirred bool) {
	tell := e.listeners.tell
	switch {
	case event.State != nil && *event.State != sandbox.Ended: // the end is told by end
		tell("state", map[string]any{"state": *event.State})
		stirred = *event.State == sandbox.Live // checks may have been interrupted
	case event.OOM != nil:
		e.s.metrics.oom.Inc()
		tell("oom", event.OOM)
		stirred = true
	case event.Notice != nil:
		tell("notice", map[string]any{"code": event.Notice.Code, "text": event.Notice.Text})
	case event.Limits != nil:
		tell("limits", limitsOf(*event.Limits))
		e.viewers.tell("limits", limitsOf(*event.Limits))
		stirred = true
	case event.Expires != nil:
		tell("time", timeLeft(*event.Expires))
	case event.Exits > 0:
		stirred = true
	case event.Command != nil:
		due = !event.Command.End.IsZero()
	case event.Answer != nil:
		e.answered(*event.Answer)
		due = true
	}
	return due, stirred
}

// answered keeps what `answer` submitted in the sandbox.
func (e *session) answered(a sandbox.Answer) {
	lab, err := e.lab()
	if err != nil {
		e.s.Log.Warn("answer without a lab", "sandbox", e.box.ID(), "error", err)
		return
	}
	task, ok := lab.Task(a.Task)
	if a.Task == "" {
		task, ok = e.asking(lab)
	}
	if !ok || !task.Answer {
		e.listeners.tell("notice", map[string]any{"code": "answer-unused", "text": "No task here waits for an answer."})
		return
	}
	if err := e.s.Store.SaveAnswer(e.ctx, e.box.ID(), task.ID, a.Value); err != nil {
		e.s.Log.Error("keep an answer", "sandbox", e.box.ID(), "error", err)
		e.listeners.tell("notice", map[string]any{"code": "not-saved", "text": problemNotSaved.Detail})
	}
}

// asking is the task that an answer without a name is for: the first that asks
// for one and is open, else the first open one again after it was passed.
func (e *session) asking(lab *labs.Lab) (*labs.Task, bool) {
	progress, err := e.s.Store.Progress(e.ctx, e.box.Owner(), lab.Module, lab.ID)
	if err != nil {
		e.s.Log.Error("look for the task of an answer", "sandbox", e.box.ID(), "error", err)
	}
	passed := func(id string) bool { return !progress[id].Passed.IsZero() }
	var again *labs.Task
	for _, t := range lab.Tasks {
		switch {
		case !t.Answer || !unlocked(t, passed):
		case !passed(t.ID):
			return t, true
		default:
			again = t
		}
	}
	return again, again != nil
}

func unlocked(t *labs.Task, passed func(id string) bool) bool {
	for _, need := range t.Needs {
		if !passed(need) {
			return false
		}
	}
	return true
}

// lab is the lab of this sandbox, as the content has it now.
func (e *session) lab() (*labs.Lab, error) {
	module, lab, _ := strings.Cut(e.box.Lab(), "/")
	return e.s.findLab(module, lab)
}
