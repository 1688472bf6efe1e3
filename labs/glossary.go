package labs

import (
	"fmt"
	"path"
	"strings"
)

// Term is a word of the course.
type Term struct {
	Term    string
	Also    []string // other forms of it
	Section int      // whose text explains it
	Means   string   // one sentence
}

// Anchor is the id of the term where a page explains it.
func (t Term) Anchor() string { return "term-" + slug(t.Term) }

// Fact is a figure that the course quotes, and where it is from.
type Fact struct {
	Fact, Value string
	Section     int
	Source      string
}

type glossaryFile struct {
	Schema int        `yaml:"schema"`
	Terms  []termFile `yaml:"terms"`
}

type termFile struct {
	Term    string   `yaml:"term"`
	Also    []string `yaml:"also"`
	Section int      `yaml:"section"`
	Means   string   `yaml:"means"`
}

type factsFile struct {
	Schema int        `yaml:"schema"`
	Facts  []factFile `yaml:"facts"`
}

type factFile struct {
	Fact    string `yaml:"fact"`
	Value   string `yaml:"value"`
	Section int    `yaml:"section"`
	Source  string `yaml:"source"`
}

// glossary reads glossary.yaml. A term with a problem is left out.
func (r *reader) glossary(dir string, titles map[int]string) (terms []Term) {
	file := path.Join(dir, "glossary.yaml")
	text, ok := r.text(file)
	var f glossaryFile
	if !ok || !r.decode(file, text, 0, &f) {
		return nil
	}
	r.need(file, f.Schema, map[string]bool{"terms": len(f.Terms) > 0})
	known := map[string]string{}
	for i, t := range f.Terms {
		line := itemLines(text, "terms")(i)
		term := Term(t)
		if !r.sound(func() {
			r.lack(file, line, fmt.Sprintf("term %d", i+1), "term", t.Term != "", "means", t.Means != "", "section", titles[t.Section] != "")
			for _, word := range append([]string{t.Term}, t.Also...) {
				word = strings.ToLower(word)
				if known[word] != "" {
					r.problem(file, line, fmt.Sprintf("%q is a form of %q already", cut(word, 60), cut(known[word], 60)), "keep one of the two")
				}
				known[word] = t.Term
			}
			if slug(t.Term) == "" {
				r.problem(file, line, fmt.Sprintf("term %q has no letter or digit", cut(t.Term, 60)), "write it in words")
			}
		}) {
			continue
		}
		terms = append(terms, term)
	}
	return terms
}

// facts reads facts.yaml. A fact with a problem is left out.
func (r *reader) facts(dir string, titles map[int]string) (facts []Fact) {
	file := path.Join(dir, "facts.yaml")
	text, ok := r.text(file)
	var f factsFile
	if !ok || !r.decode(file, text, 0, &f) {
		return nil
	}
	r.need(file, f.Schema, map[string]bool{"facts": len(f.Facts) > 0})
	for i, fact := range f.Facts {
		if r.sound(func() {
			r.lack(file, itemLines(text, "facts")(i), fmt.Sprintf("fact %d", i+1), "fact", fact.Fact != "", "value", fact.Value != "",
				"section", titles[fact.Section] != "", "source", fact.Source != "")
		}) {
			facts = append(facts, Fact(fact))
		}
	}
	return facts
}

// lack reports each key of an entry whose value is not as it has to be: pairs of a key
// and whether it is.
func (r *reader) lack(file string, line int, entry string, pairs ...any) {
	for i := 0; i < len(pairs); i += 2 {
		if !pairs[i+1].(bool) {
			r.problem(file, line, fmt.Sprintf("%s: %q is missing or makes no sense", entry, pairs[i]), "add or mend it")
		}
	}
}

// itemLines tells the line on which each entry of the list below a key of the first
// level begins; the line of the key for one that cannot be told.
func itemLines(text []byte, key string) func(i int) int {
	var lines []int
	at, indent := 1, -1
	inside := false
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if !inside {
			if strings.HasPrefix(line, key+":") {
				inside, at = true, n
			}
			continue
		}
		body := strings.TrimLeft(line, " ")
		if !strings.HasPrefix(body, "- ") && strings.TrimSpace(body) != "-" {
			if len(body) == len(line) && strings.TrimSpace(body) != "" && !strings.HasPrefix(body, "#") {
				break // the next key
			}
			continue
		}
		if indent < 0 {
			indent = len(line) - len(body)
		}
		if len(line)-len(body) == indent {
			lines = append(lines, n)
		}
	}
	return func(i int) int {
		if i < len(lines) {
			return lines[i]
		}
		return at
	}
}

// slug makes an id of words: lower case, one - for all that is no letter or digit.
func slug(words string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(words) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}
