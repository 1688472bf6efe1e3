package labs

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"sysnerd/sandbox"
)

// slow is far more than any input within the bounds may take.
const slow = 5 * time.Second

func FuzzLoad(f *testing.F) {
	valid := course(nil)
	add := func(name string) { f.Add(valid["os/labs/01-one/"+name].Data) }
	add("lab.yaml")
	add("tasks/10-a/task.md")
	for _, s := range []string{
		"schema: 1\nlimits: {memory: 1 GiB, cpus: 0.5}\n", "a: &x [*x]\n", "? - ? - ?", "a: |\n\n\n", "---\nschema: 1\npredict:\n  options: [a, b]\n---\n",
		"\xef\xbb\xbfschema: 1", "a: !!binary x", "%YAML 1.2\n---\n", "a: \"\\\n", "a: 99999999999999999999", "[]", "limits: 3", "hints: [[]]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		began := time.Now()
		for _, name := range []string{"module.yaml", "labs/01-one/lab.yaml", "labs/01-one/tasks/10-a/task.md"} {
			fsys := course(nil)
			fsys["os/"+name] = &fstest.MapFile{Data: text}
			library, problems := Load(fsys)
			for _, p := range problems {
				if p.File == "" || p.Reason == "" || p.Cure == "" || p.Line < 0 || p.Line > 1+strings.Count(string(text), "\n") || !utf8.ValidString(p.String()) {
					t.Errorf("%s: problem %+v", name, p)
				}
			}
			m, ok := library.Module("os")
			if !ok {
				continue
			}
			if _, ok := m.Lab("two"); !ok {
				t.Errorf("%s hides another lab", name)
			}
			if _, ok := m.Lab("one"); ok && len(problems) > 0 {
				t.Errorf("%s has problems, and the lab is there: %v", name, problems)
			}
		}
		if took := time.Since(began); took > slow {
			t.Errorf("took %v", took)
		}
	})
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{
		"# a\n\n```sh {run}{term=2}\nx\n```\n", "[a](javascript:x) <b> ![c](d) <http://e>", "| a | b |\n|---|---|\n| `<` | 1 |\n",
		"[x]: java\tscript:alert(1)\n[x]", "> > > - - -", "`` ` ``", "<scr<script>ipt>", "[a](<b c>) &lt;script&gt;", "```{=html}\n<b>\n```",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		if len(source) > 4096 {
			return
		}
		html, problems := renderMarkdown(source)
		if len(problems) > 0 {
			return // the lab is left out
		}
		page := strings.ToLower(string(html))
		for _, bad := range []string{"<script", "<img", "<iframe", "<style", "href=\"javascript:", "href=\"data:", "href=\"/", "onerror=\"", "<!--"} {
			if strings.Contains(page, bad) {
				t.Errorf("%q became %q", source, html)
			}
		}
	})
}

func FuzzResult(f *testing.F) {
	const token = "00112233445566778899aabbccddeeff"
	f.Add([]byte("hello\n"), 1)
	f.Add([]byte(token+" message a\\nb\n"+token+" observed \\\\x\n"), 0)
	f.Add([]byte(token+" attempted 1\n\xff\n"), 1)
	f.Add([]byte(token+"\n"+token+" \n"), 0)
	f.Fuzz(func(t *testing.T, stdout []byte, exit int) {
		r, err := readResult(sandbox.RunResult{Exit: exit, Stdout: stdout}, token)
		if err != nil {
			if r != (Result{}) && r.Message != "" {
				t.Errorf("broken, and yet %+v", r)
			}
			return
		}
		for _, s := range []string{r.Message, r.Expected, r.Observed, r.Evidence, r.Hint} {
			if !utf8.ValidString(s) || len(s) > maxDetail+8 {
				t.Errorf("%q", s)
			}
		}
		if r.Message == "" || strings.Contains(r.Message, "\n") || (r.Status == Pass) != (exit == 0) {
			t.Errorf("exit %d: %+v", exit, r)
		}
	})
}
