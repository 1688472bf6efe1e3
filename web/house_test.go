package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"sysnerd/labs"
	"sysnerd/labs/classroom"
	"sysnerd/sandbox"
	"sysnerd/sandbox/fake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(cleanUp)) }

// instance is whose sandboxes these are; other tests on the same engine have theirs.
const instance = "webtest"

var guest struct {
	once sync.Once
	dir  string
	err  error
}

func cleanUp(code int) {
	os.RemoveAll(guest.dir)
	os.Exit(code)
}

// buildGuest builds the guest once for all tests.
func buildGuest(tb testing.TB) string {
	tb.Helper()
	guest.once.Do(func() {
		if guest.dir, guest.err = os.MkdirTemp("", "sysnerd-web-test"); guest.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", filepath.Join(guest.dir, "guest"), "sysnerd/cmd/guest")
		build.Env = append(build.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			guest.err = fmt.Errorf("go build sysnerd/cmd/guest: %w\n%s", err, out)
		}
	})
	if guest.err != nil {
		tb.Fatal(guest.err)
	}
	return filepath.Join(guest.dir, "guest")
}

// section is a text with all that a section has to have.
func section(title, layer, from string) string {
	recall := func(id, from string) string {
		return "```recall\nid: " + id + "\n" + from + "kind: choice\nquestion: Which?\noptions:\n  - {say: this, right: true}\n  - {say: that, reply: No.}\nanswer: This.\n```\n\n"
	}
	return "---\nschema: 1\ntitle: " + title + "\nsummary: In short.\nminutes: 10\nlayer: " + layer + "\nlabs: [one/nothing, two]\nsources:\n  s: {text: s(1), url: \"https://s.example/1\"}\n---\n" +
		"A hook of " + title + ".[^s]\n\n```predict\nid: p\nquestion: What?\noptions: [a, b]\nanswer: a\nreply: Yes.\n```\n\n```sh {run}\ntrue\n```\n\n" +
		"## Model {#model}\n\n### One\n\nA *word* that is odd: floccinaucinihilipilification.\n\n### Two\n\n### Three\n\n## See {#see}\n\n## Names {#names}\n\n## Limits {#limits}\n\n## Recall {#recall}\n\n" +
		recall("x", from) + recall("y", "") + recall("z", "")
}

// course is what the tests' learners learn.
func course() fstest.MapFS {
	files := fstest.MapFS{}
	put := func(name, text string) { files[name] = &fstest.MapFile{Data: []byte(text)} }
	put("os/module.yaml", "schema: 1\nid: os\ntitle: OS\nsummary: All of it.\nminutes: 9\nsections:\n"+
		"  - number: 1\n    id: machine\n    title: The machine\n  - number: 5\n    id: calls\n    title: Calls\n  - number: 6\n    id: later\n    title: Later\n")
	put("os/sections/01-machine.md", section("The machine", "hardware", ""))
	put("os/sections/05-calls.md", section("Calls", "line", "from: 1\n"))
	put("os/glossary.yaml", "schema: 1\nterms:\n  - {term: word, section: 5, means: \"A <b>few</b> `bytes`.\"}\n")
	question := "    probing: Why.\n    points: [one, two, three, four]\n    answer: Because.\n    traps: [{ask: And?, answer: So.}]\n    section: 5\n"
	put("os/gauntlet.yaml", "schema: 1\nquestions:\n  - id: first\n    question: What is <first>?\n    see: [one/nothing]\n"+question+"  - id: second\n    question: What then?\n    see: [two]\n"+question)
	for _, lab := range []string{"01-one", "02-two"} {
		put("os/labs/"+lab+"/lab.yaml", "schema: 1\ntitle: "+lab[3:]+"\nsummary: First.\nlevel: core\nminutes: 5\nsection: 5\n")
		put("os/labs/"+lab+"/lab.md", "Why.\n")
		task := func(id, front, check string) {
			dir := "os/labs/" + lab + "/tasks/" + id
			put(dir+"/task.md", "---\nschema: 1\ntitle: "+id[3:]+"\nwhy: The reason of "+id+".\n"+front+"---\nDo it.\n")
			put(dir+"/check.sh", check)
			put(dir+"/solve.sh", "true\n")
			put(dir+"/solution.md", "The solution of "+id+".\n")
			put(dir+"/wrong/no.sh", "#!/bin/bash\n# Not that.\nfalse\n")
		}
		task("10-nothing", "hints:\n  - First hint.\n  - Second hint.\npredict:\n  question: How many?\n  options: [\"1\", \"40\"]\n  answer: \"40\"\nprograms: [drip, lost]\n",
			"pass 'Nothing was asked.'\n")
		task("20-file", "hints:\n  - Touch.\n", `if [ -e /home/learner/done ]; then pass 'The file is there.'; fi
fail 'There is no file yet.'
`)
		task("30-word", "answer: true\nhints:\n  - Say it.\n", "if answered && [[ $REPLY == secret ]]; then pass 'That is the word.'; fi\nfail 'Not that word.'\n")
		// It counts how often it ran, and how many ran beside it.
		task("40-slow", "hints:\n  - Wait.\n", `mkdir /tmp/slow 2>/dev/null || { echo overlap >>/tmp/overlap; exit 7; }
echo ran >>/tmp/ran
sleep 0.3
rmdir /tmp/slow
fail "Ran $(wc -l </tmp/ran) times."
`)
		task("50-broken", "hints:\n  - None.\n", "echo told; echo why >&2; exit 7\n")
		task("60-here", "mode: while\n", "[ -e /home/learner/here ] && pass 'It is here.'\nfail 'It is not here.'\n")
		// What is to be predicted differs per sandbox: the check tells it, also too early.
		task("70-guess", "predict:\n  question: Which status?\n  options: [\"1\", \"137\"]\n", `outcome 137
[ -e /home/learner/guess ] && pass 'It was killed.'
[ -e /home/learner/tried ] && attempt
fail 'It has not run.'
`)
		task("80-after", "needs: [here]\n", "pass 'At last.'\n")
	}
	return files
}

// house is a whole server on the fake engine.
type house struct {
	tb     testing.TB
	server *Server
	keeper *sandbox.Keeper
	store  *classroom.Store
	engine sandbox.Engine
	image  string
	dir    string // of the store
	url    string
	log    *safeBuffer
	stop   func() // closes the server; the engine and its sandboxes live on
}

type option func(*sandbox.KeeperConfig, *Config)

func build(tb testing.TB, options ...option) *house {
	tb.Helper()
	bashrc, err := filepath.Abs("../images/files/bash.bashrc")
	if err != nil {
		tb.Fatal(err)
	}
	engine, err := fake.Open(fake.Config{Instance: instance, Guest: buildGuest(tb), Bashrc: bashrc})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := engine.Close(); err != nil {
			tb.Error(err)
		}
	})
	return open(tb, engine, fake.Image, tb.TempDir(), options...)
}

// open opens a server on an engine, with a store in dir.
func open(tb testing.TB, engine sandbox.Engine, image, dir string, options ...option) *house {
	tb.Helper()
	library, problems := labs.Load(course())
	for _, p := range problems {
		tb.Fatal(p)
	}
	store, err := classroom.Open(context.Background(), filepath.Join(dir, "sysnerd.db"))
	if err != nil {
		tb.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	log := new(safeBuffer)
	k := sandbox.KeeperConfig{
		Engine: engine, Instance: instance, Image: image, Capacity: 4,
		Lifetime: time.Hour, MaxLife: time.Hour + 20*time.Minute,
		Log: slog.New(slog.NewTextHandler(log, nil)),
	}
	cfg := Config{
		Library: func() *labs.Library { return library },
		Store:   store,
		Programs: fstest.MapFS{
			"drip.c":  {Data: []byte("#include <stdio.h>\n#include \"water.h\"\nint main(void);\n")},
			"water.h": {Data: []byte("#define WATER 4032\n")},
		},
		Ready:  func(context.Context) []Fault { return nil },
		Listen: listener.Addr().String(),
		Log:    k.Log,
	}
	for _, o := range options {
		o(&k, &cfg)
	}
	cfg.Keeper = sandbox.NewKeeper(k)
	server, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	if err := server.Recover(context.Background()); err != nil {
		tb.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	h := &house{tb: tb, server: server, keeper: cfg.Keeper, store: store, engine: engine, image: image, dir: dir, url: "http://" + cfg.Listen, log: log}
	h.stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Close(ctx); err != nil {
			tb.Error(err)
		}
		if err := <-served; err != nil {
			tb.Error(err)
		}
		if err := cfg.Keeper.Close(ctx); err != nil {
			tb.Error(err)
		}
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
		if tb.Failed() {
			tb.Logf("server's log:\n%s", log)
		}
	})
	tb.Cleanup(h.stop)
	return h
}

// restart stops the server and starts another in its place.
func (h *house) restart() *house {
	h.tb.Helper()
	h.stop()
	return open(h.tb, h.engine, h.image, h.dir)
}

// safeBuffer is a log that can be read while it is written.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// person is somebody with a browser.
type person struct {
	*house
	client *http.Client
}

// stranger has a browser that was never here.
func (h *house) stranger() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.tb.Fatal(err)
	}
	transport := &http.Transport{}
	h.tb.Cleanup(transport.CloseIdleConnections)
	return &person{h, &http.Client{
		Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// learner has opened the first page.
func (h *house) learner() *person {
	p := h.stranger()
	if got := p.call("GET", "/", nil); got.status != http.StatusOK {
		h.tb.Fatalf("GET / = %d %s", got.status, got.body)
	}
	return p
}

type answer struct {
	tb     testing.TB
	status int
	header http.Header
	body   []byte
}

// into decodes the body.
func (a answer) into(v any) {
	a.tb.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.tb.Fatalf("body %q: %v", a.body, err)
	}
}

func (a answer) problem() problem {
	a.tb.Helper()
	var p problem
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		a.tb.Fatalf("%d %s: %s", a.status, kind, a.body)
	}
	a.into(&p)
	if p.Status != a.status || p.Title == "" || p.Detail == "" || p.Cure == "" {
		a.tb.Errorf("problem with status %d lacks something: %s", a.status, a.body)
	}
	return p
}

// request makes one as our pages would; change may spoil it.
func (p *person) request(method, path string, body []byte, change ...func(*http.Request)) *http.Request {
	p.tb.Helper()
	var from io.Reader
	if body != nil {
		from = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(context.Background(), method, p.url+path, from)
	if err != nil {
		p.tb.Fatal(err)
	}
	r.Header.Set("Origin", p.url)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(r)
	}
	return r
}

func (p *person) do(r *http.Request) answer {
	p.tb.Helper()
	response, err := p.client.Do(r)
	if err != nil {
		p.tb.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.tb.Fatal(err)
	}
	return answer{p.tb, response.StatusCode, response.Header, text}
}

// call sends v as JSON, if it is not nil.
func (p *person) call(method, path string, v any, change ...func(*http.Request)) answer {
	p.tb.Helper()
	var body []byte
	if v != nil {
		var err error
		if body, err = json.Marshal(v); err != nil {
			p.tb.Fatal(err)
		}
	}
	return p.do(p.request(method, path, body, change...))
}

// claim has the person's sandbox of a lab.
func (p *person) claim(lab string) sandboxJSON {
	p.tb.Helper()
	got := p.call("POST", "/api/v1/sandboxes", map[string]string{"module": "os", "lab": lab})
	if got.status != http.StatusCreated && got.status != http.StatusOK {
		p.tb.Fatalf("claim = %d %s", got.status, got.body)
	}
	var box sandboxJSON
	got.into(&box)
	return box
}

func (p *person) check(box sandboxJSON, task string) labs.Result {
	p.tb.Helper()
	got := p.call("POST", "/api/v1/sandboxes/"+box.ID+"/check", map[string]string{"task": task})
	return p.one(got)
}

func (p *person) one(got answer) labs.Result {
	p.tb.Helper()
	if got.status != http.StatusOK {
		p.tb.Fatalf("check = %d %s", got.status, got.body)
	}
	var all struct{ Results []labs.Result }
	got.into(&all)
	if len(all.Results) != 1 {
		p.tb.Fatalf("check of one task gave %d results", len(all.Results))
	}
	return all.Results[0]
}

// screen is a terminal's client.
type screen struct {
	tb     testing.TB
	socket *websocket.Conn
	seen   bytes.Buffer
	offset int64            // of the next byte
	hello  map[string]any   // nil before it came
	told   []map[string]any // control messages after hello
}

// dial opens the WebSocket; the answer is that of a refusal.
func (p *person) dial(path string, change ...func(http.Header)) (*websocket.Conn, *http.Response, error) {
	header := http.Header{"Origin": {p.url}}
	for _, c := range change {
		c(header)
	}
	protocols := []string{subprotocol}
	if header.Get("Sec-Websocket-Protocol") != "" {
		protocols = nil
	}
	d := websocket.Dialer{Jar: p.client.Jar, Subprotocols: protocols}
	return d.Dial("ws"+strings.TrimPrefix(p.url, "http")+path, header)
}

func (p *person) terminal(box sandboxJSON, query string) *screen {
	p.tb.Helper()
	socket, response, err := p.dial(box.Terminal + query)
	if err != nil {
		body := []byte{}
		if response != nil {
			body, _ = io.ReadAll(response.Body)
		}
		p.tb.Fatalf("dial terminal: %v %s", err, body)
	}
	p.tb.Cleanup(func() { socket.Close() })
	s := &screen{tb: p.tb, socket: socket}
	for s.hello == nil {
		s.next()
	}
	return s
}

// next takes in one message.
func (s *screen) next() {
	s.tb.Helper()
	_ = s.socket.SetReadDeadline(time.Now().Add(20 * time.Second))
	kind, p, err := s.socket.ReadMessage()
	if err != nil {
		s.tb.Fatalf("read terminal: %v; saw %q", err, s.tail())
	}
	if kind == websocket.BinaryMessage {
		s.seen.Write(p)
		s.offset += int64(len(p))
		if s.hello != nil { // no bare shell
			s.say(map[string]any{"type": "ack", "offset": s.offset})
		}
		return
	}
	message := map[string]any{}
	if err := json.Unmarshal(p, &message); err != nil {
		s.tb.Fatalf("control message %q: %v", p, err)
	}
	if message["type"] == "hello" {
		s.hello = message
		s.offset = int64(message["offset"].(float64))
		return
	}
	if message["code"] == "skipped" {
		s.offset = int64(message["offset"].(float64))
	}
	s.told = append(s.told, message)
}

func (s *screen) say(message any) {
	s.tb.Helper()
	if err := s.socket.WriteJSON(message); err != nil {
		s.tb.Fatalf("say %v: %v", message, err)
	}
}

func (s *screen) typed(text string) {
	s.tb.Helper()
	if err := s.socket.WriteMessage(websocket.BinaryMessage, []byte(text)); err != nil {
		s.tb.Fatalf("type %q: %v", text, err)
	}
}

// until reads on until want was shown; what was shown up to there is forgotten.
func (s *screen) until(want string) {
	s.tb.Helper()
	for {
		if at := bytes.Index(s.seen.Bytes(), []byte(want)); at >= 0 {
			s.seen.Next(at + len(want))
			return
		}
		s.next()
	}
}

// hears reads on until a control message has all of want.
func (s *screen) hears(want map[string]any) {
	s.tb.Helper()
	for {
		for _, message := range s.told {
			all := maps.Clone(message)
			maps.Copy(all, want)
			if fmt.Sprint(all) == fmt.Sprint(message) {
				return
			}
		}
		s.next()
	}
}

func (s *screen) tail() string { return s.seen.String()[max(0, s.seen.Len()-400):] }

// closed reads on until the server closes, and returns how.
func (s *screen) closed() *websocket.CloseError {
	s.tb.Helper()
	for {
		_ = s.socket.SetReadDeadline(time.Now().Add(20 * time.Second))
		_, _, err := s.socket.ReadMessage()
		if e, ok := err.(*websocket.CloseError); ok {
			return e
		}
		if err != nil {
			s.tb.Fatalf("terminal ended without a close: %v", err)
		}
	}
}
