package labs

import (
	"fmt"
	"math"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// figure is a number with its unit, in the smallest unit of its kind: 4 KiB and 4,096
// bytes are the same one.
type figure struct {
	value float64
	kind  string
}

// units are those in which a figure is looked for.
var units = map[string]figure{
	"ns": {1, "time"}, "nanosecond": {1, "time"}, "µs": {1e3, "time"}, "microsecond": {1e3, "time"},
	"ms": {1e6, "time"}, "millisecond": {1e6, "time"}, "s": {1e9, "time"}, "second": {1e9, "time"},
	"minute": {60e9, "time"}, "hour": {3600e9, "time"}, "day": {86400e9, "time"},
	"bit": {1, "bits"}, "byte": {1, "bytes"},
	"KiB": {1 << 10, "bytes"}, "MiB": {1 << 20, "bytes"}, "GiB": {1 << 30, "bytes"}, "TiB": {1 << 40, "bytes"},
	"KB": {1 << 10, "bytes"}, "kB": {1 << 10, "bytes"}, "MB": {1 << 20, "bytes"}, "GB": {1 << 30, "bytes"},
	"GHz": {1e9, "Hz"}, "MHz": {1e6, "Hz"}, "Hz": {1, "Hz"}, "cycle": {1, "cycles"},
	"%": {1, "%"}, "×": {1, "×"}, "times": {1, "×"},
}

var figureInText = regexp.MustCompile(`(?:^|[^\w.,])(\d[\d,]*(?:\.\d+)?)[ \x{a0}]?(ns|µs|ms|s|[KMGT]iB|[KkMG]B|[GM]?Hz|%|×|(?:nanosecond|microsecond|millisecond|second|minute|hour|day|bit|byte|cycle)s?|times)(?:[^\w]|$)`)

// figuresIn finds the figures of a text, with the words that say them.
func figuresIn(text string) (all []figure, said []string) {
	for len(text) > 0 {
		at := figureInText.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		number, word := text[at[2]:at[3]], text[at[4]:at[5]]
		n, err := strconv.ParseFloat(strings.ReplaceAll(number, ",", ""), 64)
		unit, known := units[word]
		if !known {
			unit = units[strings.TrimSuffix(word, "s")]
		}
		if err == nil {
			all = append(all, figure{n * unit.value, unit.kind})
			said = append(said, text[at[2]:at[5]])
		}
		text = text[at[5]:]
	}
	return all, said
}

// figures are those of facts.yaml, with the section from which on each is known.
type figures map[figure]int

func (r *lintRun) knownFigures(dir string) figures {
	file := path.Join(dir, "facts.yaml")
	text := r.text(file)
	for _, t := range saidTexts(text) {
		if t.key == "fact" {
			r.prose(file, 1+t.line, t.text)
		}
	}
	var f factsFile
	_ = decodeYAML([]byte(text), 0, &f) // Load tells
	known := figures{}
	for _, fact := range f.Facts {
		all, _ := figuresIn(fact.Value + "; " + fact.Fact)
		for _, n := range all {
			if at, ok := known[n]; !ok || fact.Section < at {
				known[n] = fact.Section
			}
		}
	}
	return known
}

// has tells whether a figure is known in a section: in facts.yaml, of it or an earlier one.
func (f figures) has(n figure, section int) bool {
	for known, from := range f {
		if from <= section && known.kind == n.kind && math.Abs(known.value-n.value) <= 1e-9*n.value {
			return true
		}
	}
	return false
}

// figures reports each number with a unit that is in no fact. It may also be the
// reader's own, which the sentence says by "yours" or "your sandbox", or stand in a run of the
// section or its output.
func (s *sectionProse) figures(facts figures) {
	shown := figures{}
	all, _ := figuresIn(s.shown)
	for _, n := range all {
		shown[n] = 0
	}
	for _, text := range s.texts {
		s.figuresOf(s.file, text.line, text.raw, s.number, facts, shown)
	}
}

var readersOwn = regexp.MustCompile(`\byours\b|\byour sandbox\b`)

func (r *lintRun) figuresOf(file string, line int, text string, section int, facts, shown figures) {
	for _, sentence := range sentences(strings.ReplaceAll(plain(text), "*", "")) {
		if readersOwn.MatchString(sentence) {
			continue
		}
		all, said := figuresIn(sentence)
		for i, n := range all {
			if !facts.has(n, section) && !shown.has(n, section) {
				r.problem(file, line+max(0, lineHolding(text, said[i])-1), fmt.Sprintf("%q is in no fact of section %d or before", said[i], section), `put it into facts.yaml with its source, or say that it is yours`)
			}
		}
	}
}
