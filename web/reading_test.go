package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// page is what a person's browser asks for.
func (p *person) page(path string) answer {
	p.tb.Helper()
	return p.do(p.request("GET", path, nil, func(r *http.Request) { r.Header.Set("Accept", "text/html") }))
}

func (a answer) holds(t *testing.T, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("the page lacks %s:\n%s", want, a.body)
		}
	}
}

const readingPath = "/api/v1/modules/os/"

func TestSectionIsReadWithoutScript(t *testing.T) {
	h := build(t)
	p := h.learner()
	got := p.page("/os/sections/calls")
	if got.status != 200 || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("= %d, %v", got.status, got.header)
	}
	got.holds(t, "<title>05 Calls · sysnerd</title>", `<a href="/">Concepts</a> / <a href="/os">OS</a> / <b>05 Calls</b>`, "Section 5 of 6 · 10 min",
		`<a href="/os/sections/calls" aria-current="page">`, `<li><a href="#model">Model</a></li>`, `<dfn id="term-word">word</dfn>`,
		`<a href="/os/labs/one#task-nothing">Lab 1 one, nothing</a>`, `<a href="/os/labs/two">Lab 2 two</a>`, `<h2 id="h-sources">Sources</h2>`, `<a href="https://s.example/1">s(1)</a>`,
		`<a rel="prev" href="/os/sections/machine">01 The machine</a>`, `<sn-beside class="scripted" module="os" lab="one"`, "<details data-part=\"answer\">", `Later</span><span class="spoken">, not written yet`)
	if strings.Contains(string(got.body), `rel="next"`) || strings.Contains(string(got.body), "/os/sections/later") {
		t.Error("the page leads to a section that has no text")
	}
	for _, page := range []string{"/os/sections/later", "/os/sections/none", "/none/sections/calls", "/os/sections/..%2fcalls"} {
		got := p.page(page)
		if got.status != 404 {
			t.Errorf("GET %s = %d", page, got.status)
		}
		if !strings.Contains(page, "%2f") {
			got.holds(t, "No such section.", `<a class="main" href="/">Map</a>`)
		}
	}
	p.page("/os/labs/none").holds(t, "No such lab.")
	p.page("/none").holds(t, "No such page.")
	p.page("/os/none").holds(t, "No such page.")
	if got := p.call("GET", "/os/sections/none", nil); got.problem().Status != 404 {
		t.Errorf("a program is told %s", got.body)
	}
}

func TestMapModuleTermsAndGauntletPages(t *testing.T) {
	h := build(t)
	p := h.learner()
	p.page("/").holds(t, `<a class="main" href="/os/sections/machine">Begin</a>`, "<span>01 The machine, 10 min</span>", `<div class="band hardware">`, `<div class="band line">`,
		`<a href="/os">OS</a>`, "core · 9 min · 3 sections · 2 labs", `<a href="/os/gauntlet">Interview gauntlet</a> <span data-part="due">2 questions</span>`)
	p.page("/os").holds(t, "<title>OS · sysnerd</title>", `<table class="sections">`, "<td>0 of 3</td>", `<a href="/os/labs/one#task-nothing">Lab 1 one, nothing</a>`, "Later", "not written yet")
	p.page("/os/terms").holds(t, `<dt id="term-word">word</dt><dd>A &lt;b&gt;few&lt;/b&gt; <code>bytes</code>. <a href="/os/sections/calls#term-word">Calls</a></dd>`)
	p.page("/os/gauntlet").holds(t, `<li id="first" data-section="/os/sections/calls">`, "<h2>What is &lt;first&gt;?</h2>", "<li>four</li>", "<dt>And?</dt><dd>So.</dd>", `<a href="/os/labs/one#task-nothing">`)
}

func TestReadingIsKept(t *testing.T) {
	h := build(t)
	p := h.learner()
	read := func(p *person) []readingJSON {
		t.Helper()
		got := p.call("GET", readingPath+"reading", nil)
		if got.status != 200 {
			t.Fatalf("reading = %d %s", got.status, got.body)
		}
		var all struct{ Sections []readingJSON }
		got.into(&all)
		return all.Sections
	}
	if all := read(p); len(all) != 2 || all[0].ID != "machine" || all[0].Read || all[0].Recalled == nil || all[0].Labs != 2 || all[0].Recall != 3 || all[0].SeenAt != nil {
		t.Errorf("before anything: %+v", all)
	}
	put := func(body any) answer { return p.call("PUT", readingPath+"sections/calls/read", body) }
	if got := put(map[string]string{"heading": "limits"}); got.status != 200 {
		t.Fatalf("seen = %d %s", got.status, got.body)
	}
	p.page("/").holds(t, `<a class="main" href="/os/sections/calls#limits">Continue</a>`, "<span>05 Calls, “Limits”, 2 min</span>", `<li data-state="predicted"><a href="/os/sections/calls">`)
	for _, id := range []string{"x", "y"} {
		p.call("POST", readingPath+"sections/calls/recall", map[string]any{"question": id, "right": id == "x"})
	}
	put(map[string]string{})
	box := p.claim("one")
	p.check(box, "nothing")
	calls := read(p)[1]
	if !calls.Read || !slices.Equal(calls.Recalled, []string{"x"}) || !slices.Equal(calls.Missed, []string{"y"}) || calls.LabsDone != 1 || calls.SeenAt == nil || calls.Heading != "" {
		t.Errorf("section calls: %+v", calls)
	}
	p.page("/").holds(t, `href="/os/sections/machine">Begin</a>`)
	p.page("/os").holds(t, "<td>1 of 3</td>", "Lab 1 one, nothing</a>, done")
	for _, id := range []string{"y", "z"} {
		p.call("POST", readingPath+"sections/calls/recall", map[string]any{"question": id, "right": true})
	}
	p.page("/os/sections/machine").holds(t, `<li data-state="passed"><a href="/os/sections/calls">`, `<span class="spoken">, recalled</span>`)
	if other := read(h.learner()); other[1].Read || len(other[1].Recalled) != 0 {
		t.Errorf("another learner: %+v", other)
	}
	h = h.restart()
	if again := read(&person{h, p.client}); !again[1].Read || len(again[1].Recalled) != 3 {
		t.Errorf("after a restart: %+v", again)
	}
}

func TestBadReadingAndGauntletAreRefused(t *testing.T) {
	h := build(t)
	p := h.learner()
	mark := func(change string) string {
		all := map[string]string{"question": `"first"`, "points": "[0]", "marked_at": `"2026-01-02T03:04:05Z"`}
		key, value, _ := strings.Cut(change, "=")
		all[key] = value
		text := `{"marks":[{`
		for key, value := range all {
			text += `"` + key + `":` + value + ","
		}
		return strings.TrimSuffix(text, ",") + "}]}"
	}
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"PUT", "sections/none/read", "{}", 404},
		{"PUT", "sections/later/read", "{}", 404},
		{"PUT", "sections/calls/read", "", 415},
		{"PUT", "sections/calls/read", "[]", 400},
		{"PUT", "sections/calls/read", `{"heading":"nowhere"}`, 400},
		{"PUT", "sections/calls/read", `{"heading":1}`, 400},
		{"PUT", "sections/calls/read", `{"more":1}`, 400},
		{"GET", "sections/calls/read", "", 405},
		{"POST", "sections/calls/recall", `{}`, 400},
		{"POST", "sections/calls/recall", `{"question":"x"}`, 400},
		{"POST", "sections/calls/recall", `{"question":"none","right":true}`, 400},
		{"POST", "sections/calls/recall", `{"question":"x","right":"yes"}`, 400},
		{"POST", "sections/none/recall", `{"question":"x","right":true}`, 404},
		{"PUT", "gauntlet", "", 415},
		{"PUT", "gauntlet", `{"interview":"tomorrow"}`, 400},
		{"PUT", "gauntlet", `{"interview":"2026-02-30"}`, 400},
		{"PUT", "gauntlet", `{"interview":"9999-01-01"}`, 400},
		{"PUT", "gauntlet", `{"interview":null,"marks":null}`, 200},
		{"PUT", "gauntlet", mark("question=\"none\""), 400},
		{"PUT", "gauntlet", mark("points=[4]"), 400},
		{"PUT", "gauntlet", mark("points=[-1]"), 400},
		{"PUT", "gauntlet", mark("points=[1,1]"), 400},
		{"PUT", "gauntlet", mark("points=[1.5]"), 400},
		{"PUT", "gauntlet", mark("marked_at=\"today\""), 400},
		{"PUT", "gauntlet", mark("marked_at=\"2999-01-02T03:04:05Z\""), 400},
		{"PUT", "gauntlet", mark("marked_at=\"0000-01-02T03:04:05Z\""), 400},
		{"PUT", "gauntlet", mark("due=\"soon\""), 400},
		{"PUT", "gauntlet", mark("streak=1"), 400},
		{"PUT", "gauntlet", `{"marks":[` + strings.Repeat(`{"question":"first","points":[],"marked_at":"2026-01-02T03:04:05Z"},`, 2) + `{"question":"second","points":[],"marked_at":"2026-01-02T03:04:05Z"}]}`, 400},
		{"PUT", "gauntlet", mark("points=[0,3]"), 200},
	} {
		var body []byte
		if c.body != "" {
			body = []byte(c.body)
		}
		got := p.do(p.request(c.method, readingPath+c.path, body))
		if got.status != c.want {
			t.Errorf("%s %s %s = %d %s, want %d", c.method, c.path, c.body, got.status, got.body, c.want)
		} else if c.want != 200 {
			got.problem()
		}
	}
	for _, path := range []string{"reading", "gauntlet"} {
		if got := p.call("GET", "/api/v1/modules/none/"+path, nil); got.status != 404 {
			t.Errorf("%s of no module = %d", path, got.status)
		}
	}
}

func TestGauntletIsKeptAndComesBack(t *testing.T) {
	h := build(t)
	p := h.learner()
	call := func(method string, body any) gauntletJSON {
		t.Helper()
		got := p.call(method, readingPath+"gauntlet", body)
		if got.status != 200 {
			t.Fatalf("%s gauntlet = %d %s", method, got.status, got.body)
		}
		var g gauntletJSON
		got.into(&g)
		return g
	}
	if g := call("GET", nil); g.Interview != "" || g.Marks == nil || len(g.Marks)+len(g.ComesBack) != 0 {
		t.Errorf("before anything: %+v", g)
	}
	// The day is that of the learner, not the server's.
	mark := map[string]any{"question": "first", "points": []int{0, 1, 3}, "marked_at": "2026-01-02T23:30:00-05:00"}
	g := call("PUT", map[string]any{"marks": []any{mark}})
	if len(g.Marks) != 1 || g.Marks[0].Due != "2026-01-03" || g.Marks[0].Step != 1 || !slices.Equal(g.Marks[0].Points, []int{0, 1, 3}) {
		t.Errorf("marked: %+v", g)
	}
	if g := call("PUT", map[string]any{"interview": "2026-01-03"}); g.Marks[0].Due != "" || g.Interview != "2026-01-03" {
		t.Errorf("with an interview on the next day: %+v", g)
	}
	if g := call("PUT", map[string]any{"interview": ""}); g.Marks[0].Due != "2026-01-03" {
		t.Errorf("without one: %+v", g)
	}
	p.page("/").holds(t, `<span data-part="due">1 due today</span>`)
	p.call("POST", helpPath+"nothing/solution", nil)
	if g := call("GET", nil); !slices.Equal(g.ComesBack, []string{"first"}) {
		t.Errorf("after the solution was shown: %+v", g)
	}
	other := h.learner()
	other.call("POST", "/api/v1/modules/os/labs/two/tasks/file/solution", nil)
	var back gauntletJSON
	other.call("GET", readingPath+"gauntlet", nil).into(&back)
	if !slices.Equal(back.ComesBack, []string{"second"}) || len(back.Marks) != 0 {
		t.Errorf("another learner: %+v", back)
	}
	other.page("/").holds(t, `<span data-part="due">1 due today</span>`)
}

func TestSearchHoldsTheWholeText(t *testing.T) {
	h := build(t)
	p := h.learner()
	got := p.call("GET", "/os/search.json", nil)
	var all []foundHere
	got.into(&all)
	find := func(text string) (found foundHere) {
		for _, f := range all {
			if strings.Contains(f.Title+" "+f.Text, text) {
				return f
			}
		}
		return found
	}
	for text, want := range map[string]foundHere{
		"floccinaucinihilipilification": {Title: "One", Path: "/os/sections/machine#one", Section: "01 The machine"},
		"A hook of Calls":               {Title: "Calls", Path: "/os/sections/calls", Section: "05 Calls"},
		"few":                           {Title: "word", Path: "/os/terms#term-word", Section: "Terms"},
		"What then?":                    {Title: "What then?", Path: "/os/gauntlet#second", Section: "Interview gauntlet"},
		"two":                           {Title: "two", Path: "/os/labs/two", Section: "Lab 2"},
	} {
		found := find(text)
		if found.Text = ""; found != want {
			t.Errorf("%q is found in %+v, want %+v", text, found, want)
		}
	}
	again := p.call("GET", "/os/search.json", nil, func(r *http.Request) { r.Header.Set("If-None-Match", got.header.Get("ETag")) })
	if again.status != http.StatusNotModified || len(again.body) != 0 || got.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("asked again = %d, %q", again.status, got.header.Get("Cache-Control"))
	}
}

func TestPagesAndBundleAreCompressed(t *testing.T) {
	h := build(t)
	p := h.learner()
	script := h.server.pages.names["home.js"]
	plain := map[string]int{}
	for _, offer := range []string{"identity", "gzip", "deflate, GZIP;q=0.5", "br, *", "gzip;q=0", ""} {
		for _, path := range []string{"/os/sections/calls", "/assets/" + script, "/os/search.json"} {
			response, err := p.client.Transport.RoundTrip(p.request("GET", path, nil, func(r *http.Request) { r.Header.Set("Accept-Encoding", offer) }))
			if err != nil {
				t.Fatal(err)
			}
			var body io.Reader = response.Body
			packed := response.Header.Get("Content-Encoding") == "gzip"
			if packed {
				if body, err = gzip.NewReader(response.Body); err != nil {
					t.Fatal(err)
				}
			}
			text, err := io.ReadAll(body)
			response.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if offer == "identity" {
				plain[path] = len(text)
			}
			want := strings.Contains(offer, "*") || strings.Contains(strings.ToLower(offer), "gzip") && !strings.Contains(offer, "q=0")
			want = want || strings.Contains(offer, "q=0.5")
			want = want && plain[path] >= leastCompressed
			if packed != want || len(text) != plain[path] || !strings.Contains(response.Header.Get("Vary"), "Accept-Encoding") {
				t.Errorf("%s for %q: packed %v, %d bytes of %d, %v", path, offer, packed, len(text), plain[path], response.Header)
			}
			if strings.HasPrefix(path, "/assets/") && (response.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || !strings.Contains(response.Header.Get("Content-Type"), "javascript")) {
				t.Errorf("%s: %v", path, response.Header)
			}
		}
	}
}

// The gallery is for who works on the pages.
func TestGalleryIsThereWhileContentIsWatched(t *testing.T) {
	if got := build(t).learner().page("/gallery"); got.status != 404 {
		t.Errorf("gallery = %d", got.status)
	}
	h := build(t, watched(&drafts{}))
	want := 404
	if h.server.pages.has("gallery.js") {
		want = 200
	}
	if got := h.learner().page("/gallery"); got.status != want {
		t.Errorf("gallery while content is watched = %d, want %d", got.status, want)
	}
}

// No page asks another server for anything.
func TestPagesStayOnTheirServer(t *testing.T) {
	h := build(t)
	p := h.learner()
	for _, path := range []string{"/", "/os", "/os/sections/calls", "/os/gauntlet", "/os/terms", "/os/labs/one", "/progress"} {
		body := string(p.page(path).body)
		for _, attribute := range []string{` src="`, ` srcset="`, `<link rel="stylesheet" href="`, `<link rel="preload" href="`, `action="`} {
			for _, rest := range strings.Split(body, attribute)[1:] {
				if !strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, "//") {
					t.Errorf("%s: %s%.60s", path, attribute, rest)
				}
			}
		}
		if strings.Contains(body, "<style") || strings.Contains(body, " style=") || strings.Contains(body, "javascript:") {
			t.Errorf("%s holds styles or script of its own", path)
		}
	}
}
