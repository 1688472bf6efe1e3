package labs

import (
	"fmt"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// figure is a number with its unit, in the smallest unit of its kind: 4 KiB and 4,096
// bytes are the same one.
type figure struct {
	value float64
	kind  string
}

// factor is the kind of 100 ×.
const factor = "×"

// units are those in which a figure is looked for.
var units = map[string]figure{
	"ns": {1, "time"}, "nanosecond": {1, "time"}, "µs": {1e3, "time"}, "microsecond": {1e3, "time"},
	"ms": {1e6, "time"}, "millisecond": {1e6, "time"}, "s": {1e9, "time"}, "second": {1e9, "time"},
	"minute": {60e9, "time"}, "hour": {3600e9, "time"}, "day": {86400e9, "time"},
	"bit": {1, "bits"}, "byte": {1, "bytes"},
	"KiB": {1 << 10, "bytes"}, "MiB": {1 << 20, "bytes"}, "GiB": {1 << 30, "bytes"}, "TiB": {1 << 40, "bytes"},
	"KB": {1 << 10, "bytes"}, "kB": {1 << 10, "bytes"}, "MB": {1 << 20, "bytes"}, "GB": {1 << 30, "bytes"},
	"GHz": {1e9, "Hz"}, "MHz": {1e6, "Hz"}, "Hz": {1, "Hz"}, "cycle": {1, "cycles"},
	"%": {1, "%"}, "×": {1, factor},
}

var figureInText = regexp.MustCompile(`(?:^|[^\w.,])(\d[\d,]*(?:\.\d+)?)[ \x{a0}]?(ns|µs|ms|s|[KMGT]iB|[KkMG]B|[GM]?Hz|%|×|(?:nanosecond|microsecond|millisecond|second|minute|hour|day|bit|byte|cycle)s?)(?:[^\w]|$)`)

// A number without a unit, and a unit written out.
var (
	barePattern = regexp.MustCompile(`\d[\d,]*(?:\.\d+)?`)
	unitPattern = regexp.MustCompile(`\b(?:nanosecond|microsecond|millisecond|second|minute|hour|day|bit|byte|cycle)s?\b`)
)

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
		for _, word := range unitPattern.FindAllString(fact.Fact, -1) { // "bits of an address": 48
			for _, number := range barePattern.FindAllString(fact.Value, -1) {
				more, _ := figuresIn(number + " " + word)
				all = append(all, more...)
			}
		}
		for _, n := range all {
			if at, ok := known[n]; !ok || fact.Section < at {
				known[n] = fact.Section
			}
		}
	}
	return known
}

// has tells whether a figure is known in a section: in facts.yaml, of it or an earlier one.
// A factor, such as 100 ×, is also known when two figures are that far apart.
func (f figures) has(n figure, section int) bool {
	for known, from := range f {
		if from > section {
			continue
		}
		if known.kind == n.kind && near(known.value, n.value, 1e-9) {
			return true
		}
		for other, from := range f {
			if n.kind == factor && from <= section && other.kind == known.kind && near(known.value/other.value, n.value, roundedBy) {
				return true
			}
		}
	}
	return false
}

// roundedBy is how much a factor may be rounded.
const roundedBy = 0.15

func near(a, b, by float64) bool { return math.Abs(a-b) <= by*b }

// figures reports each number with a unit that is in no fact. Three kinds may stand
// without one: the reader's own, which the sentence says by "your" or "yours"; what a run of
// the section, its output or the question of the same block gives; and what a choice offers.
func (s *sectionProse) figures(facts figures) {
	given := numbersIn(s.shown)
	for i, text := range s.texts {
		if slices.Contains([]string{"question", "options", "say"}, text.key) {
			continue
		}
		asked := ""
		for _, other := range s.texts[:i] {
			if text.block != 0 && other.block == text.block && other.key == "question" {
				asked += other.raw + "\n"
			}
		}
		s.figuresOf(s.file, text.line, text.raw, s.number, facts, func(n figure, said string) bool {
			all, _ := figuresIn(asked)
			return given[n.value] || given[plainNumber(said)] || slices.Contains(all, n)
		})
	}
}

var (
	readersOwn   = regexp.MustCompile(`(?i)\byours?\b`)
	numberInCode = regexp.MustCompile(`\d[\d,]*(?:\.\d+)?(?: *<< *\d+)?`)
)

// numbersIn finds the numbers of code and its output, with their units and without.
func numbersIn(code string) map[float64]bool {
	found := map[float64]bool{}
	all, _ := figuresIn(code)
	for _, n := range all {
		found[n.value] = true
	}
	for _, said := range numberInCode.FindAllString(code, -1) {
		base, shift, _ := strings.Cut(said, "<<")
		n := plainNumber(base)
		if by, err := strconv.Atoi(strings.TrimSpace(shift)); err == nil && by < 63 {
			n *= float64(uint64(1) << by)
		}
		found[n] = true
	}
	return found
}

// plainNumber is the number with which a text begins, -1 for none.
func plainNumber(text string) float64 {
	n, err := strconv.ParseFloat(strings.ReplaceAll(barePattern.FindString(text), ",", ""), 64)
	if err != nil {
		return -1
	}
	return n
}

// figuresOf looks at one text. given tells what may stand without a fact.
func (r *lintRun) figuresOf(file string, line int, text string, section int, facts figures, given func(n figure, said string) bool) {
	for _, sentence := range sentences(strings.ReplaceAll(plain(text), "*", "")) {
		if readersOwn.MatchString(sentence) {
			continue
		}
		all, said := figuresIn(sentence)
		for i, n := range all {
			if !facts.has(n, section) && (given == nil || !given(n, said[i])) {
				r.problem(file, line+max(0, lineHolding(text, said[i])-1), fmt.Sprintf("%q is in no fact of section %d or before", said[i], section), `put it into facts.yaml with its source, or say that it is yours`)
			}
		}
	}
}
