package labs

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestEmbeddedCourseHasNoProblem(t *testing.T) {
	library, problems := Load(Embedded())
	for _, p := range problems {
		t.Error(p)
	}
	m, ok := library.Module("operating-systems")
	if !ok {
		t.Fatal("the course is not there")
	}
	lab, ok := m.Lab("syscall-boundary")
	if !ok {
		t.Fatal("lab 1 is not there")
	}
	var ids []string
	for _, task := range lab.Tasks {
		ids = append(ids, task.ID)
	}
	if got, want := strings.Join(ids, " "), "tally secret-path batching"; got != want {
		t.Errorf("tasks are %s, want %s", got, want)
	}
	if !strings.Contains(string(lab.Tasks[0].Goal), `<pre class="run" data-run><code>strace -c ls /`) {
		t.Errorf("the first task has no block to run:\n%s", lab.Tasks[0].Goal)
	}
}

// course is a small valid course; change overwrites files, or takes out those set to "-".
func course(change map[string]string) fstest.MapFS {
	files := map[string]string{
		"os/module.yaml":                        "schema: 1\nid: os\ntitle: OS\nsummary: All.\nminutes: 9\nsections:\n  - number: 5\n    title: Calls\n",
		"os/labs/01-one/lab.yaml":               "schema: 1\ntitle: One\nsummary: First.\nlevel: core\nminutes: 5\nsection: 5\nlimits:\n  memory: 512 MiB\n",
		"os/labs/01-one/lab.md":                 "Why.\n",
		"os/labs/01-one/tasks/10-a/task.md":     "---\nschema: 1\ntitle: A\nhints:\n  - Look.\nwhy: So.\n---\nDo it.\n",
		"os/labs/01-one/tasks/10-a/check.sh":    "pass yes\n",
		"os/labs/01-one/tasks/10-a/solve.sh":    "true\n",
		"os/labs/01-one/tasks/10-a/solution.md": "Run `true`.\n",
		"os/labs/01-one/tasks/10-a/wrong/no.sh": "#!/bin/bash\n# Not that.\nfalse\n",
	}
	for _, name := range []string{"lab.yaml", "lab.md", "tasks/10-a/task.md", "tasks/10-a/check.sh", "tasks/10-a/solve.sh", "tasks/10-a/solution.md"} {
		files["os/labs/02-two/"+name] = files["os/labs/01-one/"+name]
	}
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	for name, text := range change {
		if text == "-" {
			delete(fsys, name)
		} else {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return fsys
}

func TestLoadReadsEveryFile(t *testing.T) {
	library, problems := Load(course(nil))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	lab := library.Modules[0].Labs[0]
	if lab.Limits.Memory != 512<<20 || lab.SectionTitle != "Calls" || lab.Module != "os" {
		t.Errorf("lab is %+v", lab)
	}
	task := lab.Tasks[0]
	if task.Mode != Once || string(task.Goal) != "<p>Do it.</p>\n" || len(task.Hints) != 1 {
		t.Errorf("task is %+v", task)
	}
	if w := task.wrong[0]; w != (Wrong{Name: "no", Message: "Not that.", Script: "false\n"}) {
		t.Errorf("wrong is %+v", w)
	}
}

func TestLoadNamesPlaceAndCure(t *testing.T) {
	const lab = "os/labs/01-one/"
	yaml := string(course(nil)[lab+"lab.yaml"].Data)
	task := string(course(nil)[lab+"tasks/10-a/task.md"].Data)
	for _, c := range []struct {
		name   string
		change map[string]string
		want   string // the problem; the first when there are several
	}{
		{"unknown key", map[string]string{lab + "lab.yaml": yaml + "titel: x\n"}, `os/labs/01-one/lab.yaml:9: unknown key "titel"; the nearest valid key is "title"`},
		{"unknown inner key", map[string]string{lab + "lab.yaml": yaml + "  memroy: 1\n"}, `os/labs/01-one/lab.yaml:9: unknown key "memroy"; the nearest valid key is "memory"`},
		{"unknown key in front matter", map[string]string{lab + "tasks/10-a/task.md": strings.Replace(task, "title", "tittle", 1)}, `os/labs/01-one/tasks/10-a/task.md:3: unknown key "tittle"; the nearest valid key is "title"`},
		{"duplicate key", map[string]string{lab + "lab.yaml": yaml + "title: x\n"}, `os/labs/01-one/lab.yaml:9: mapping key "title" already defined; keep one of the two`},
		{"wrong type", map[string]string{lab + "lab.yaml": strings.Replace(yaml, "minutes: 5", "minutes: soon", 1)}, `os/labs/01-one/lab.yaml:5: a string does not fit here; write a int`},
		{"no schema", map[string]string{lab + "lab.yaml": strings.Replace(yaml, "schema: 1", "schema: 2", 1)}, `os/labs/01-one/lab.yaml:1: schema is 2; begin with schema: 1`},
		{"empty", map[string]string{lab + "lab.yaml": ""}, `os/labs/01-one/lab.yaml:1: is empty; begin with schema: 1`},
		{"two documents", map[string]string{lab + "lab.yaml": yaml + "---\na: b\n"}, `os/labs/01-one/lab.yaml:1: holds more than one document; take out all after the second ---`},
		{"level", map[string]string{lab + "lab.yaml": strings.Replace(yaml, "core", "hard", 1)}, `os/labs/01-one/lab.yaml:1: "level" is missing or makes no sense; add or mend it`},
		{"limits", map[string]string{lab + "lab.yaml": strings.Replace(yaml, "512 MiB", "lots", 1)}, `os/labs/01-one/lab.yaml: limits: memory: "lots" is no size; write it like 32 MiB; stay inside`},
		{"half a range", map[string]string{lab + "lab.yaml": yaml + "  memory-high: 1 GiB\n"}, `os/labs/01-one/lab.yaml: limits: memory-low and memory-high are the two ends of a range; name both or neither; stay inside`},
		{"a range beside its start", map[string]string{lab + "lab.yaml": yaml + "  memory-low: 600 MiB\n  memory-high: 1 GiB\n"}, `os/labs/01-one/lab.yaml: limits: memory 536870912 may be moved from 629145600 to 1073741824: want a range of 33554432 to 68719476736 with the memory inside; stay inside`},
		{"a range too low for what lies in memory", map[string]string{lab + "lab.yaml": yaml + "  memory-low: 128 MiB\n  memory-high: 1 GiB\n"}, `os/labs/01-one/lab.yaml: limits: home and tmp: with /run and /dev/shm they take 76546048 bytes, more than a third of the memory of 134217728; stay inside`},
		{"alias", map[string]string{lab + "lab.yaml": "a: &x 1\nb: *x\n"}, `os/labs/01-one/lab.yaml:1: "&": anchors, aliases, tags and directives are not taken; write the value out, in quotes if it is text`},
		{"deep flow", map[string]string{lab + "lab.yaml": "a: " + strings.Repeat("[", 100)}, `os/labs/01-one/lab.yaml:1: is nested too deep; use at most 32 levels`},
		{"deep block", map[string]string{lab + "lab.yaml": strings.Repeat("- ", 20000)}, `os/labs/01-one/lab.yaml:1: is nested too deep; use at most 32 levels`},
		{"blank lines", map[string]string{lab + "lab.yaml": "a: |" + strings.Repeat("\n", 100000)}, `os/labs/01-one/lab.yaml: has more than 4096 lines of YAML; split it or shorten it`},
		{"large", map[string]string{lab + "lab.yaml": strings.Repeat("#", 300<<10)}, `os/labs/01-one/lab.yaml: is larger than 256 KiB; split it or shorten it`},
		{"byte order mark", map[string]string{lab + "lab.yaml": "\xef\xbb\xbf" + yaml}, `os/labs/01-one/lab.yaml:1: starts with a byte order mark; save it as UTF-8 without one`},
		{"UTF-16", map[string]string{lab + "lab.yaml": "\xff\xfes\x00c\x00"}, `os/labs/01-one/lab.yaml:1: is not text in UTF-8; save it as UTF-8`},
		{"carriage return", map[string]string{lab + "tasks/10-a/check.sh": "true\npass x\r\n"}, `os/labs/01-one/tasks/10-a/check.sh:2: has a carriage return; end lines with a line feed alone`},
		{"missing check", map[string]string{lab + "tasks/10-a/check.sh": "-"}, `os/labs/01-one/tasks/10-a/check.sh: file does not exist; put it there`},
		{"unknown file", map[string]string{lab + "tasks/10-a/chek.sh": "x"}, `os/labs/01-one/tasks/10-a/chek.sh: is not known here; the nearest valid name is "check.sh"`},
		{"no front matter", map[string]string{lab + "tasks/10-a/task.md": "Do it.\n"}, `os/labs/01-one/tasks/10-a/task.md:1: has no front matter; begin with YAML between two lines of ---`},
		{"needs", map[string]string{lab + "tasks/10-a/task.md": strings.Replace(task, "hints", "needs: [b]\nhints", 1)}, `os/labs/01-one/tasks/10-a/task.md: needs "b", which does not come before it; name an earlier task`},
		{"no why", map[string]string{lab + "tasks/10-a/task.md": strings.Replace(task, "why: So.\n", "", 1)}, `os/labs/01-one/tasks/10-a/task.md:1: "why" is missing or makes no sense; add or mend it`},
		{"program out of its folder", map[string]string{lab + "tasks/10-a/task.md": strings.Replace(task, "why", "programs: [../x]\nwhy", 1)}, `os/labs/01-one/tasks/10-a/task.md: program "../x" is no name; name a program of images/programs, as in [mystery]`},
		{"bad id", map[string]string{lab + "tasks/20-B_b/x": ""}, `os/labs/01-one/tasks/20-B_b: "B_b" is no id; use 1 to 64 of a-z, 0-9 and -`},
		{"html", map[string]string{lab + "tasks/10-a/task.md": task + "\n<script>x</script>\n"}, `os/labs/01-one/tasks/10-a/task.md:10: HTML is not shown; write Markdown; put < in code type`},
		{"script link", map[string]string{lab + "lab.md": "a\n\n[x](javascript:alert(1))\n"}, `os/labs/01-one/lab.md:3: link to "javascript:alert(1)"; use http, https or a path below this page`},
		{"link out", map[string]string{lab + "lab.md": "[x](../../x)\n"}, `os/labs/01-one/lab.md:1: link to "../../x"; use http, https or a path below this page`},
		{"fence", map[string]string{lab + "lab.md": "```sh {rum}\nx\n```\n"}, `os/labs/01-one/lab.md:2: code block with {rum}; use {run}, {copy} or {term=2}`},
		{"deep quotes", map[string]string{lab + "lab.md": "a\n" + strings.Repeat("> ", 5000)}, `os/labs/01-one/lab.md:2: is nested too deep; use at most 16 levels`},
		{"deep lists", map[string]string{lab + "lab.md": strings.Repeat("* ", 5000)}, `os/labs/01-one/lab.md:1: is nested too deep; use at most 16 levels`},
		{"long text", map[string]string{lab + "lab.md": strings.Repeat("a", 70000)}, `os/labs/01-one/lab.md: is larger than 64 KiB; split it or shorten it`},
		{"wrong without message", map[string]string{lab + "tasks/10-a/wrong/no.sh": "#!/bin/bash\nfalse\n"}, `os/labs/01-one/tasks/10-a/wrong/no.sh:1: does not say which message it must get; begin with a comment that holds it`},
	} {
		t.Run(c.name, func(t *testing.T) {
			library, problems := Load(course(c.change))
			if len(problems) == 0 {
				t.Fatalf("no problem; want %s", c.want)
			}
			if got := problems[0].String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			m, ok := library.Module("os")
			if !ok {
				t.Fatal("the module is gone")
			}
			if _, ok := m.Lab("one"); ok {
				t.Error("the bad lab is there")
			}
			if _, ok := m.Lab("two"); !ok {
				t.Error("the bad lab hides the good one")
			}
		})
	}
}

func TestMarkdownOfCodeBlocks(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"```sh {run}\necho <a>\n```\n", "<pre class=\"run\" data-run><code>echo &lt;a&gt;\n</code></pre>\n"},
		{"```sh {run}{term=2}\nx\n```\n", "<pre class=\"run\" data-run data-term=\"2\"><code>x\n</code></pre>\n"},
		{"```sh {copy}\nx\n```\n", "<pre class=\"copy\" data-copy><code>x\n</code></pre>\n"},
		{"```c\nx\n```\n", "<pre><code>x\n</code></pre>\n"},
		{"```\nx\n```\n", "<pre><code>x\n</code></pre>\n"},
	} {
		got, problems := renderMarkdown([]byte(c.source))
		if len(problems) > 0 || string(got) != c.want {
			t.Errorf("renderMarkdown(%q) = %q, %v; want %q", c.source, got, problems, c.want)
		}
	}
}
