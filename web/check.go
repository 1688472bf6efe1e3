package web

import (
	"context"
	"net/http"
	"time"
	"unicode/utf8"

	"sysnerd/labs"
	"sysnerd/sandbox"
)

// maxAnswer is how long an answer may be, as in the sandbox.
const maxAnswer = 4096

// turn is one run of a task's check, which all who asked before it began share.
type turn struct {
	done   chan struct{}
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

// results answers with the check of the task named, or of all.
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

// check runs the check of a task, or waits for the turn that begins next: one
// that runs already may have missed what the caller has just done.
func (e *session) check(ctx context.Context, lab *labs.Lab, task *labs.Task) (labs.Result, error) {
	e.mu.Lock()
	if e.over {
		e.mu.Unlock()
		return labs.Result{}, e.why()
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
	e.mu.Unlock()
	select {
	case <-t.done:
		return t.result, t.err
	case <-ctx.Done():
		return labs.Result{}, ctx.Err()
	}
}

// take takes turns until nobody waits for one.
func (e *session) take(lab *labs.Lab, task *labs.Task, t *turn) {
	defer e.work.Done()
	for t != nil {
		t.result, t.err = e.lookAt(lab, task)
		close(t.done)
		e.mu.Lock()
		next := t.next
		if next == nil {
			delete(e.checks, task.ID)
		} else {
			e.checks[task.ID] = next
		}
		e.mu.Unlock()
		t = next
	}
}

// lookAt checks once, writes the result down, and tells it.
func (e *session) lookAt(lab *labs.Lab, task *labs.Task) (labs.Result, error) {
	// An answer that was given in the terminal before now counts.
	settled := make(chan struct{})
	select {
	case e.settle <- settled:
		<-settled
	case <-e.ctx.Done():
		return labs.Result{}, e.why()
	}
	attempt, err := e.s.attempt(e.ctx, e.box)
	if err != nil {
		return labs.Result{}, e.fault(err)
	}
	answers, err := e.s.Store.Answers(e.ctx, e.box.ID())
	if err != nil {
		return labs.Result{}, e.fault(err)
	}
	disturbed := e.box.Disturbed()
	result := task.Check(e.ctx, e.box, labs.Attempt{Seed: attempt.Seed, Answers: answers})
	switch {
	case e.ctx.Err() != nil:
		return labs.Result{}, e.why() // cut short: it says nothing
	case result.Status == labs.Broken && (e.box.State() != sandbox.Live || e.box.Disturbed() != disturbed):
		return labs.Result{}, problemInterrupted
	}
	e.s.metrics.checked(lab, task, result)
	if err := e.save(lab, result); err != nil {
		return labs.Result{}, e.fault(problemNotSaved.because(err))
	}
	e.listeners.tell("result", result)
	return result, nil
}

// save returns once the result is on disk. Most commands change nothing for most
// tasks: what says the same as before is there already. Only the task's own turn
// comes here, so no two of a task meet.
func (e *session) save(lab *labs.Lab, result labs.Result) error {
	same := result
	same.Ms = 0
	e.mu.Lock()
	known := e.saved[result.Task] == same
	e.mu.Unlock()
	if known {
		return nil
	}
	if err := e.s.Store.SaveResult(e.ctx, e.box.Owner(), lab.Module, lab.ID, result); err != nil {
		return err
	}
	e.mu.Lock()
	e.saved[result.Task] = same
	e.mu.Unlock()
	return nil
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

// autoCheck looks at every open task, and at those that must be true at the
// moment. The channel is closed when it has.
func (e *session) autoCheck() chan struct{} {
	done := make(chan struct{})
	e.work.Add(1)
	go func() {
		defer e.work.Done()
		defer close(done)
		if err := e.checkOpen(); err != nil && e.ctx.Err() == nil {
			e.s.Log.Error("check by itself", "sandbox", e.box.ID(), "error", err)
		}
	}()
	return done
}

func (e *session) checkOpen() error {
	lab, err := e.lab()
	if err != nil || e.box.State() != sandbox.Live {
		return err
	}
	progress, err := e.s.Store.Progress(e.ctx, e.box.Owner(), lab.Module, lab.ID)
	if err != nil {
		return err
	}
	now := map[string]bool{} // passed in this round
	passed := func(id string) bool { return now[id] || !progress[id].Passed.IsZero() }
	for _, task := range lab.Tasks {
		if !unlocked(task, passed) || passed(task.ID) && task.Mode != "while" {
			continue
		}
		ctx, cancel := context.WithTimeout(e.ctx, 2*time.Minute)
		result, err := e.check(ctx, lab, task)
		cancel()
		if err != nil {
			return err
		}
		now[task.ID] = result.Status == labs.Pass
	}
	return nil
}
