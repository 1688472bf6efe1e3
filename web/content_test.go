package web

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"sysnerd/labs"
	"sysnerd/sandbox"
)

// drafts is content that a test changes.
type drafts struct {
	mu      sync.Mutex
	content Content
	changed chan struct{}
}

func (d *drafts) Content() Content {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.content
}

func (d *drafts) Changed(ctx context.Context, revision int64) (Content, error) {
	for {
		d.mu.Lock()
		if d.changed == nil {
			d.changed = make(chan struct{})
		}
		content, changed := d.content, d.changed
		d.mu.Unlock()
		if content.Revision != revision {
			return content, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Content{}, ctx.Err()
		}
	}
}

func (d *drafts) put(c Content) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.content = c
	if d.changed != nil {
		close(d.changed)
	}
	d.changed = make(chan struct{})
}

func watched(d *drafts) option {
	return func(_ *sandbox.KeeperConfig, c *Config) { c.Watch = d }
}

func TestPagesAreToldWhenContentChanges(t *testing.T) {
	d := &drafts{content: Content{Version: 35, Revision: 1}}
	h := build(t, watched(d))
	p := h.learner()
	if page := p.do(p.request("GET", "/os/labs/one", nil)); !strings.Contains(string(page.body), `<sn-content version="z">`) {
		t.Errorf("the page does not know its version:\n%s", page.body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answer, err := p.client.Do(p.request("GET", "/api/v1/content/events", nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	next := func() string {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return data
			}
		}
		t.Fatal("the stream ended")
		return ""
	}
	if got, want := next(), `{"problems":[],"version":"z"}`; got != want {
		t.Errorf("first event = %s, want %s", got, want)
	}
	d.put(Content{Version: 35, Revision: 2, Problems: []labs.Problem{{File: "os/module.yaml", Line: 3, Reason: "is <odd>", Cure: "mend it"}}})
	if got, want := next(), `{"problems":[{"file":"os/module.yaml","line":3,"reason":"is \u003codd\u003e","cure":"mend it"}],"version":"z"}`; got != want {
		t.Errorf("event of a problem = %s, want %s", got, want)
	}
	d.put(Content{Version: 36, Revision: 3})
	if got, want := next(), `{"problems":[],"version":"10"}`; got != want {
		t.Errorf("event of a change = %s, want %s", got, want)
	}
}

func TestContentThatDoesNotChangeHasNoEvents(t *testing.T) {
	h := build(t)
	p := h.learner()
	if got := p.do(p.request("GET", "/api/v1/content/events", nil)); got.status != http.StatusNotFound {
		t.Errorf("= %d, want 404", got.status)
	}
	if page := p.do(p.request("GET", "/os/labs/one", nil)); strings.Contains(string(page.body), "sn-content") {
		t.Error("a page watches")
	}
}

func TestSchemasAreServed(t *testing.T) {
	h := build(t)
	p := h.stranger()
	for _, name := range labs.Schemas() {
		want, _ := labs.Schema(name)
		if got := p.do(p.request("GET", "/api/v1/schemas/"+name, nil)); got.status != http.StatusOK || string(got.body) != string(want) {
			t.Errorf("GET schemas/%s = %d %.40q", name, got.status, got.body)
		}
	}
	if got := p.do(p.request("GET", "/api/v1/schemas/page", nil)); got.status != http.StatusNotFound {
		t.Errorf("GET schemas/page = %d, want 404", got.status)
	}
}
