package rehearse

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"sysnerd/sandbox/fake"
)

func TestMain(m *testing.M) {
	if child := os.Getenv(childVariable); child != "" {
		os.Exit(beChild(child))
	}
	goleak.VerifyTestMain(m)
}

// serve is a whole server on the fake engine.
func serve(t *testing.T, capacity int) (address string, engine *fake.Engine) {
	t.Helper()
	s, err := openSite(t.TempDir(), fake.BuildGuest(t), capacity)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s.url, s.engine
}

func play(t *testing.T, address string, change ...func(*Config)) *Report {
	t.Helper()
	cfg := Config{URL: address, Learners: 3, Time: 9 * time.Second, Haste: 20}
	for _, c := range change {
		c(&cfg)
	}
	r, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func empty(t *testing.T, engine *fake.Engine) {
	t.Helper()
	left, err := engine.List(t.Context())
	if err != nil || len(left) != 0 {
		t.Errorf("after the rehearsal %d sandboxes are left (%v), want none", len(left), err)
	}
}

func TestClassLosesNothingAndLeavesNothing(t *testing.T) {
	address, engine := serve(t, 3)
	seen := 0
	r := play(t, address, func(c *Config) { c.Progress = func(Progress) { seen++ } })
	c := r.Counts
	if c.Claimed != 3 || c.Keys == 0 || c.Lines == 0 || c.Checks == 0 || c.Dropped == 0 || c.Left == 0 || c.Events == 0 {
		t.Errorf("the class did not do everything: %+v", c)
	}
	if c.Lost+c.Repeated != 0 || c.Wrong+c.Cut+c.Broken+c.Kept != 0 || len(r.Errors) != 0 {
		t.Errorf("faults: %+v, errors %v", c, r.Errors)
	}
	if !r.Machine.Known || r.Machine.ServerRSS == 0 || r.Machine.Cold != 3 {
		t.Errorf("machine = %+v, want it known, with 3 sandboxes started for a claim", r.Machine)
	}
	if seen < 5 {
		t.Errorf("progress was told %d times in 9 s", seen)
	}
	empty(t, engine)
}

func TestQueueMovesByItself(t *testing.T) {
	address, engine := serve(t, 1)
	r := play(t, address, func(c *Config) { c.Learners, c.Time = 2, 3*time.Second })
	if r.Counts.Claimed != 1 || r.Met() {
		t.Errorf("two learners, one place: %d claimed, limits met %v; want 1 and a miss", r.Counts.Claimed, r.Met())
	}
	empty(t, engine)
}

func TestEndingEarlyStillReports(t *testing.T) {
	address, engine := serve(t, 3)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := Run(ctx, Config{URL: address, Learners: 3, Time: time.Hour, Haste: 20, Progress: func(p Progress) {
		if p.Keys > 0 {
			cancel()
		}
	}})
	if err != nil || !r.Cut || r.Counts.Claimed != 3 || len(r.Errors) != 0 {
		t.Fatalf("Run ended early = %+v, %v", r, err)
	}
	empty(t, engine)
}

// What is lost, doubled or changed on the way must not go unseen.
func TestFaultsOfTheServerAreSeen(t *testing.T) {
	address, _ := serve(t, 3)
	for name, row := range map[string]struct {
		spoil func(line []byte) []byte
		seen  func(Counts) bool
	}{
		"lost":     {func([]byte) []byte { return nil }, func(c Counts) bool { return c.Lost > 0 }},
		"repeated": {func(line []byte) []byte { return slices.Concat(line, line) }, func(c Counts) bool { return c.Repeated > 0 }},
		"changed":  {func(line []byte) []byte { line[0] ^= 1; return line }, func(c Counts) bool { return c.Wrong > 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			between := spoil(t, address, row.spoil)
			ctx, enough := context.WithCancel(t.Context())
			r, err := Run(ctx, Config{URL: between, Learners: 1, Time: time.Minute, Haste: 20, Progress: func(p Progress) {
				if p.Faults > 0 {
					enough()
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			if !row.seen(r.Counts) || r.Met() {
				t.Errorf("limits met %v, %+v; errors %v", r.Met(), r.Counts, r.Errors)
			}
		})
	}
}

// numberedLine is one that learners have a terminal print, and hold against what it must be.
var numberedLine = regexp.MustCompile(`\w+x\d+-\d{5}\r\n`)

// spoil is a proxy that changes one numbered line in each message that has any.
func spoil(t *testing.T, address string, change func([]byte) []byte) string {
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	plain := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			if r.Out.Header.Get("Origin") != "" {
				r.Out.Header.Set("Origin", address)
			}
		},
		Transport: &http.Transport{DisableKeepAlives: true}, FlushInterval: -1, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !websocket.IsWebSocketUpgrade(r) {
			plain.ServeHTTP(w, r)
			return
		}
		header := http.Header{"Origin": {address}, "Cookie": r.Header["Cookie"], "Sec-Websocket-Protocol": {subprotocol}}
		far, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(address, "http")+r.URL.RequestURI(), header)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer far.Close()
		near, err := (&websocket.Upgrader{Subprotocols: []string{subprotocol}, CheckOrigin: func(*http.Request) bool { return true }}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer far.Close()
			_ = relay(far, near, func(p []byte) []byte { return p })
		}()
		_ = relay(near, far, func(p []byte) []byte {
			at := numberedLine.FindIndex(p)
			if at == nil {
				return p
			}
			return slices.Concat(p[:at[0]], change(slices.Clone(p[at[0]:at[1]])), p[at[1]:])
		})
		near.Close()
		<-done
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func relay(to, from *websocket.Conn, change func([]byte) []byte) error {
	for {
		kind, p, err := from.ReadMessage()
		if err != nil {
			return err
		}
		if kind == websocket.BinaryMessage {
			p = change(p)
		}
		if err := to.WriteMessage(kind, p); err != nil {
			return err
		}
	}
}

func TestNumberedLinesAreCompared(t *testing.T) {
	const good = "a-00001\r\na-00002\r\na-00003\r\n"
	for name, row := range map[string]struct {
		output string
		want   faults
	}{
		"good":      {good, faults{}},
		"one lost":  {"a-00001\r\na-00003\r\n", faults{lost: 9}},
		"end lost":  {"a-00001\r\n", faults{lost: 18}},
		"all lost":  {"", faults{lost: 27}},
		"repeated":  {"a-00001\r\na-00002\r\na-00002\r\na-00003\r\n", faults{repeated: 9}},
		"a byte":    {"a-00001\r\na-0002\r\na-00003\r\n", faults{lost: 9, wrong: 1}},
		"something": {good + "more", faults{wrong: 1}},
	} {
		if got := compare(row.output, "a", 3); got != row.want {
			t.Errorf("%s: compare = %+v, want %+v", name, got, row.want)
		}
	}
}

func TestServersElsewhereAreRefused(t *testing.T) {
	for address, want := range map[string]bool{
		"http://127.0.0.1:8080": true, "http://localhost:1": true, "http://[::1]:1/": true,
		"http://192.0.2.7:8080": false, "https://labs.example.org": false,
	} {
		if err := CheckURL(address, false); (err == nil) != want {
			t.Errorf("CheckURL(%s, false) = %v", address, err)
		}
		if err := CheckURL(address, true); err != nil {
			t.Errorf("CheckURL(%s, true) = %v", address, err)
		}
	}
	for _, address := range []string{"", "127.0.0.1:8080", "ftp://127.0.0.1", "http://127.0.0.1/labs"} {
		if CheckURL(address, true) == nil {
			t.Errorf("CheckURL(%s) took it", address)
		}
	}
}

func TestReportSaysWhatWasMissed(t *testing.T) {
	r := &Report{}
	r.Missed("bytes lost", 0)
	if !r.Met() {
		t.Error("nothing missed, and yet not met")
	}
	r.Missed("errors", 2)
	var text strings.Builder
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	if r.Met() || !strings.Contains(text.String(), "MISSED") {
		t.Errorf("two errors: met %v, report\n%s", r.Met(), text.String())
	}
}
