package web

import (
	"net/http"
	"testing"

	"sysnerd/labs"
)

func TestLearnerGoesFromPageToPassedTask(t *testing.T) {
	h := build(t)
	p := h.learner()
	got := p.call("POST", "/api/v1/sandboxes", map[string]string{"module": "os", "lab": "one"})
	if got.status != http.StatusCreated {
		t.Fatalf("first claim = %d %s", got.status, got.body)
	}
	var box sandboxJSON
	got.into(&box)
	if box.State != "live" || box.Module != "os" || box.Lab != "one" {
		t.Errorf("claimed %s", got.body)
	}
	if again := p.claim("one"); again.ID != box.ID {
		t.Errorf("second claim gave %s, want %s", again.ID, box.ID)
	}
	if r := p.check(box, "file"); r.Status != labs.Fail || r.Message != "There is no file yet." {
		t.Errorf("check before = %+v", r)
	}

	s := p.terminal(box, "?cols=100&rows=30")
	s.until("$ ")
	s.typed("touch ~/done; stty size; echo fin$((1))ished\n")
	s.until("30 100")
	s.until("fin1ished")

	if r := p.check(box, "file"); r.Status != labs.Pass || r.Message != "The file is there." {
		t.Errorf("check after = %+v", r)
	}
	var lab labJSON
	p.call("GET", "/api/v1/modules/os/labs/one", nil).into(&lab)
	if progress := lab.Tasks[1].Progress; progress == nil || !progress.Passed || progress.PassedAt == nil {
		t.Errorf("progress is %+v", progress)
	}
	if got := p.call("DELETE", "/api/v1/sandboxes/"+box.ID, nil); got.status != http.StatusNoContent {
		t.Errorf("DELETE = %d %s", got.status, got.body)
	}
	if e := s.closed(); e.Code != 1000 {
		t.Errorf("terminal was closed with %v", e)
	}
}
