package labs

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// sample is the sample course with a change: in a file, the first old becomes new.
func sample(t *testing.T, file, old, new string) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	var add func(dir string)
	add = func(dir string) {
		entries, err := os.ReadDir("testdata/sample/" + dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := dir + "/" + e.Name()
			if e.IsDir() {
				add(name)
				continue
			}
			text, err := os.ReadFile("testdata/sample/" + name)
			if err != nil {
				t.Fatal(err)
			}
			fsys[name] = &fstest.MapFile{Data: text}
		}
	}
	add("os")
	if file == "" {
		return fsys
	}
	if old == "" {
		fsys[file] = &fstest.MapFile{Data: []byte(new)}
		return fsys
	}
	text := ""
	if fsys[file] != nil {
		text = string(fsys[file].Data)
	}
	if !strings.Contains(text, old) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	fsys[file] = &fstest.MapFile{Data: []byte(strings.Replace(text, old, new, 1))}
	return fsys
}

const (
	first  = "os/sections/01-the-machine.md"
	second = "os/sections/02-program-to-process.md"
)

// Each row spoils one thing in the sample course. The first problem has to be want, that
// section must be gone, and the other still there.
func TestBadSectionsAreRefusedWithPlaceAndCure(t *testing.T) {
	for _, c := range []struct{ name, file, old, new, want string }{
		{"unknown block", first, "```predict", "```predcit", `:15: unknown block "predcit"; the nearest that there is is "predict"`},
		{"word behind a block", first, "```predict", "```predict {run}", `:15: block "predict {run}"; write the word predict alone`},
		{"block in a list", first, "Memory holds the rest.", "- a\n\n  ```table\n  id: x\n  ```", `: a concept block stands inside of something; begin it at the left margin`},
		{"YAML of a block", first, "input: number", "input: [number", `mend the YAML there`},
		{"key of a block", first, "input: number", "inptu: number", `:18: unknown key "inptu"; the nearest valid key is "input"`},
		{"inner key of a block", first, "colour: cpu}\n    - {name: memory", "color: cpu}\n    - {name: memory", `: unknown key "color"; the nearest valid key is "colour"`},
		{"empty block", first, "id: threads\nquestion: What does `nproc` print?\ninput: number\nreply: \"It prints what *your* sandbox may use.\"\n", "", `:16: is empty; write its keys between the two fences`},
		{"deep block", first, "input: number", "input: " + strings.Repeat("[", 100), `is nested too deep; use at most 32 levels`},
		{"alias in a block", first, "input: number", "input: *x", `anchors, aliases, tags and directives are not taken; write the value out, in quotes if it is text`},
		{"type in a block", second, "from: 1\n", "from: first\n", `a string does not fit here; write a int`},

		{"no front matter", first, "---\nschema", "schema", `:1: has no front matter; begin with YAML between two lines of ---`},
		{"no schema", first, "schema: 1", "schema: 3", `:1: schema is 3; begin with schema: 1`},
		{"unknown key", first, "layer: hardware", "laier: hardware", `:6: unknown key "laier"; the nearest valid key is "layer"`},
		{"layer", first, "layer: hardware", "layer: hardwear", `:6: layer "hardwear"; the nearest that is there is "hardware"`},
		{"minutes", first, "minutes: 10", "minutes: 0", `:1: "minutes" is missing or makes no sense; add or mend it`},
		{"another title", first, "title: The machine", "title: A machine", `:3: module.yaml calls section 1 "The machine"; use one title in both`},
		{"lab", first, "labs: [boundary]", "labs: [boundry]", `:7: there is no lab "boundry"; the nearest that is there is "boundary"`},
		{"task", second, "labs: [boundary/tally]", "labs: [boundary/taly]", `:7: lab boundary has no task "taly"; the nearest that is there is "tally"`},
		{"source address", first, "https://www.intel.com/sdm", "javascript:alert(1)", `:9: source "sdm" needs an id of a-z, 0-9 and -, a text, and a url with http or https; mend it`},
		{"unknown source", first, "holds.[^sdm]", "holds.[^smd]", `:28: source "smd" is not in the front matter; the nearest that is there is "sdm"`},
		{"source without a claim", first, "holds.[^sdm]", "holds.", `:9: no sentence names source "sdm"; write [^sdm] behind its claim, or take it out`},

		{"heading out of order", first, "{#see}", "{#sea}", `: heading {#sea}; write "## … {#see}" here: the order is model, see, names, limits, recall`},
		{"heading twice", first, "### Memory", "### Registers", `: the id "registers" is taken by a heading; give it another`},
		{"heading too many", first, "## Recall {#recall}", "## Recall {#recall}\n\n## More {#more}", `: heading {#more}; take it out`},
		{"heading missing", first, "## What the picture leaves out {#limits}", "Here:", `: heading {#recall}; write "## … {#limits}" here: the order is model, see, names, limits, recall`},
		{"last heading missing", first, "## Recall {#recall}", "Recall:", `a recall block stands above {#recall}; move it below that heading`},
		{"title in the text", first, "## What computes", "# Title\n\n## What computes", `: heading of level 1; use ## and ###; the title is in the front matter`},
		{"attribute of a heading", first, "{#model}", "{#model onclick=x}", `: heading with {onclick}; use an id alone, as in {#model}`},
		{"id of the page", first, "{#model}", "{#text}", `: the id "text" is taken by the page; give it another`},
		{"few moves", first, "### Memory", "**Memory**", `: the model has 2 third-level headings; build it in 3 to 5 moves, each below a ###`},
		{"hook without a run", first, "```sh {run}\nnproc", "```sh\nnproc", `: the hook has no predict block, or nothing to run; above the first heading, ask by a predict block and give a {run} block`},

		{"link to a section", first, "section:program-to-process", "section:program-to-proces", `: there is no section "program-to-proces"; the nearest that is there is "program-to-process"`},
		{"link to a heading", first, "#model)", "#modle)", `: section program-to-process has no "modle"; the nearest that is there is "model"`},
		{"link to a lab", second, "lab:boundary/tally", "lab:bondary/tally", `: link to "lab:bondary/tally": there is no lab "bondary"; the nearest that is there is "boundary"`},
		{"link to a task", second, "lab:boundary/tally", "lab:boundary/tali", `: link to "lab:boundary/tali": lab boundary has no task "tali"; the nearest that is there is "tally"`},
		{"link to a question", second, "gauntlet:q1", "gauntlet:q9", `: link to "gauntlet:q9": there is no such question; the nearest that is there is "a-out"`},
		{"link with script", second, "gauntlet:q1", "javascript:alert(1)", `: link to "javascript:alert(1)"; use http, https, section:, lab: or gauntlet:`},
		{"link beside the page", second, "gauntlet:q1", "../secret", `: link to "../secret"; use http, https, section:, lab: or gauntlet:`},
		{"HTML", second, "One call, and two return.", "One call, <b>two</b> return.", `:11: HTML is not shown; write Markdown; put < in code type`},
		{"HTML in a block", first, "It prints what", "<script>x</script> It prints what", `:19: HTML is not shown; write Markdown; put < in code type`},
		{"picture from outside", second, "One call, and two return.", "![x](https://x.example/x.png)", `:11: pictures are not served; draw it with a picture block`},
		{"braces of a fence", second, "```sh {run}\nps", "```sh {rum}\nps", `: code block with {rum}; use {run}, {run status=1}, {copy} or {term=2}`},
		{"exit status", second, "{run status=1}", "{run status=300}", `: code block with {status=300}: a status is at most 255; use {run}, {run status=1}, {copy} or {term=2}`},
		{"paragraphs in a block", first, "reply: \"It prints what *your* sandbox may use.\"", "reply: \"It prints.\\n\\nThat.\"", `is more than one paragraph; take out the blank line`},
		{"deep lists", second, "One call, and two return.", strings.Repeat("* ", 5000), `:11: is nested too deep; use at most 16 levels`},
		{"large", second, "One call, and two return.", strings.Repeat("a", 70000), `: is larger than 64 KiB; split it or shorten it`},
		{"carriage return", second, "One call,", "One call,\r", `:11: has a carriage return; end lines with a line feed alone`},
		{"bytes that are no text", second, "One call,", "One \xff call,", `:11: is not text in UTF-8; save it as UTF-8`},

		{"predict without a reply", second, "reply: The head, your shell, and `ps` itself.\n", "", `:14: predict: "reply" is missing or makes no sense; add or mend it`},
		{"predict with an odd answer", second, "answer: 3\nreply", "answer: 4\nreply", `:17: the answer is not among the options; the nearest that is there is "1"`},
		{"predict with one option", second, "options: [1, 2, 3]\nanswer: 3", "options: [1]\nanswer: 1", `: predict has one option; give two or more`},
		{"predict with both", second, "options: [1, 2, 3]", "options: [1, 2, 3]\ninput: text", `: predict has options and input, or neither; give two options or more, or input: number, or input: text`},
		{"predict's input", first, "input: number", "input: nubmer", `: input "nubmer"; the nearest that is there is "number"`},
		{"predict's id", first, "id: threads", "id: THREADS", `: "predict-THREADS" is no id; use 1 to 64 of a-z, 0-9 and -`},

		{"recall's kind", first, "kind: aloud", "kind: alloud", `: kind "alloud"; the nearest that is there is "aloud"`},
		{"no right option", first, ", right: true}", ", reply: x}", `: no option is right, or there is one alone; give two or more, one of them with right: true`},
		{"two right options", second, "{say: \"one\", reply: \"One called it; two come back.\"}", "{say: \"one\", right: true}", `: two options are right; leave one`},
		{"wrong option without a reply", first, `, reply: "Memory is about 300 times further away."`, "", `: option 2 is not right and has no reply; say what is the case, for who believes that`},
		{"text that accepts nothing", first, "accept: [register, a register]\n", "", `: kind: text lacks accept; add them`},
		{"points of a choice", first, "points: [memory is far away, programs touch the same again]", "points: [x]\naccept: [x]", `: accept belongs to kind: text; take it out, or change the kind`},
		{"from itself", second, "from: 1\n", "from: 2\n", `: from: 2 is no earlier section; name one before 2, or leave it out`},
		{"none from before", second, "from: 1\n", "", `: 0 recall blocks come from an earlier section; give from: to exactly one of the three`},
		{"recall twice", first, "id: holds", "id: nearest", `: the id "recall-nearest" is taken by another recall block; give it another`},

		{"table's rows", first, "name: register, text: \"In the processor.\"", "name: register", `: row 1 lacks name or text; write both`},
		{"table's columns", first, "columns: [Place, What is true of it]", "columns: [Place]", `: table has 1 columns; name two, or leave them out`},
		{"hue", first, `further away.[^lscpu]", show: "free -m", colour: memory`, `further away.[^lscpu]", colour: purple`, `: colour "purple"; the nearest that is there is`},

		{"stepper's kind", second, "kind: birth", "kind: brith", `: kind "brith"; the nearest that is there is "birth"`},
		{"stepper's scene", second, "draw: exec", "draw: exce", `: draw "exce"; the nearest that is there is "exec"`},
		{"stepper that asks nothing", second, `, ask: {question: "Which register?", options: [rax, rsp], answer: rax, reply: "The kernel reads it there."}`, "", `: the stepper asks nothing; give ask: to one step or more`},
		{"stepper's answer", second, "answer: rax", "answer: rxa", `: the answer of step 2 is not among its options; the nearest that is there is "rax"`},
		{"stepper's caption", second, `caption: "It does the work."`, `caption: "` + strings.Repeat("word ", 41) + `"`, `: the caption has 41 words; say it in 40`},
		{"stepper's id", second, "id: lost\n", "id: see\n", `: the id "see" is taken by a stepper; give it another`},
		{"stepper's address", second, "{title: split, caption", `{title: split, address: "4021a8", caption`, `: address "4021a8"; write it like "0x004021a8", in quotes, with at most 48 bits`},

		{"picture's kind", second, "kind: states", "kind: sates", `: kind "sates"; the nearest that is there is "states"`},
		{"picture without words", second, "alt: Nine bits choose an entry in each of four tables.\n", "", `: picture: "alt" is missing or makes no sense; add or mend it`},
		{"page size", second, "page: 4096", "page: 4000", `: a page of 4000 bytes; use 4096, 2097152 or 1073741824`},
		{"levels", second, "levels: 4", "levels: 9", `: 9 levels; use 4 or 5`},
		{"address of a page", second, `{address: "0x004021a8"`, `{address: "0xffffffffffffffffff"`, `write it like "0x004021a8", in quotes, with at most 48 bits`},
		{"state that is not there", second, "from: R, to: S", "from: R, to: X", `: to "X"; the nearest that is there is "R"`},
		{"state twice", second, "key: S, name: sleeping}\n    - {key: Z", "key: R, name: sleeping}\n    - {key: Z", `: state "R" comes twice; keep one of the two`},
		{"descriptor that leads nowhere", second, "{fd: 3, to: b}", "{fd: 3, to: c}", `: to "c"; the nearest that is there is`},
		{"descriptor below zero", second, "{fd: 0, to: a}", "{fd: -1, to: a}", `: descriptor -1; count from 0`},
		{"no time", first, "ns: 0.3", "ns: 0", `: row 1: "ns" is missing or makes no sense; add or mend it`},
		{"way to grow", second, "grows: up", "grows: left", `: grows "left"; the nearest that is there is`},
		{"layers", first, "  kernel: [scheduler, memory, files]\n", "", `: picture: "kernel" is missing or makes no sense; add or mend it`},
		{"cycle of one", first, "    - {name: decode, say: \"see what it asks\"}\n    - {name: execute, say: \"do it\"}\n", "", `: picture: "steps" is missing or makes no sense; add or mend it`},
	} {
		t.Run(c.name, func(t *testing.T) {
			library, problems := Load(sample(t, c.file, c.old, c.new))
			if len(problems) == 0 {
				t.Fatalf("no problem; want %s", c.want)
			}
			got := problems[0].String()
			if !strings.HasPrefix(got, c.file+":") || !strings.HasSuffix(got, c.want) && !(strings.HasSuffix(c.want, " is") && strings.Contains(got, c.want)) {
				t.Errorf("got  %s\nwant …%s", got, c.want)
			}
			m, ok := library.Module("os")
			if !ok {
				t.Fatal("the module is gone")
			}
			shown := strings.HasPrefix(c.name, "link to a ")
			for _, s := range m.Sections {
				if s.file == c.file && !shown {
					t.Error("the bad section is there")
				}
			}
			if shown && len(m.Sections) != 2 {
				t.Error("a link that leads nowhere hides its section")
			}
			if len(m.Sections) < 1 {
				t.Error("the bad section hides the good one")
			}
			if len(m.Labs) != 1 || len(m.Gauntlet) != 2 {
				t.Error("the bad section hides labs or questions")
			}
		})
	}
}

// Problems of the other files, and of names.
func TestBadCourseFilesAreRefusedWithPlaceAndCure(t *testing.T) {
	for _, c := range []struct{ name, file, old, new, want string }{
		{"section without a number", "os/sections/signals.md", "", "x", `os/sections/signals.md: its number is not in module.yaml; begin the name with the number of a section there, as in 05-signals.md`},
		{"number that is not there", "os/sections/09-signals.md", "", "x", `os/sections/09-signals.md: its number is not in module.yaml; begin the name with the number of a section there, as in 05-signals.md`},
		{"another id", "os/sections/03-other.md", "", "x", `os/sections/03-other.md: module.yaml calls section 3 "not-written"; give the file that name, or change it there`},
		{"number twice", "os/sections/002-program-to-process.md", "", "x", `os/sections/002-program-to-process.md:1: has no front matter; begin with YAML between two lines of ---`},
		{"no section", "os/sections/notes.txt", "", "x", `os/sections/notes.txt: is no section; name it like 05-system-calls.md, or take it out`},
		{"id in module.yaml", "os/module.yaml", "id: the-machine", "id: The_Machine", `os/module.yaml: section 1: "The_Machine" is no id; use 1 to 64 of a-z, 0-9 and -`},
		{"file of the module", "os/glosary.yaml", "", "x", `os/glosary.yaml: is not known here; the nearest valid name is "glossary.yaml"`},

		{"gauntlet's key", "os/gauntlet.yaml", "probing:", "probbing:", `os/gauntlet.yaml:5: unknown key "probbing"; the nearest valid key is "probing"`},
		{"gauntlet's inner key", "os/gauntlet.yaml", "- ask: Who", "- aks: Who", `os/gauntlet.yaml:11: unknown key "aks"; the nearest valid key is "ask"`},
		{"few points", "os/gauntlet.yaml", "points: [the shell forks, the child calls exec, ", "points: [", `os/gauntlet.yaml:3: question 1 has 2 points; name 4 to 7`},
		{"long point", "os/gauntlet.yaml", "measure it]", "and one that nobody can take in at once here]", `os/gauntlet.yaml:15: point "and one that nobody can take in at once here" has 10 words; use 1 to 8`},
		{"question twice", "os/gauntlet.yaml", "id: registers", "id: a-out", `os/gauntlet.yaml:15: a question "a-out" is there already; give it another id`},
		{"question's task", "os/gauntlet.yaml", "see: [boundary/tally]", "see: [boundary/taly]", `os/gauntlet.yaml:3: lab boundary has no task "taly"; the nearest that is there is "tally"`},
		{"question's section", "os/gauntlet.yaml", "section: 2", "section: 7", `os/gauntlet.yaml:3: question 1: "section" is missing or makes no sense; add or mend it`},
		{"trap without an answer", "os/gauntlet.yaml", "        answer: Nobody does. They stay open unless they are marked to be closed.\n", "", `os/gauntlet.yaml:3: a trap of question 1 lacks ask or answer; write both`},
		{"no questions", "os/gauntlet.yaml", "", "schema: 1\n", `os/gauntlet.yaml:1: "questions" is missing or makes no sense; add or mend it`},
		{"list without a schema", "os/glossary.yaml", "", "- {term: x}\n", `os/glossary.yaml:1: `},
		{"term without a meaning", "os/glossary.yaml", `, means: "A place inside the processor that holds one value."`, "", `os/glossary.yaml:3: term 1: "means" is missing or makes no sense; add or mend it`},
		{"term twice", "os/glossary.yaml", "also: [processes]", "also: [Registers]", `os/glossary.yaml:4: "registers" is a form of "register" already; keep one of the two`},
		{"term of signs", "os/glossary.yaml", "term: register,", `term: "…",`, `os/glossary.yaml:3: term "…" has no letter or digit; write it in words`},
		{"fact without a source", "os/facts.yaml", ", source: measured on one machine", "", `os/facts.yaml:3: fact 1: "source" is missing or makes no sense; add or mend it`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := Load(sample(t, c.file, c.old, c.new))
			if len(problems) == 0 {
				t.Fatalf("no problem; want %s", c.want)
			}
			if got := fmt.Sprint(problems[0]); !strings.HasPrefix(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// One bad entry hides no other.
func TestOneBadQuestionHidesNoOther(t *testing.T) {
	library, problems := Load(sample(t, "os/gauntlet.yaml", "    probing: Whether you name the caches.\n", ""))
	m, ok := library.Module("os")
	if !ok || len(problems) != 1 || len(m.Gauntlet) != 1 || m.Gauntlet[0].ID != "a-out" || len(m.Sections) != 2 {
		t.Errorf("questions %+v, problems %v", m.Gauntlet, problems)
	}
}

// A section that links to the questions of a file that cannot be read is shown.
func TestBrokenGauntletHidesNoSection(t *testing.T) {
	library, problems := Load(sample(t, "os/gauntlet.yaml", "schema: 1", "schema: ["))
	m, ok := library.Module("os")
	if !ok || len(problems) != 1 || len(m.Gauntlet) != 0 || len(m.Sections) != 2 {
		t.Errorf("sections %v, problems %v", m.Sections, problems)
	}
}

// A section that was sound stays while its file is broken.
func TestKeepHoldsOnToSections(t *testing.T) {
	last, problems := Load(sample(t, "", "", ""))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	next, problems := Load(sample(t, first, "layer: hardware", "layer: cellar"))
	kept := Keep(last, next, problems)
	m, _ := kept.Module("os")
	if n := len(next.Modules[0].Sections); n != 1 || len(m.Sections) != 2 || m.Sections[0].Number != 1 {
		t.Errorf("%d sections loaded, kept %v", n, m.Sections)
	}
	next, problems = Load(sample(t, "os/gauntlet.yaml", "section: 2", "section: 9"))
	if m, _ := Keep(last, next, problems).Module("os"); len(m.Gauntlet) != 2 {
		t.Errorf("%d questions kept", len(m.Gauntlet))
	}
}
