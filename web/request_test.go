package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sysnerd/labs"
	"sysnerd/sandbox"
)

func TestBadBodiesAreRefusedWithTheCure(t *testing.T) {
	h := build(t)
	p := h.learner()
	const path = "/api/v1/sandboxes"
	for _, test := range []struct {
		name, kind, body string
		want             int
	}{
		{"no JSON", "application/json", "module=os", 400},
		{"empty", "application/json", " ", 400},
		{"cut off", "application/json", `{"module":"os"`, 400},
		{"unknown key", "application/json", `{"module":"os","lab":"one","more":1}`, 400},
		{"wrong type", "application/json", `{"module":1,"lab":"one"}`, 400},
		{"a list", "application/json", `[]`, 400},
		{"two", "application/json", `{"module":"os","lab":"one"}{}`, 400},
		{"not UTF-8", "application/json", "{\"module\":\"\xff\",\"lab\":\"one\"}", 400},
		{"deep", "application/json", `{"module":` + strings.Repeat("[", 30000) + strings.Repeat("]", 30000) + `}`, 400},
		{"deeper", "application/json", `{"module":` + strings.Repeat("[", 100000) + strings.Repeat("]", 100000) + `}`, 413},
		{"large", "application/json", `{"module":"` + strings.Repeat("a", 64<<10) + `"}`, 413},
		{"huge", "application/json", strings.Repeat(" ", 8<<20), 413},
		{"no type", "", `{"module":"os","lab":"one"}`, 415},
		{"a form", "application/x-www-form-urlencoded", `module=os`, 415},
		{"text", "text/plain", `{"module":"os","lab":"one"}`, 415},
		{"no such module", "application/json", `{"module":"none","lab":"one"}`, 404},
		{"no such lab", "application/json", `{"module":"os","lab":"none"}`, 404},
		{"path as lab", "application/json", `{"module":"os","lab":"../one"}`, 404},
		{"markup as lab", "application/json", `{"module":"os","lab":"<script>"}`, 404},
	} {
		got := p.do(p.request("POST", path, []byte(test.body), func(r *http.Request) { r.Header.Set("Content-Type", test.kind) }))
		if got.status != test.want {
			t.Errorf("%s = %d %s, want %d", test.name, got.status, got.body, test.want)
			continue
		}
		got.problem()
	}
}

func TestWrongMethodsAndPathsAreProblems(t *testing.T) {
	h := build(t)
	p := h.learner()
	box := p.claim("one")
	for _, test := range []struct {
		method, path string
		want         int
		allow        string
	}{
		{"PUT", "/api/v1/sandboxes", 405, "POST"},
		{"GET", "/api/v1/sandboxes", 405, "POST"},
		{"TRACE", "/api/v1/modules", 405, "GET"},
		{"PUT", "/api/v1/sandboxes/" + box.ID, 405, "DELETE, GET"},
		{"GET", "/api/v1/", 404, ""},
		{"GET", "/api/v2/modules", 404, ""},
		{"GET", "/api/v1/modules/none", 404, ""},
		{"GET", "/api/v1/modules/os/labs/none", 404, ""},
		{"GET", "//api/v1/modules", 404, ""},
		{"GET", "/assets/../server.go", 404, ""},
		{"GET", "/assets/%2e%2e%2fserver.go", 404, ""},
		{"GET", "/assets/manifest.json", 404, ""},
	} {
		got := p.call(test.method, test.path, nil)
		if got.status != test.want || got.header.Get("Allow") != test.allow {
			t.Errorf("%s %s = %d, Allow %q; want %d, %q", test.method, test.path, got.status, got.header.Get("Allow"), test.want, test.allow)
			continue
		}
		got.problem()
	}
}

// raw sends bytes as they are, and returns what comes back until the end.
func (h *house) raw(t *testing.T, parts ...string) string {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(40 * time.Second))
	for _, part := range parts {
		if _, err := io.WriteString(c, part); err != nil {
			break // it has answered already
		}
	}
	text, _ := io.ReadAll(c)
	return string(text)
}

func TestHugeHeadersAreRefused(t *testing.T) {
	h := build(t)
	host := strings.TrimPrefix(h.url, "http://")
	got := h.raw(t, "GET / HTTP/1.1\r\nHost: "+host+"\r\nX-Long: ", strings.Repeat("a", 64<<10), "\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 431 ") {
		t.Errorf("= %.80q, want 431", got)
	}
	if got := h.learner().call("GET", "/healthz", nil); got.status != 200 {
		t.Errorf("afterwards healthz = %d", got.status)
	}
}

func TestSlowBodyIsGivenUp(t *testing.T) {
	h := build(t)
	h.server.slow = 100 * time.Millisecond
	p := h.learner()
	host := strings.TrimPrefix(h.url, "http://")
	cookie := p.client.Jar.Cookies(p.request("GET", "/", nil).URL)[0]
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /api/v1/sandboxes HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nCookie: %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", host, h.url, cookie)
	_ = c.SetReadDeadline(time.Now().Add(bodyTime))
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestTimeout {
		t.Errorf("= %d, want 408", response.StatusCode)
	}
}

// engineDown is an engine that does not answer.
type engineDown struct{ sandbox.Engine }

func (engineDown) Create(context.Context, sandbox.Spec) error {
	return fmt.Errorf("create: %w", sandbox.ErrUnavailable)
}

// noImage is an engine without the image.
type noImage struct{ sandbox.Engine }

func (noImage) Create(context.Context, sandbox.Spec) error {
	return fmt.Errorf("create: %w", sandbox.ErrImageMissing)
}

// strangeEngine fails in a way that nobody expected.
type strangeEngine struct{ sandbox.Engine }

func (strangeEngine) Create(context.Context, sandbox.Spec) error {
	return errors.New("flux capacitor at /secret/path")
}

func TestEngineFaultsAreToldWithTheCure(t *testing.T) {
	for _, test := range []struct {
		name   string
		engine func(sandbox.Engine) sandbox.Engine
		want   int
		code   string
	}{
		{"away", func(e sandbox.Engine) sandbox.Engine { return engineDown{e} }, 503, "engine-away"},
		{"no image", func(e sandbox.Engine) sandbox.Engine { return noImage{e} }, 503, "image-missing"},
		{"strange", func(e sandbox.Engine) sandbox.Engine { return strangeEngine{e} }, 500, "fault"},
	} {
		h := build(t, func(k *sandbox.KeeperConfig, _ *Config) { k.Engine = test.engine(k.Engine) })
		got := h.learner().call("POST", "/api/v1/sandboxes", map[string]string{"module": "os", "lab": "one"})
		p := got.problem()
		if got.status != test.want || p.Type != "urn:sysnerd:problem:"+test.code || p.Reference == "" {
			t.Errorf("%s: %d %s", test.name, got.status, got.body)
		}
		if strings.Contains(string(got.body), "flux") {
			t.Errorf("%s: the answer tells what only the log may: %s", test.name, got.body)
		}
		if !strings.Contains(h.log.String(), p.Reference) {
			t.Errorf("%s: the log lacks reference %s", test.name, p.Reference)
		}
	}
}

func TestFullHouseTellsPlaceAndTime(t *testing.T) {
	h := build(t, func(k *sandbox.KeeperConfig, _ *Config) { k.Capacity = 1 })
	h.learner().claim("one")
	got := h.learner().call("POST", "/api/v1/sandboxes", map[string]string{"module": "os", "lab": "one"})
	p := got.problem()
	if got.status != 503 || p.Place < 1 || got.header.Get("Retry-After") == "" || !strings.HasPrefix(p.Detail, "The one sandbox is in use. You are 1st, about ") {
		t.Errorf("= %d, Retry-After %q, %s", got.status, got.header.Get("Retry-After"), got.body)
	}
}

func TestReadinessSaysWhatIsMissing(t *testing.T) {
	h := build(t, func(_ *sandbox.KeeperConfig, c *Config) {
		c.Ready = func(context.Context) []Fault { return []Fault{{"image", "it is not built", "sysnerd image build"}} }
		c.Library = func() *labs.Library { return &labs.Library{} }
	})
	p := h.learner()
	got := p.call("GET", "/readyz", nil)
	var ready struct {
		Ready   bool
		Reasons []Fault
	}
	got.into(&ready)
	if got.status != 503 || ready.Ready || len(ready.Reasons) != 2 || ready.Reasons[0].Cure != "sysnerd image build" || ready.Reasons[1].Part != "content" {
		t.Errorf("readyz = %d %s", got.status, got.body)
	}
	if got := p.call("GET", "/healthz", nil); got.status != 200 {
		t.Errorf("healthz = %d %s", got.status, got.body)
	}
}
