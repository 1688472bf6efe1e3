package rehearse

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strconv"
	"strings"
	"time"
)

const (
	requestTime = time.Minute // for an answer
	maxBody     = 4 << 20
)

// person is somebody with a browser: cookies, and the Origin of our own pages.
type person struct {
	url    string
	client *http.Client
}

func newPerson(url string) *person {
	jar, _ := cookiejar.New(nil) // never fails
	return &person{url: strings.TrimSuffix(url, "/"), client: &http.Client{Jar: jar, Transport: &http.Transport{}}}
}

func (p *person) close() { p.client.CloseIdleConnections() }

// problem is a refusal of the server's.
type problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Place  int    `json:"place"`
	Retry  int    `json:"retry_after"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail) }

// call makes one request and decodes the answer into v, unless it is nil.
func (p *person) call(ctx context.Context, method, path string, body, v any) error {
	text, err := p.ask(ctx, method, path, body)
	if err != nil || v == nil {
		return err
	}
	return json.Unmarshal(text, v)
}

func (p *person) text(ctx context.Context, path string) (string, error) {
	text, err := p.ask(ctx, "GET", path, nil)
	return string(text), err
}

func (p *person) ask(ctx context.Context, method, path string, body any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	var from io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		from = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, p.url+path, from)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Origin", p.url)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := p.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		refusal := &problem{Status: response.StatusCode, Title: http.StatusText(response.StatusCode)}
		_ = json.Unmarshal(text, refusal) // what is none keeps the status
		refusal.Status = response.StatusCode
		return nil, refusal
	}
	return text, nil
}

// course is what is played.
type course struct {
	module, lab string
	tasks       []task
}

type task struct {
	ID     string `json:"id"`
	Answer bool   `json:"answer"`
}

// openCourse finds the lab "<module>/<lab>", or the first.
func openCourse(ctx context.Context, url, lab string) (*course, error) {
	p := newPerson(url)
	defer p.close()
	c := new(course)
	c.module, c.lab, _ = strings.Cut(lab, "/")
	if lab == "" {
		var all struct {
			Modules []struct {
				ID   string                `json:"id"`
				Labs []struct{ ID string } `json:"labs"`
			} `json:"modules"`
		}
		if err := p.call(ctx, "GET", "/api/v1/modules", nil, &all); err != nil {
			return nil, fmt.Errorf("ask %s for its course: %w", url, err)
		}
		for _, m := range all.Modules {
			if len(m.Labs) > 0 {
				c.module, c.lab = m.ID, m.Labs[0].ID
				break
			}
		}
		if c.lab == "" {
			return nil, fmt.Errorf("%s has no lab to play", url)
		}
	}
	var found struct {
		Tasks []task `json:"tasks"`
	}
	if err := p.call(ctx, "GET", "/api/v1/modules/"+c.module+"/labs/"+c.lab, nil, &found); err != nil {
		return nil, fmt.Errorf("ask %s for the lab %s/%s: %w", url, c.module, c.lab, err)
	}
	c.tasks = found.Tasks
	return c, nil
}

// box is a claimed sandbox.
type box struct {
	ID       string `json:"id"`
	Terminal string `json:"terminal"`
}

// full says whether a refusal is a place in the queue, and when to ask again.
func full(err error) (again time.Duration, ok bool) {
	p, ok := err.(*problem)
	if !ok || p.Status != http.StatusServiceUnavailable || p.Place == 0 {
		return 0, false
	}
	return time.Duration(cmp.Or(p.Retry, 1)) * time.Second, true
}

// listen reads the events of a sandbox, as its page does, until ctx is done or
// the server closes the stream.
func (p *person) listen(ctx context.Context, b box, event func(name string)) error {
	r, err := http.NewRequestWithContext(ctx, "GET", p.url+"/api/v1/sandboxes/"+b.ID+"/events", nil)
	if err != nil {
		return err
	}
	response, err := p.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return &problem{Status: response.StatusCode, Title: "events " + strconv.Itoa(response.StatusCode)}
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxBody)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event(name)
		}
	}
	return lines.Err()
}
