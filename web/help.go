package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sysnerd/labs"
	"sysnerd/labs/classroom"
)

const (
	// hintPause is how long the next hint stays shut unless there is a new try.
	hintPause = 45 * time.Second
	// maxWhy is how long the learner's line on why it worked may be, in bytes.
	maxWhy = 1000
)

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

// predict keeps the first guess, if it comes before the pass, and answers with it.
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
	if progress[task.ID].Prediction == "" {
		return newProblem(http.StatusConflict, "too-late", "Too late to predict",
			"You have passed this task, so its outcome is known.", "Predict in the next one.")
	}
	return reply(w, http.StatusOK, map[string]string{"prediction": progress[task.ID].Prediction})
}

func (s *Server) hint(w http.ResponseWriter, r *http.Request) error {
	lab, task, err := s.findTask(r)
	if err != nil {
		return err
	}
	n, wait, err := s.Store.OpenHint(r.Context(), callerOf(r).learner, lab.Module, lab.ID, task.ID, len(task.Hints), hintPause)
	switch {
	case errors.Is(err, classroom.ErrNoHint):
		return newProblem(http.StatusConflict, "no-more-hints", "No more hints",
			"All hints of this task are open.", "The solution can be shown; it is counted.")
	case err != nil:
		return problemNotSaved.because(err)
	case wait > 0:
		return newProblem(http.StatusConflict, "hint-later", "Not yet",
			fmt.Sprintf("The next hint opens after a new try, or in %s.", minutes(wait)), "Try what the last one says.").again(wait)
	}
	return reply(w, http.StatusOK, map[string]any{
		"n": n, "hint_html": string(task.Hints[n-1]), "more": n < len(task.Hints), "next_in": int(hintPause.Seconds()),
	})
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

// problemNotPassed is for what is opened by the pass of a task.
func problemNotPassed(what string) *problem {
	return newProblem(http.StatusConflict, "not-passed", "Not passed yet", what, "Pass the task first.")
}

// why keeps the learner's own line, and answers with the author's beside it.
func (s *Server) why(w http.ResponseWriter, r *http.Request) error {
	lab, task, err := s.findTask(r)
	if err != nil {
		return err
	}
	var body struct {
		Text string `json:"text"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	text := strings.Join(strings.Fields(body.Text), " ") // one line
	if text == "" || len(text) > maxWhy || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return problemRequest("The text is empty, or longer than 1,000 bytes.", "Say in one line why it worked.")
	}
	err = s.Store.SaveWhy(r.Context(), callerOf(r).learner, lab.Module, lab.ID, task.ID, text)
	switch {
	case errors.Is(err, classroom.ErrNotPassed):
		return problemNotPassed("Why it worked is asked once it has worked.")
	case err != nil:
		return problemNotSaved.because(err)
	}
	return reply(w, http.StatusOK, map[string]string{"why": text, "why_html": string(task.Why)})
}

// program shows the source of a program that the task let the learner watch.
func (s *Server) program(w http.ResponseWriter, r *http.Request) error {
	lab, task, err := s.findTask(r)
	if err != nil {
		return err
	}
	name := r.PathValue("name")
	if !slices.Contains(task.Programs, name) {
		return newProblem(http.StatusNotFound, "no-program", "No such program",
			fmt.Sprintf("Task %q shows no program %q.", task.ID, shorten(name)), "GET the lab: once passed, the task names its programs.")
	}
	progress, err := s.Store.Progress(r.Context(), callerOf(r).learner, lab.Module, lab.ID)
	if err != nil {
		return err
	}
	if progress[task.ID].Passed.IsZero() {
		return problemNotPassed("The source of a program opens with the pass of its task.")
	}
	if s.Programs == nil {
		return fmt.Errorf("show program %s: the server has no sources", name)
	}
	source, err := readProgram(s.Programs, name)
	if err != nil {
		return fmt.Errorf("show program %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(source) // who asked may have gone
	return nil
}
