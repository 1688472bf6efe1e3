package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"sysnerd/labs"
)

// hintPause is how long the next hint stays shut unless there is a new try.
const hintPause = 45 * time.Second

// hintClock remembers when each learner opened his last hint of a task. A restart
// forgets it, which opens the next hint early and does no harm.
type hintClock struct {
	mu   *sync.Mutex // held while a hint is opened: two calls at once open one
	last map[string]hintOpened
}

type hintOpened struct {
	at    time.Time
	tries int // seen then
}

func newHintClock() hintClock {
	return hintClock{mu: new(sync.Mutex), last: map[string]hintOpened{}}
}

// findTask is the task that the request's path names.
func (s *Server) findTask(r *http.Request) (*labs.Lab, *labs.Task, error) {
	lab, err := s.findLab(r.PathValue("module"), r.PathValue("lab"))
	if err != nil {
		return nil, nil, err
	}
	task, err := taskIn(lab, r.PathValue("task"))
	return lab, task, err
}

func taskIn(lab *labs.Lab, id string) (*labs.Task, error) {
	if task, ok := lab.Task(id); ok {
		return task, nil
	}
	return nil, newProblem(http.StatusNotFound, "no-task", "No such task",
		fmt.Sprintf("Lab %q has no task %q.", lab.ID, shorten(id)), "GET the lab to see its tasks.")
}

// predict keeps the first guess and answers with it.
func (s *Server) predict(w http.ResponseWriter, r *http.Request) error {
	lab, task, err := s.findTask(r)
	if err != nil {
		return err
	}
	var body struct {
		Choice string `json:"choice"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	if task.Predict == nil {
		return newProblem(http.StatusConflict, "no-prediction", "Nothing to predict",
			"This task asks for no prediction.", "Do the task.")
	}
	if !slices.Contains(task.Predict.Options, body.Choice) {
		return problemRequest("The choice is none of the task's options.", "Send one of the options as it stands.")
	}
	who := callerOf(r).learner
	if err := s.Store.Predict(r.Context(), who, lab.Module, lab.ID, task.ID, body.Choice); err != nil {
		return problemNotSaved.because(err)
	}
	progress, err := s.Store.Progress(r.Context(), who, lab.Module, lab.ID)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]string{"prediction": progress[task.ID].Prediction})
}

func (s *Server) hint(w http.ResponseWriter, r *http.Request) error {
	lab, task, err := s.findTask(r)
	if err != nil {
		return err
	}
	n, err := s.openHint(r.Context(), callerOf(r).learner, lab, task)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"n": n, "hint_html": string(task.Hints[n-1])})
}

func (s *Server) openHint(ctx context.Context, who string, lab *labs.Lab, task *labs.Task) (n int, err error) {
	s.hints.mu.Lock()
	defer s.hints.mu.Unlock()
	progress, err := s.Store.Progress(ctx, who, lab.Module, lab.ID)
	if err != nil {
		return 0, err
	}
	now := progress[task.ID]
	if now.Hints >= len(task.Hints) {
		return 0, newProblem(http.StatusConflict, "no-more-hints", "No more hints",
			"All hints of this task are open.", "The solution can be shown; it is counted.")
	}
	key := who + " " + lab.Module + "/" + lab.ID + "/" + task.ID
	last, opened := s.hints.last[key]
	if wait := hintPause - time.Since(last.at); opened && wait > 0 && now.Tries == last.tries {
		return 0, newProblem(http.StatusConflict, "hint-later", "Not yet",
			fmt.Sprintf("The next hint opens after a new try, or in %s.", minutes(wait)), "Try what the last one says.").again(wait)
	}
	if n, err = s.Store.OpenHint(ctx, who, lab.Module, lab.ID, task.ID); err != nil {
		return 0, problemNotSaved.because(err)
	}
	for k, h := range s.hints.last {
		if time.Since(h.at) > hintPause {
			delete(s.hints.last, k)
		}
	}
	s.hints.last[key] = hintOpened{at: time.Now(), tries: now.Tries}
	return min(n, len(task.Hints)), nil
}

func (s *Server) solution(w http.ResponseWriter, r *http.Request) error {
	lab, task, err := s.findTask(r)
	if err != nil {
		return err
	}
	if err := s.Store.Reveal(r.Context(), callerOf(r).learner, lab.Module, lab.ID, task.ID); err != nil {
		return problemNotSaved.because(err)
	}
	return reply(w, http.StatusOK, map[string]string{"solution_html": string(task.Solution)})
}
