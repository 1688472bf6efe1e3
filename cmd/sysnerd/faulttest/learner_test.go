package faulttest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// learner is somebody with a browser.
type learner struct {
	t      *testing.T
	server string // host:port, as the browser shows it
	client *http.Client
	jar    http.CookieJar

	mu   sync.Mutex
	via  string // where connections go instead; "" means to the server
	from net.Addr
}

// learner opens the first page.
func (s *server) learner(via ...string) *learner {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	l := &learner{t: s.t, server: s.address, jar: jar}
	for _, at := range via {
		l.via = at
	}
	transport := &http.Transport{DialContext: l.dial, MaxIdleConnsPerHost: 2}
	s.t.Cleanup(transport.CloseIdleConnections)
	l.client = &http.Client{Jar: jar, Transport: transport, Timeout: time.Minute}
	if got := l.call("GET", "/", nil); got.status != http.StatusOK {
		s.t.Fatalf("GET / = %d %s %v", got.status, got.body, got.err)
	}
	u := &url.URL{Scheme: "http", Host: s.address}
	for _, c := range jar.Cookies(u) {
		s.cookies = append(s.cookies, c.Value)
	}
	return l
}

func (l *learner) dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	if l.via != "" {
		address = l.via
	}
	d := net.Dialer{LocalAddr: l.from}
	l.mu.Unlock()
	return d.DialContext(ctx, network, address)
}

// moves has the learner come from another address from now on.
func (l *learner) moves(ip string) {
	l.mu.Lock()
	l.from = &net.TCPAddr{IP: net.ParseIP(ip)}
	l.mu.Unlock()
	l.client.CloseIdleConnections()
}

type answer struct {
	status int
	header http.Header
	body   []byte
	err    error // there was no answer
	took   time.Duration
}

// text is what a person reads of a problem.
func (a answer) text() string {
	var p struct{ Title, Detail, Cure string }
	_ = json.Unmarshal(a.body, &p)
	if p.Title == "" || p.Detail == "" || p.Cure == "" {
		return ""
	}
	return p.Title + ". " + p.Detail + " " + p.Cure
}

func (l *learner) call(method, path string, body any) (a answer) {
	var text []byte
	if body != nil {
		text, _ = json.Marshal(body)
	}
	r, err := http.NewRequestWithContext(context.Background(), method, "http://"+l.server+path, bytes.NewReader(text))
	if err != nil {
		return answer{err: err}
	}
	r.Header.Set("Origin", "http://"+l.server)
	r.Header.Set("Content-Type", "application/json")
	began := time.Now()
	response, err := l.client.Do(r)
	if err != nil {
		return answer{err: err, took: time.Since(began)}
	}
	defer response.Body.Close()
	a.body, a.err = io.ReadAll(response.Body)
	a.status, a.header, a.took = response.StatusCode, response.Header, time.Since(began)
	return a
}

type box struct {
	*learner
	ID       string
	Lab      string
	Terminal string
}

// claim has the learner's sandbox of the lab.
func (l *learner) claim(lab string) *box {
	l.t.Helper()
	got := l.call("POST", "/api/v1/sandboxes", map[string]string{"module": "os", "lab": lab})
	if got.err != nil || got.status > 201 {
		l.t.Fatalf("claim = %d %s %v", got.status, got.body, got.err)
	}
	b := &box{learner: l}
	if err := json.Unmarshal(got.body, b); err != nil {
		l.t.Fatal(err)
	}
	return b
}

func (b *box) do(verb string, body any) answer {
	return b.call("POST", "/api/v1/sandboxes/"+b.ID+"/"+verb, body)
}

// check returns the verdict of a task, or the problem's text.
func (b *box) check(task string) (verdict string, a answer) {
	a = b.do("check", map[string]string{"task": task})
	return a.verdict(), a
}

func (a answer) verdict() string {
	var all struct{ Results []struct{ Status string } }
	if a.status == http.StatusOK && json.Unmarshal(a.body, &all) == nil && len(all.Results) == 1 {
		return all.Results[0].Status
	}
	return ""
}

// progress says whether a task counts as passed, and what was found last.
func (b *box) progress(task string) (passed bool, last string) {
	b.t.Helper()
	var lab struct {
		Tasks []struct {
			ID       string
			Progress struct {
				Passed bool
				Last   struct{ Status string }
			}
		}
	}
	got := b.call("GET", "/api/v1/modules/os/labs/"+b.Lab, nil)
	if err := json.Unmarshal(got.body, &lab); err != nil || got.err != nil {
		b.t.Fatalf("GET lab = %d %s %v", got.status, got.body, got.err)
	}
	for _, t := range lab.Tasks {
		if t.ID == task {
			return t.Progress.Passed, t.Progress.Last.Status
		}
	}
	b.t.Fatalf("no task %s in %s", task, got.body)
	return false, ""
}

// expires is when the sandbox ends, to the millisecond.
func (b *box) expires() string {
	b.t.Helper()
	var state struct {
		ExpiresAt time.Time `json:"expires_at"`
	}
	got := b.call("GET", "/api/v1/sandboxes/"+b.ID, nil)
	if err := json.Unmarshal(got.body, &state); err != nil || state.ExpiresAt.IsZero() {
		b.t.Fatalf("GET sandbox = %d %s %v", got.status, got.body, got.err)
	}
	return state.ExpiresAt.Format("15:04:05.000")
}

// event is one that the page was told.
type event struct {
	at   time.Time
	name string
	data string
}

// page listens to a sandbox's events as long as the test runs, across restarts.
type page struct {
	b    *box
	stop context.CancelFunc
	done chan struct{}

	mu   sync.Mutex
	told []event
	news chan struct{} // closed when something was told
}

func (b *box) page() *page {
	ctx, cancel := context.WithCancel(context.Background())
	p := &page{b: b, stop: cancel, done: make(chan struct{}), news: make(chan struct{})}
	go func() {
		defer close(p.done)
		for ctx.Err() == nil {
			p.listen(ctx)
			pause(ctx, 100*time.Millisecond)
		}
	}()
	b.t.Cleanup(p.close)
	return p
}

func (p *page) close() {
	p.stop()
	<-p.done
}

func (p *page) listen(ctx context.Context) {
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+p.b.server+"/api/v1/sandboxes/"+p.b.ID+"/events", nil)
	if err != nil {
		return
	}
	stream := &http.Client{Jar: p.b.jar, Transport: p.b.client.Transport} // without a time limit
	response, err := stream.Do(r)
	if err != nil {
		return
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	name := ""
	for lines.Scan() {
		if n, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			name = n
		} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			p.mu.Lock()
			p.told = append(p.told, event{time.Now(), name, data})
			close(p.news)
			p.news = make(chan struct{})
			p.mu.Unlock()
		}
	}
}

// hears waits for an event that has all the words, told after since.
func (p *page) hears(since time.Time, within time.Duration, name string, words ...string) {
	p.b.t.Helper()
	late := time.NewTimer(time.Until(since.Add(within)))
	defer late.Stop()
	for {
		p.mu.Lock()
		news := p.news
		var all []string
		for _, e := range p.told {
			found := e.at.After(since) && e.name == name
			for _, w := range words {
				found = found && strings.Contains(e.data, w)
			}
			if found {
				p.mu.Unlock()
				return
			}
			all = append(all, e.name+" "+e.data)
		}
		p.mu.Unlock()
		select {
		case <-news:
		case <-late.C:
			p.b.t.Errorf("the page heard no %s with %q within %s; it heard %q", name, words, within, all[max(0, len(all)-12):])
			return
		}
	}
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// goes sends the learner's connections elsewhere from now on.
func (l *learner) goes(via string) {
	l.mu.Lock()
	l.via = via
	l.mu.Unlock()
	l.client.CloseIdleConnections()
}
