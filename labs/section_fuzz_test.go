package labs

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"
)

var (
	quoted  = regexp.MustCompile(`="[^"]*"`)
	links   = regexp.MustCompile(`(?i)href="\s*([a-z]+):`)
	actions = regexp.MustCompile(`(?i)<[a-z][^>]* (?:on[a-z]+|style)|<(?:iframe|object|embed|base|meta|link|img)\b|<script[^>]*>`)
)

// safe reports markup that would run something.
func safe(t *testing.T, markup string) {
	t.Helper()
	for _, found := range links.FindAllStringSubmatch(markup, -1) {
		if scheme := strings.ToLower(found[1]); scheme != "http" && scheme != "https" && scheme != "mailto" {
			t.Errorf("the page links to %q", found[0])
		}
	}
	bare := quoted.ReplaceAllString(strings.ReplaceAll(markup, `<script type="application/json" data-part="data">`, "<data>"), "")
	for _, found := range actions.FindAllString(bare, -1) {
		t.Errorf("the page holds %q:\n%s", found, markup)
	}
}

func fuzzed(t *testing.T, text []byte, file string) {
	began := time.Now()
	fsys := sample(t, "", "", "")
	fsys[file] = &fstest.MapFile{Data: text}
	library, problems := Load(fsys)
	lines := 1 + strings.Count(string(text), "\n")
	for _, p := range problems {
		if p.File == "" || p.Reason == "" || p.Cure == "" || p.Line < 0 || p.File == file && p.Line > lines || !utf8.ValidString(p.String()) {
			t.Errorf("problem %+v", p)
		}
	}
	m, ok := library.Module("os")
	if !ok || len(m.Sections) < 1 || len(m.Labs) != 1 {
		t.Errorf("one file hides others: %v", problems)
		return
	}
	for _, s := range m.Sections {
		safe(t, string(s.Body))
	}
	if took := time.Since(began); took > slow {
		t.Errorf("took %v", took)
	}
}

func FuzzSection(f *testing.F) {
	for _, name := range []string{"01-the-machine.md", "02-program-to-process.md"} {
		text, err := os.ReadFile("testdata/sample/os/sections/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	front := "---\nschema: 1\ntitle: The machine\nsummary: x\nminutes: 1\nlayer: line\nsources: {a: {text: x, url: \"https://x\"}}\n---\n"
	for _, s := range []string{
		"# a {onclick=x}\n", "## a {#b style=\"x\"}\n", "[a](section:)[^a][^", "*register*[^a]\n\n*register*", "```predict\n```", "> ```table\n> id: x\n", "- # {#x}\n",
		"[a](section:\"><script>)", "![^a](x)", "[x]: javascript:alert(1)\n[x]", "Setext {#x}\n===", "```sh {run status=999}\n```", "[^a]: note\n", "<dfn id=\"x\">",
	} {
		f.Add([]byte(front + s))
	}
	f.Fuzz(func(t *testing.T, text []byte) { fuzzed(t, text, first) })
}

func FuzzBlock(f *testing.F) {
	before, err := os.ReadFile("testdata/sample/os/sections/02-program-to-process.md")
	if err != nil {
		f.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?ms)^```(predict|recall|table|picture|stepper)\n(.*?)^```$").FindAllSubmatch(before, -1) {
		f.Add(string(block[1]), string(block[2]))
	}
	f.Add("picture", "kind: states\ntitle: \"</script><script>\"\nalt: \"<b>\"\ndata: {states: [{key: \"</script>\", name: a}, {key: b, name: \"`\"}], moves: [{from: b, to: b}]}\n")
	f.Add("recall", "id: x\nkind: text\nquestion: x\naccept: ['\"><script>']\nreplies: [{when: '\"><script>', reply: '[a](javascript:x)'}]\nanswer: x\n")
	f.Add("predict", "id: x\nquestion: x\noptions: ['\" onfocus=\"x', b]\nreply: x\n")
	f.Fuzz(func(t *testing.T, kind, yaml string) {
		if _, ok := concepts[kind]; !ok {
			return
		}
		fuzzed(t, []byte(strings.Replace(string(before), "## A file that runs", "```"+kind+"\n"+yaml+"\n```\n\n## A file that runs", 1)), second)
	})
}
