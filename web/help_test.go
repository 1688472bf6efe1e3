package web

import (
	"net/http"
	"strings"
	"testing"

	"sysnerd/labs"
)

const helpPath = "/api/v1/modules/os/labs/one/tasks/"

func TestHintsOpenOneByOne(t *testing.T) {
	h := build(t)
	p := h.learner()
	got := p.call("POST", helpPath+"nothing/hint", nil)
	if got.status != 200 || !strings.Contains(string(got.body), `"n":1`) || !strings.Contains(string(got.body), "First hint.") {
		t.Fatalf("first hint = %d %s", got.status, got.body)
	}
	got = p.call("POST", helpPath+"nothing/hint", nil)
	if got.status != http.StatusConflict || got.header.Get("Retry-After") != "45" {
		t.Errorf("hint at once = %d, Retry-After %q: %s", got.status, got.header.Get("Retry-After"), got.body)
	}
	// A new try opens the next.
	who := p.identity()
	if err := h.store.SaveResult(t.Context(), who, "os", "one", labs.Result{Task: "nothing", Status: labs.Fail, Attempted: true, Message: "No."}); err != nil {
		t.Fatal(err)
	}
	got = p.call("POST", helpPath+"nothing/hint", struct{}{})
	if got.status != 200 || !strings.Contains(string(got.body), "Second hint.") {
		t.Errorf("second hint = %d %s", got.status, got.body)
	}
	got = p.call("POST", helpPath+"nothing/hint", nil)
	if got.status != http.StatusConflict || got.header.Get("Retry-After") != "" || got.problem().Type != "urn:sysnerd:problem:no-more-hints" {
		t.Errorf("third hint = %d %s", got.status, got.body)
	}
}

// identity is the learner's, as the server reads it.
func (p *person) identity() string {
	p.tb.Helper()
	r := p.request("GET", "/", nil)
	for _, c := range p.client.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	id, ok := p.server.signer.read(r)
	if !ok {
		p.tb.Fatal("no identity")
	}
	return id
}

func TestPredictionIsTheFirst(t *testing.T) {
	h := build(t)
	p := h.learner()
	for _, test := range []struct {
		task, choice string
		want         int
		prediction   string
	}{
		{"nothing", "2", 400, ""},
		{"nothing", "1", 200, "1"},
		{"nothing", "40", 200, "1"},
		{"file", "1", 409, ""},
		{"none", "1", 404, ""},
	} {
		got := p.call("POST", helpPath+test.task+"/predict", map[string]string{"choice": test.choice})
		if got.status != test.want || test.want == 200 && !strings.Contains(string(got.body), `"prediction":"`+test.prediction+`"`) {
			t.Errorf("predict %s for %s = %d %s, want %d %s", test.choice, test.task, got.status, got.body, test.want, test.prediction)
		}
	}
}

func TestCourseHidesWhatWasNotAskedFor(t *testing.T) {
	h := build(t)
	p := h.learner()
	path := "/api/v1/modules/os/labs/one"
	hidden := []string{"The solution of", "First hint.", "Second hint.", `"outcome"`, "pass '", "touch"}
	body := string(p.call("GET", path, nil).body)
	for _, secret := range append(hidden, "hints_total") {
		if strings.Contains(body, secret) {
			t.Errorf("the lab shows %q: %s", secret, body)
		}
	}
	if nobody := string(h.stranger().call("GET", path, nil).body); strings.Contains(nobody, `"progress"`) || !strings.Contains(nobody, "goal_html") {
		t.Errorf("a stranger sees %s", nobody)
	}
	got := p.call("POST", helpPath+"nothing/solution", nil)
	if got.status != 200 || !strings.Contains(string(got.body), "The solution of 10-nothing.") {
		t.Errorf("solution = %d %s", got.status, got.body)
	}
	var lab labJSON
	p.call("GET", path, nil).into(&lab)
	if progress := lab.Tasks[0].Progress; !progress.Revealed || progress.Solution == "" || progress.Passed {
		t.Errorf("progress is %+v", progress)
	}
}
