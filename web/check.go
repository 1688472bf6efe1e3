package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"unicode/utf8"

	"sysnerd/labs"
	"sysnerd/labs/classroom"
	"sysnerd/sandbox"
)

const (
	maxAnswer = 4096 // bytes of an answer, as in the sandbox
	maxLooks  = 4    // checks of one sandbox at once, each of another task
)

// turn is one run of a task's check, which all who asked before it began share.
type turn struct {
	done   chan struct{}
	asked  bool // by the learner; under the session's mu
	result labs.Result
	err    error
	next   *turn // for those who asked while this one ran; nil when nobody did
}

// check looks at one task, or at all.
func (s *Server) check(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Task string `json:"task"`
	}
	if r.ContentLength != 0 {
		if err := decode(w, r, &body); err != nil {
			return err
		}
	}
	return s.results(w, r, body.Task)
}

// answer keeps a value, and looks at its task.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Task  string `json:"task"`
		Value string `json:"value"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	e, lab, err := s.checking(r)
	if err != nil {
		return err
	}
	task, err := taskIn(lab, body.Task)
	switch {
	case err != nil:
		return err
	case !task.Answer:
		return newProblem(http.StatusConflict, "no-answer", "Nothing to answer", "This task asks for no answer.", "Do the task, then check it.")
	case len(body.Value) > maxAnswer || !utf8.ValidString(body.Value):
		return problemRequest("The answer is longer than 4,096 bytes.", "Send the value alone.")
	}
	if err := s.Store.SaveAnswer(r.Context(), e.box.ID(), task.ID, body.Value); err != nil {
		return problemNotSaved.because(err)
	}
	return s.results(w, r, task.ID)
}

func (s *Server) checking(r *http.Request) (*session, *labs.Lab, error) {
	e := s.session(callerOf(r).sandbox)
	if e == nil {
		return nil, nil, problemClosing
	}
	lab, err := e.lab()
	return e, lab, err
}

// results answers with the check of the task named, or of all. The learner asked:
// what he reads then counts, even when the check saw no attempt.
func (s *Server) results(w http.ResponseWriter, r *http.Request, name string) error {
	e, lab, err := s.checking(r)
	if err != nil {
		return err
	}
	tasks := lab.Tasks
	if name != "" {
		task, err := taskIn(lab, name)
		if err != nil {
			return err
		}
		tasks = []*labs.Task{task}
	}
	results := []labs.Result{}
	for _, task := range tasks {
		result, err := e.check(r.Context(), lab, task)
		if err != nil {
			return err
		}
		results = append(results, result)
	}
	return reply(w, http.StatusOK, map[string]any{"results": results})
}

// check has a task checked because the learner asked, and waits for what is found.
func (e *session) check(ctx context.Context, lab *labs.Lab, task *labs.Task) (labs.Result, error) {
	t := e.ask(lab, task, true)
	if t == nil {
		return labs.Result{}, e.why()
	}
	select {
	case <-t.done:
		return t.result, t.err
	case <-ctx.Done():
		return labs.Result{}, ctx.Err()
	}
}

// ask has a task checked in the turn that begins next: one that runs already may
// have missed what has just been done. It is nil once the session is over.
func (e *session) ask(lab *labs.Lab, task *labs.Task, byLearner bool) *turn {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return nil
	}
	t := e.checks[task.ID]
	switch {
	case t == nil:
		t = &turn{done: make(chan struct{})}
		e.checks[task.ID] = t
		e.work.Add(1)
		go e.take(lab, task, t)
	case t.next == nil:
		t.next = &turn{done: make(chan struct{})}
		t = t.next
	default:
		t = t.next
	}
	t.asked = t.asked || byLearner
	e.fresh = e.fresh && !byLearner // an answer may have come with it
	return t
}

// take takes turns until nobody waits for one.
func (e *session) take(lab *labs.Lab, task *labs.Task, t *turn) {
	defer e.work.Done()
	for t != nil {
		t.result, t.err = e.lookAt(lab, task, t)
		close(t.done)
		e.mu.Lock()
		next, asked := t.next, t.asked
		if next == nil {
			delete(e.checks, task.ID)
		} else {
			e.checks[task.ID] = next
		}
		e.mu.Unlock()
		if t.err != nil && !asked && e.ctx.Err() == nil && !errors.Is(t.err, problemInterrupted) {
			e.s.Log.Error("check by itself", "sandbox", e.box.ID(), "task", task.ID, "error", t.err)
		}
		t = next
	}
}

// lookAt checks once, writes the result down, and tells it.
func (e *session) lookAt(lab *labs.Lab, task *labs.Task, t *turn) (labs.Result, error) {
	select {
	case e.looks <- struct{}{}:
		defer func() { <-e.looks }()
	case <-e.ctx.Done():
		return labs.Result{}, e.why()
	}
	// An answer that was given in the terminal before now counts.
	settled := make(chan struct{})
	select {
	case e.settle <- settled:
		<-settled
	case <-e.ctx.Done():
		return labs.Result{}, e.why()
	}
	before := e.present()
	if before.resetting {
		return labs.Result{}, problemInterrupted
	}
	attempt, err := e.s.attempt(e.ctx, e.box)
	if err != nil {
		return labs.Result{}, e.fault(err)
	}
	answers, err := e.s.Store.Answers(e.ctx, e.box.ID())
	if err != nil {
		return labs.Result{}, e.fault(err)
	}
	result := task.Check(e.ctx, e.box, labs.Attempt{Seed: attempt.Seed, Answers: answers})
	if e.ctx.Err() != nil {
		return labs.Result{}, e.why() // cut short: it says nothing
	}
	// A sandbox that was being reset, was lost or mended meanwhile was not one state
	// of one sandbox: what was seen in it is neither a pass nor a failure nor a fault.
	lost := result.Status == labs.Broken && e.box.State() != sandbox.Live
	if result.Status == labs.Interrupted || lost || e.present() != before {
		result.Status = labs.Interrupted
		e.s.metrics.checked(lab, task, result)
		return labs.Result{}, problemInterrupted
	}
	e.s.metrics.checked(lab, task, result)
	if result.Status == labs.Broken {
		e.s.Log.Error("check broke", "lab", e.box.Lab(), "task", task.ID, "sandbox", e.box.ID(), "reference", result.Reference, "fault", result.Fault)
	}
	if result.Status != labs.Pass {
		result.Outcome = "" // it is told with the pass
	}
	e.mu.Lock()
	asked := t.asked
	e.mu.Unlock()
	first, err := e.save(lab, task, result, asked)
	if err != nil {
		return labs.Result{}, e.fault(problemNotSaved.because(err))
	}
	e.listeners.tell("result", result)
	if first && e.listeners.any() {
		// What waited for this pass may be done already.
		if err := e.checkOpen(func(t *labs.Task, _ bool) bool { return slices.Contains(t.Needs, task.ID) }); err != nil {
			return labs.Result{}, e.fault(err)
		}
	}
	return result, nil
}

// present tells one undisturbed time of a sandbox from another.
type present struct {
	resetting  bool
	resets     int
	generation int
	disturbed  int64
}

func (e *session) present() present {
	e.mu.Lock()
	defer e.mu.Unlock()
	return present{e.resetting > 0, e.resets, e.box.Generation(), e.box.Disturbed()}
}

// reset brackets a reset of the sandbox: what is seen between says nothing.
func (e *session) reset() (done func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.resetting++
	e.resets++
	return func() {
		e.mu.Lock()
		e.resetting--
		e.mu.Unlock()
		e.lookAgain()
	}
}

// save returns once the result is on disk, as far as it says something new (most
// commands change nothing for most tasks), and whether it was the first pass. Only the task's own turn comes here, so
// no two of a task meet.
func (e *session) save(lab *labs.Lab, task *labs.Task, result labs.Result, asked bool) (first bool, err error) {
	same := result
	same.Ms = 0
	e.mu.Lock()
	known := e.saved[result.Task] == same
	e.mu.Unlock()
	if known && !asked {
		return false, nil
	}
	look := classroom.Look{
		Learner: e.box.Owner(), Module: lab.Module, Lab: lab.ID, Result: result,
		Asked: asked, While: task.Mode == labs.While,
	}
	if first, err = e.s.Store.SaveResult(e.ctx, look); err != nil {
		return false, err
	}
	e.mu.Lock()
	e.saved[result.Task] = same
	e.mu.Unlock()
	return first, nil
}

// fault is err, unless the session's own end is why.
func (e *session) fault(err error) error {
	if e.ctx.Err() != nil {
		return e.why()
	}
	return err
}

// why says what ended the session.
func (e *session) why() error {
	select {
	case <-e.box.Done():
		return problemEnded
	default:
		return problemClosing
	}
}

// autoCheck has every open task checked, and those that must be true at the
// moment. It waits for none: one that takes long holds up no other. In a fresh
// sandbox nothing is done yet, so only what was passed in an earlier one is looked at:
// thirty people who come in one minute are not made to wait for their own checks.
func (e *session) autoCheck(fresh bool) {
	e.work.Add(1)
	go func() {
		defer e.work.Done()
		if err := e.checkOpen(func(_ *labs.Task, passed bool) bool { return passed || !fresh }); err != nil && e.ctx.Err() == nil {
			e.s.Log.Error("check by itself", "sandbox", e.box.ID(), "error", err)
		}
	}()
}

// checkOpen asks for those of the open tasks that are meant.
func (e *session) checkOpen(meant func(t *labs.Task, passed bool) bool) error {
	lab, err := e.lab()
	if err != nil || e.box.State() != sandbox.Live {
		return err
	}
	progress, err := e.s.Store.Progress(e.ctx, e.box.Owner(), lab.Module, lab.ID)
	if err != nil {
		return err
	}
	passed := func(id string) bool { return !progress[id].Passed.IsZero() }
	for _, task := range lab.Tasks {
		if meant(task, passed(task.ID)) && unlocked(task, passed) && (!passed(task.ID) || task.Mode == labs.While) {
			e.ask(lab, task, false)
		}
	}
	return nil
}

// lookAgain has a round of checks begin without a command.
func (e *session) lookAgain() {
	select {
	case e.again <- struct{}{}:
	default: // one is due already
	}
}
