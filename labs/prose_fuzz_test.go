package labs

import (
	"strings"
	"testing"
)

// FuzzProse feeds texts of strangers to all that looks at prose: what is found lies
// inside of the text, and nothing is counted that is not there.
func FuzzProse(f *testing.F) {
	f.Add(plainSection(1), plainGauntlet())
	f.Add("```\n*a*[^b] 4 KiB `c`", "a: |\n  b. c?\nd: [e, \"f\"]")
	f.Add("- a\n| b |\n# c {#d}\n~~~\n", "a: {b: [c: d]}\n--- \nx")
	f.Fuzz(func(t *testing.T, text, document string) {
		if len(text)+len(document) > 16<<10 {
			return // more than a text has: it costs time and shows nothing
		}
		last, total := -1, strings.Count(text, "\n")
		for _, p := range pieces(text) {
			if p.line <= last && p.line != 0 || p.line > total {
				t.Fatalf("a piece at line %d, after one at %d, in a text of %d", p.line, last, total)
			}
			last = p.line
			var m measure
			m.add(plain(p.text))
			if m.words != len(strings.Fields(plain(p.text))) {
				t.Fatalf("%d words counted of %q", m.words, p.text)
			}
			if m.words > m.syllables {
				t.Fatalf("%d syllables in %d words", m.syllables, m.words)
			}
			figuresIn(p.text)
			definedInText.FindAllString(p.text, -1)
		}
		lines := 1 + strings.Count(document, "\n") + strings.Count(document, "\r") // as YAML 1.2 §5.4 counts them, or more
		for _, said := range saidTexts(document) {
			if said.line < 0 || said.line > lines {
				t.Fatalf("%q at line %d of a document with %d", said.text, said.line, lines)
			}
		}
	})
}
