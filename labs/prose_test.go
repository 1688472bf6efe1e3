package labs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestSyllables(t *testing.T) {
	for _, c := range []struct {
		want  int
		words string
	}{
		{1, "the page asked called file files makes takes role rule freed tries does goes queue guard since eight VSZ 4,096 code"},
		{2, "kernel pages wanted needed table tables little uses causes caches reaches machine create being value every something someone timeline copied handled people isn't unique hundred million region science quiet really"},
		{3, "processor memory idea area translation somebody everything library created linear radio ratio period previous serious video sequential"},
		{4, "concurrency hierarchy variable copy-on-write allocator overcommit fragmentation"},
	} {
		for word := range strings.FieldsSeq(c.words) {
			if got := syllables(word); got != c.want {
				t.Errorf("syllables(%q) = %d, want %d", word, got, c.want)
			}
		}
	}
}

func TestMeasureOfAText(t *testing.T) {
	var m measure
	m.add(plain("The kernel takes `ps -o pid` away.\nIt waits.[^wait]"))
	if m.words != 7 || m.sentences != 2 || m.syllables != 9 {
		t.Errorf("got %+v, want 7 words, 2 sentences, 9 syllables", m)
	}
}

// plainSection is the text of a section at which nothing is to be mended.
func plainSection(number int) string {
	filler := func(sentences int) string {
		return strings.Repeat("The kernel looks at it and goes on with the next.\n", sentences)
	}
	recall := ""
	for i := range 3 {
		from := ""
		if i == 0 && number > 1 {
			from = "from: 1\n"
		}
		recall += fmt.Sprintf("```recall\nid: q%d\n%skind: aloud\nquestion: Say what it does.\npoints: [it goes on]\nanswer: It goes on.\n```\n\n", i, from)
	}
	return `---
schema: 1
title: "Section ` + fmt.Sprint(number) + `"
summary: What it does.
minutes: 10
layer: kernel
labs: []
sources:
  wait: {text: "wait(2)", url: "https://man7.org/linux/man-pages/man2/wait.2.html"}
---
Here is the hook.

` + "```predict\nid: first\nquestion: Which one is it?\noptions: [one, two]\nanswer: one\nreply: It is the first.\n```\n\n```sh {run}\nls /\n```\n" + `
## The model {#model}

### First move

` + filler(20) + "This is a *thing" + fmt.Sprint(number) + "*.[^wait]\n\n```sh {run}\nls -l\n```\n\n### Second move\n\n" + filler(20) +
		"\n```sh {run}\nls -a\n```\n\n### Third move\n\n" + filler(20) + "\n## See it {#see}\n\nIt takes about 5 ms.\n\n## The names {#names}\n\n" +
		"```table\nid: names\ntitle: Names\nrows:\n  - {name: one, text: The first.}\n  - {name: two, text: The second.}\n```\n\n" +
		"## Limits {#limits}\n\nIt has one limit.\n\n## Recall {#recall}\n\n" + recall
}

const (
	plainAnswer   = "It goes on with the next. "
	plainGlossary = `schema: 1
terms:
  - {term: thing1, also: [things1], section: 1, means: "What is first."}
  - {term: thing2, also: [], section: 2, means: "What is second."}
`
	plainFacts = `schema: 1
facts:
  - {fact: "how long it takes", value: "about 5 ms", section: 1, source: "wait(2)"}
  - {fact: "how long all take", value: "1 s", section: 1, source: "wait(2)"}
  - {fact: "what one round takes", value: "4 KiB", section: 2, source: "wait(2)"}
`
)

func plainGauntlet() string {
	return `schema: 1
questions:
  - id: a
    question: What does it do?
    probing: Whether it goes on.
    points: [it goes on, it waits, it looks, it ends]
    answer: >-
      ` + strings.Repeat(plainAnswer, 21) + `
    traps:
      - {ask: "What then?", answer: "It goes on. Then it ends."}
    see: []
    section: 1
`
}

func plainCourse() map[string]string {
	return map[string]string{
		"os/module.yaml": `schema: 1
id: os
title: A module
summary: What it holds.
minutes: 20
sections:
  - {number: 1, id: one, title: "Section 1"}
  - {number: 2, id: two, title: "Section 2"}
`,
		"os/sections/01-one.md": plainSection(1),
		"os/sections/02-two.md": plainSection(2),
		"os/glossary.yaml":      plainGlossary,
		"os/facts.yaml":         plainFacts,
		"os/gauntlet.yaml":      plainGauntlet(),
		"os/words.txt":          "# our own\nnginx # a server\n",
		"os/labs/.keep":         "",
	}
}

// dictionaryOf knows all words but those.
func dictionaryOf(not ...string) func(context.Context, []string) ([]string, error) {
	return func(_ context.Context, words []string) (unknown []string, err error) {
		for _, w := range words {
			if slices.Contains(not, w) {
				unknown = append(unknown, w)
			}
		}
		return unknown, nil
	}
}

func lintCourse(t *testing.T, files map[string]string) (said []string) {
	t.Helper()
	course := fstest.MapFS{}
	for name, text := range files {
		course[name] = &fstest.MapFile{Data: []byte(text)}
	}
	l := Linter{Commands: []string{"ls"}, Spelling: dictionaryOf("kernal", "glibc", "nginx's")}
	problems, err := l.Lint(t.Context(), course)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.File, "os/labs") {
			said = append(said, p.String())
		}
	}
	return said
}

// Each case puts text in the place of old, for as many times as that is there unless it
// says otherwise, and expects one finding; "" for none.
func TestLintOfACourse(t *testing.T) {
	const one, two, gauntlet = "os/sections/01-one.md", "os/sections/02-two.md", "os/gauntlet.yaml"
	long := strings.Repeat("word ", 30) + "end."
	for _, c := range []struct{ name, file, old, text, want string }{
		{"nothing", one, "", "", ""},
		{"spelling", one, "Here is the hook", "Here is the kernal", one + `:11: "kernal" is in no dictionary; mend it; a word that the course needs goes into words.txt`},
		{"spelling in a block", one, "It is the first", "It is the kernal", one + `:18: "kernal" is in no dictionary`},
		{"spelling in code", one, "Here is the hook", "Here is `the kernal`", ""},
		{"own word", one, "Here is the hook", "Here is nginx's hook", ""},
		{"word of the field", one, "Here is the hook", "Here is the hook of glibc", ""},
		{"forbidden word", one, "Here is the hook", "Here is just the hook", one + `:11: says "just"`},
		{"forbidden word in a block", one, "It is the first", "Of course it is", one + `:18: says "Of course"`},
		{"long sentence", one, "Here is the hook.", long, one + `:11: a sentence of 31 words`},
		{"long sentence with a source", one, "Here is the hook.", "Here is the hook.[^wait]\n" + long, one + `:12: a sentence of 31 words`},
		{"hook", one, "Here is the hook.", strings.Repeat("Here it is now.\n", 16), one + `:11: the hook has 64 words; say what is odd in 60`},
		{"too short", one, "The kernel looks at it and goes on with the next.", "It goes on.", one + `:1: has 197 words of prose; write 600 to 1000`},
		{"too long", one, "It has one limit.", strings.Repeat("It has one limit.\n", 120), one + `:1: has 1153 words of prose; write 600 to 1000`},
		{"mean", one, "The kernel looks at it and goes on with the next.", "The kernel looks at it and goes on with the next one that is to be looked at now.", one + `:1: a sentence has 18.`},
		{"grade", one, "The kernel looks at it and goes on with the next.", "Considerable computational infrastructure necessitates comprehensive administration.", one + `:1: reads at grade `},
		{"nothing to do", one, "```sh {run}\nls -l\n```", "", one + `:55: more than 250 words with nothing to do`},
		{"term of a later section", one, "It has one limit.", "It has one Thing2.", one + `:121: uses "Thing2", which section 2 explains; say it in other words, or say section 2 beside it`},
		{"term of a later section, with its number", one, "It has one limit.", "Section 2 tells what a thing2 is.", ""},
		{"term of a later section, with a link", one, "It has one limit.", "It has a [thing2](section:two).", ""},
		{"term before its definition", one, "Here is the hook.", "Here are things1.", one + `:11: uses "things1" before its *thing1*`},
		{"term in a block before", two, "It is the first", "It is thing2", two + `:18: uses "thing2" before its *thing2*`},
		{"term of an earlier section", two, "Here is the hook.", "Here are things1.", ""},
		{"term that is not explained", two, "*thing2*", "thing", two + `:1: glossary.yaml says that "thing2" is explained here`},
		{"nine names", one, "  - {name: two, text: The second.}\n", strings.Repeat("  - {name: two, text: The second.}\n", 8), one + `:109: names 9 terms; keep the 8`},
		{"figure without a fact", one, "It has one limit.", "It has a limit of 7 GiB.", one + `:121: "7 GiB" is in no fact of section 1 or before; put it into facts.yaml with its source, or say that it is yours`},
		{"figure of a later section", one, "It has one limit.", "It takes 4 KiB.", one + `:121: "4 KiB" is in no fact of section 1`},
		{"figure in another unit", two, "It has one limit.", "It takes 4,096 bytes, or 5,000 µs.", ""},
		{"factor of two facts", two, "It has one limit.", "It is 200 × as long.", ""},
		{"factor of no facts", two, "It has one limit.", "It is 100 × as long.", two + `:121: "100 ×" is in no fact`},
		{"figure of the reader", one, "It has one limit.", "It was 7 GiB; that is yours.", ""},
		{"figure of a run", one, "ls -l\n", "ls -l # of 7 GiB\n", ""},
		{"figure in code", one, "It has one limit.", "It has `7 GiB`.", ""},
		{"command that is not in the image", one, "ls -a", "lsof -a", one + `:79: the image has no command "lsof"`},
		{"caption of a picture", one, "It has one limit.", "It has.\n\n```picture\nkind: cycle\ntitle: Just a ring\nalt: Two steps.\ndata: {steps: [{name: a}, {name: b}]}\n```", one + `:125: says "Just"`},
		{"answer too short", gauntlet, strings.Repeat(plainAnswer, 21), plainAnswer, gauntlet + `:8: the answer has 6 words; say it in 120 to 180`},
		{"answer too long", gauntlet, strings.Repeat(plainAnswer, 21), strings.Repeat(plainAnswer, 31), gauntlet + `:8: the answer has 186 words`},
		{"first sentence", gauntlet, strings.Repeat(plainAnswer, 4), strings.Repeat("word ", 21) + "end. ", gauntlet + `:8: the first sentence has 22 words; answer in 20, then explain`},
		{"slash", gauntlet, strings.Repeat(plainAnswer, 21), "It goes on/off. " + strings.Repeat(plainAnswer, 20), gauntlet + `:8: the answer has "/", which cannot be said aloud`},
		{"brackets in code", gauntlet, strings.Repeat(plainAnswer, 21), "It calls `exit()`. " + strings.Repeat(plainAnswer, 20), gauntlet + `:8: the answer has "(", which`},
		{"path in code", gauntlet, strings.Repeat(plainAnswer, 21), "Look at `/proc`. " + strings.Repeat(plainAnswer, 20), ""},
		{"trap of one sentence", gauntlet, "It goes on. Then it ends.", "It goes on.", gauntlet + `:10: the answer to a trap has 1 sentences; answer in 2`},
		{"trap with an arrow", gauntlet, "Then it ends.", "Then one -> two.", gauntlet + `:10: the answer has "->"`},
		{"meaning of two sentences", "os/glossary.yaml", "What is first.", "What is first. It is.", "os/glossary.yaml:3: a meaning of 2 sentences; say it in one"},
		{"forbidden word in a meaning", "os/glossary.yaml", "What is first.", "Simply the first.", `os/glossary.yaml:3: says "Simply"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := plainCourse()
			if !strings.Contains(files[c.file], c.old) {
				t.Fatalf("%s holds no %q", c.file, c.old)
			}
			if c.old != "" {
				files[c.file] = strings.ReplaceAll(files[c.file], c.old, c.text)
			}
			if c.name == "figure of a run" {
				files[one] = strings.Replace(files[one], "It has one limit.", "It has 7 GiB.", 1)
			}
			said := lintCourse(t, files)
			if c.want == "" {
				if len(said) > 0 {
					t.Errorf("got %q, want nothing", said)
				}
				return
			}
			if !slices.ContainsFunc(said, func(s string) bool { return strings.HasPrefix(s, c.want) }) {
				t.Errorf("got  %q\nwant %s", said, c.want)
			}
		})
	}
}

func TestHunspell(t *testing.T) {
	unknown, err := Hunspell(t.Context(), []string{"kernel", "kernal", "colour", "isn't", "what's"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(unknown, []string{"kernal"}) {
		t.Errorf("unknown are %q, want kernal alone", unknown)
	}
}

func TestHunspellThatIsAbsentIsNamedWithItsCure(t *testing.T) {
	bare := t.TempDir()
	t.Setenv("PATH", bare)
	_, err := Hunspell(t.Context(), []string{"kernel"})
	if err == nil || !strings.Contains(err.Error(), "apt-get install hunspell hunspell-en-gb") {
		t.Errorf("without the program: %v", err)
	}
	// It says what the real one does without its dictionary.
	script := "#!/bin/sh\necho 'Cannot open affix or dictionary files for dictionary named \"en_GB\".' >&2\nexit 1\n"
	if err := os.WriteFile(bare+"/hunspell", []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = Hunspell(t.Context(), []string{"kernel"})
	if err == nil || !strings.Contains(err.Error(), "no dictionary en_GB") {
		t.Errorf("without the dictionary: %v", err)
	}
}

func TestLintSaysThatSpellingCouldNotBeLookedAt(t *testing.T) {
	broken := errors.New("no program")
	l := Linter{Spelling: func(context.Context, []string) ([]string, error) { return nil, broken }}
	course := fstest.MapFS{}
	for name, text := range plainCourse() {
		course[name] = &fstest.MapFile{Data: []byte(text)}
	}
	if _, err := l.Lint(t.Context(), course); !errors.Is(err, broken) {
		t.Errorf("Lint: %v, want %v", err, broken)
	}
}
