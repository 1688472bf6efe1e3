package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"sysnerd/sandbox"
)

// example fills the names in a pattern, and gives what a call of it sends.
func example(row route, box string) (path, body string) {
	path = strings.NewReplacer("{$}", "", "{module}", "os", "{lab}", "one", "{task}", "nothing", "{id}", box, "{name}", "site.css", "{schema}", "lab", "{profile}", "heap", "{section}", "calls", "{page}", "terms").Replace(row.pattern)
	path = strings.Replace(path, "/programs/site.css", "/programs/drip", 1)
	bodies := map[string]string{
		"POST /api/v1/sandboxes":                                        `{"module":"os","lab":"one"}`,
		"POST /api/v1/sandboxes/{id}/check":                             `{"task":"nothing"}`,
		"POST /api/v1/sandboxes/{id}/answer":                            `{"task":"word","value":"x"}`,
		"PATCH /api/v1/sandboxes/{id}/limits":                           `{"memory":1}`,
		"POST /api/v1/modules/{module}/labs/{lab}/tasks/{task}/predict": `{"choice":"40"}`,
		"POST /api/v1/modules/{module}/labs/{lab}/tasks/{task}/why":     `{"text":"So."}`,
		"PUT /api/v1/modules/{module}/sections/{section}/read":          `{}`,
		"POST /api/v1/modules/{module}/sections/{section}/recall":       `{"question":"x","right":true}`,
		"PUT /api/v1/modules/{module}/gauntlet":                         `{"interview":"2026-12-24","marks":[]}`,
	}
	return path, bodies[row.method+" "+row.pattern]
}

// TestEveryRouteSaysWhoMayCall calls each row of the table as each kind of
// caller. A row without a known access, or one that lets a role in which it does
// not name, fails.
func TestEveryRouteSaysWhoMayCall(t *testing.T) {
	h := build(t, watched(&drafts{}))
	own := h.learner()
	other := h.learner()
	stranger := h.stranger()
	stranger.client.Jar = nil // stays nobody
	forger := h.stranger()
	forger.client.Jar = nil

	const served = 0 // anything but a refusal for who it is
	for _, row := range h.server.table() {
		var want map[string]int
		switch row.who {
		case anyone, visitor, machine:
			want = map[string]int{"own": served, "other": served, "stranger": served, "forger": served}
		case learner:
			want = map[string]int{"own": served, "other": served, "stranger": 401, "forger": 401}
		case owner:
			want = map[string]int{"own": served, "other": 404, "stranger": 401, "forger": 401}
		default:
			t.Errorf("%s %s: nobody said who may call it (%q)", row.method, row.pattern, row.who)
			continue
		}
		for _, role := range []struct {
			name string
			who  *person
		}{{"forger", forger}, {"stranger", stranger}, {"other", other}, {"own", own}} {
			t.Run(fmt.Sprintf("%s %s as %s", row.method, row.pattern, role.name), func(t *testing.T) {
				box := own.claim("one") // DELETE ends it
				path, body := example(row, box.ID)
				r := role.who.request(row.method, path, []byte(body))
				if body == "" {
					r = role.who.request(row.method, path, nil)
				}
				if role.name == "forger" {
					r.AddCookie(&http.Cookie{Name: cookieName, Value: strings.Repeat("0", 32) + "." + strings.Repeat("A", 43)})
				}
				if strings.HasSuffix(path, "/events") || strings.HasSuffix(path, "/kernel") {
					r.Method = http.MethodHead // the stream itself has no end
				}
				got := role.who.do(r)
				switch status := want[role.name]; {
				case status != served && got.status != status && r.Method != http.MethodHead:
					t.Errorf("= %d, want %d: %s", got.status, status, got.body)
				case status == served && (got.status == 401 || got.status == 403 && row.method != "PATCH" || got.status == 404 && row.pattern != "/assets/{name}" && row.pattern != "/gallery" || got.status == 500):
					t.Errorf("= %d: %s", got.status, got.body)
				}
				if row.method == http.MethodGet && !row.upgrade {
					return
				}
				for _, origin := range []string{"", "null", "http://evil.example", "https" + strings.TrimPrefix(h.url, "http"), h.url + ".evil.example", h.url + "/"} {
					r := role.who.request(row.method, path, []byte(body), func(r *http.Request) {
						r.Header.Set("Origin", origin)
						if origin == "" {
							r.Header.Del("Origin")
						}
					})
					if got := role.who.do(r); got.status != http.StatusForbidden {
						t.Errorf("with Origin %q = %d, want 403: %s", origin, got.status, got.body)
					}
				}
			})
		}
	}
}

func TestAPIDescriptionHoldsAgainstRoutes(t *testing.T) {
	var description struct {
		Paths map[string]map[string]any `yaml:"paths"`
	}
	if err := yaml.Unmarshal(openapi, &description); err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, methods := range description.Paths {
		for method, operation := range methods {
			if method == "parameters" {
				continue
			}
			described[strings.ToUpper(method)+" "+path] = true
			o, _ := operation.(map[string]any)
			if o["summary"] == nil || o["responses"] == nil {
				t.Errorf("%s %s lacks a summary or responses", method, path)
			}
		}
	}
	routed := map[string]bool{}
	for _, row := range (&Server{}).table() {
		if strings.HasPrefix(row.pattern, "/api/") || row.who == machine || strings.HasSuffix(row.pattern, "z") {
			routed[row.method+" "+row.pattern] = true
		}
	}
	if diff := cmp.Diff(routed, described); diff != "" {
		t.Errorf("routes (-) and openapi.yaml (+) differ:\n%s", diff)
	}
}

func TestSandboxOfAnotherLooksLikeNone(t *testing.T) {
	h := build(t)
	box := h.learner().claim("one")
	p := h.learner()
	var want []byte
	for _, id := range []string{
		box.ID, "aaaaaaaaaaaaaaaa", "..", "%2e%2e", "..%2f..%2fetc", "%00", "a%00b", "%ff", "%25", "a%2Fb", "%20", box.ID + "%00", box.ID + "%2f..%2f" + box.ID,
		strings.ToUpper(box.ID), box.ID + ".", strings.Repeat("a", 10<<10), "*", "{id}", "é",
	} {
		for _, rest := range []string{"", "/events", "/terminal", "/kernel", "/nothing"} {
			got := p.call("GET", "/api/v1/sandboxes/"+id+rest, nil)
			if want == nil {
				want = got.body
				got.problem()
			}
			if got.status != http.StatusNotFound || !bytes.Equal(got.body, want) {
				t.Errorf("GET %.60s%s = %d %s, want 404 %s", id, rest, got.status, got.body, want)
			}
		}
	}
}

func TestUnknownHostIsRefused(t *testing.T) {
	h := build(t)
	p := h.learner()
	port := h.url[strings.LastIndex(h.url, ":"):]
	for host, want := range map[string]int{
		"localhost" + port: 200, "LOCALHOST" + port: 200, "127.0.0.1" + port: 200, "[::1]" + port: 200,
		"evil.example": 421, "evil.example" + port: 421, "127.0.0.1": 421, "127.0.0.1:1": 421, "localhost" + port + ".evil.example": 421,
		"127.0.0.1" + port + "@evil.example": 400, "10.1.2.3" + port: 421, "0.0.0.0" + port: 421, "localhost.": 421,
	} {
		got := p.call("GET", "/api/v1/modules", nil, func(r *http.Request) { r.Host = host })
		if got.status != want && !(want == 400 && got.status == 421) {
			t.Errorf("Host %s = %d %s, want %d", host, got.status, got.body, want)
		}
	}
}

func TestOriginsBehindProxyAndOnEveryAddress(t *testing.T) {
	address := "127.0.0.1"
	for _, test := range []struct {
		listen, public, host, origin string
		hostOK, originOK             bool
	}{
		{"127.0.0.1:8080", "https://learn.example", "learn.example", "https://learn.example", true, true},
		{"127.0.0.1:8080", "https://learn.example", "LEARN.example:443", "https://learn.example", true, true},
		{"127.0.0.1:8080", "https://learn.example", "127.0.0.1:8080", "https://learn.example", true, true}, // the proxy rewrote it
		{"127.0.0.1:8080", "https://learn.example", "learn.example", "http://learn.example", true, false},
		{"127.0.0.1:8080", "https://learn.example", "learn.example", "http://127.0.0.1:8080", true, false},
		{"127.0.0.1:8080", "https://learn.example", "127.0.0.1:8080", "http://127.0.0.1:8080", true, true},
		{"127.0.0.1:8080", "", "localhost:8080", "http://127.0.0.1:8080", true, false},
		{"127.0.0.1:80", "", "localhost", "http://localhost", true, true},
		{"0.0.0.0:8080", "", address + ":8080", "http://" + address + ":8080", true, true},
		{":8080", "", address + ":8080", "http://" + address + ":8080", true, true},
		{":8080", "", address + ":8081", "", false, false},
		{":8080", "", "192.0.2.7:8080", "", false, false},
		{":8080", "", "machine.example:8080", "", false, false},
	} {
		o, err := newOrigins(test.listen, test.public)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.host(test.host); got != test.hostOK {
			t.Errorf("%s, url %q: host %s = %v, want %v", test.listen, test.public, test.host, got, test.hostOK)
		}
		r := &http.Request{Host: test.host, Header: http.Header{"Origin": {test.origin}}}
		if err := o.check(r); (err == nil) != test.originOK {
			t.Errorf("%s, url %q: origin %s for host %s = %v, want ok %v", test.listen, test.public, test.origin, test.host, err, test.originOK)
		}
	}
	for _, public := range []string{"learn.example", "ftp://learn.example", "https://learn.example/path", "https://", "%"} {
		if _, err := newOrigins("127.0.0.1:8080", public); err == nil || !strings.Contains(err.Error(), "--url") {
			t.Errorf("url %q = %v, want an error that names --url", public, err)
		}
	}
}

func TestMetricsAreForThisMachine(t *testing.T) {
	h := build(t)
	p := h.learner()
	p.claim("one")
	got := p.call("GET", "/metrics", nil)
	for _, want := range []string{"sysnerd_claims_total{outcome=\"started\"} 1", "sysnerd_sandboxes_live 1", "sysnerd_start_seconds_count 1", "sysnerd_terminals_attached 0",
		"sysnerd_check_seconds_count 0", "sysnerd_oom_kills_total 0", "sysnerd_output_skipped_bytes_total 0", "sysnerd_queue_length 0"} {
		if !strings.Contains(string(got.body), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if got := p.call("GET", "/debug/pprof/goroutine?debug=1", nil); got.status != 200 || !strings.Contains(string(got.body), "goroutine profile: total") {
		t.Errorf("goroutines = %d %.200s", got.status, got.body)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/heap"} {
		if got := p.call("GET", path, nil, func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") }); got.status != 404 {
			t.Errorf("%s through a proxy = %d, want 404", path, got.status)
		}
	}
	for _, path := range []string{"/debug/pprof/cmdline", "/debug/pprof/none"} {
		if got := p.call("GET", path, nil); got.status != 404 {
			t.Errorf("%s = %d, want 404", path, got.status)
		}
	}
	wide := build(t, func(_ *sandbox.KeeperConfig, c *Config) {
		c.Listen = strings.Replace(c.Listen, "127.0.0.1", "0.0.0.0", 1)
	})
	for _, path := range []string{"/metrics", "/debug/pprof/heap"} {
		if got := wide.learner().call("GET", path, nil); got.status != 404 {
			t.Errorf("%s on a listener for all = %d, want 404", path, got.status)
		}
	}
}

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	h := build(t)
	p := h.learner()
	for _, path := range []string{"/", "/os/labs/one", "/os/labs/none", "/none", "/api/v1/modules", "/api/v1/none", "/healthz", "/a/../b"} {
		got := p.call("GET", path, nil)
		for name, want := range map[string]string{
			"Content-Security-Policy":    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
			"X-Content-Type-Options":     "nosniff",
			"Referrer-Policy":            "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin",
		} {
			if have := got.header.Get(name); have != want {
				t.Errorf("GET %s: %s is %q, want %q", path, name, have, want)
			}
		}
	}
}

func TestIdentityIsSignedAndKept(t *testing.T) {
	h := build(t)
	p := h.stranger()
	if got := p.call("GET", "/api/v1/modules", nil); got.header.Get("Set-Cookie") != "" {
		t.Error("the API gave an identity")
	}
	first := p.call("GET", "/", nil).header.Get("Set-Cookie")
	for _, want := range []string{"sysnerd=", "HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(first, want) {
			t.Errorf("cookie %q lacks %s", first, want)
		}
	}
	if again := p.call("GET", "/", nil).header.Get("Set-Cookie"); again != "" {
		t.Errorf("second page gave another identity: %s", again)
	}
	if got := h.stranger().call("GET", "/", nil).header.Get("Set-Cookie"); got == first {
		t.Error("two learners got one identity")
	}
	value, _, _ := strings.Cut(strings.TrimPrefix(first, "sysnerd="), ";")
	for _, forged := range []string{"", ".", value[:len(value)-1], "x" + value[1:], strings.Replace(value, ".", "", 1), value + "x", strings.Split(value, ".")[0]} {
		if forged == value {
			continue
		}
		nobody := h.stranger()
		nobody.client.Jar = nil
		got := nobody.call("POST", "/api/v1/sandboxes", map[string]string{"module": "os", "lab": "one"}, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: cookieName, Value: forged}) })
		if got.status != http.StatusUnauthorized {
			t.Errorf("cookie %q = %d, want 401", forged, got.status)
		}
	}
}
