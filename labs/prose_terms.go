package labs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// termForm is one form of a term, and which term that is.
type termForm struct {
	form    string
	term    *Term
	exactly bool // a short form such as VSZ: case counts
}

var definedInText = regexp.MustCompile(`(?:^|[^*\w])\*([^*\s](?:[^*]*[^*\s])?)\*(?:[^*\w]|$)`)

// lookAtTerms reports each term that is used before the text explains it. A text that
// says which section explains it, by a link or by its number, may use it before.
func (s *sectionProse) lookAtTerms(terms []Term, all []*sectionProse) {
	forms := map[string]termForm{}
	var patterns []string
	for i := range terms {
		t := &terms[i]
		for _, form := range append([]string{t.Term}, t.Also...) {
			forms[strings.ToLower(form)] = termForm{form, t, strings.ToUpper(form) == form}
			patterns = append(patterns, regexp.QuoteMeta(strings.ToLower(form)))
		}
	}
	if len(patterns) == 0 {
		return
	}
	// The longest wins: a page fault is not a page.
	slices.SortFunc(patterns, func(a, b string) int { return len(b) - len(a) })
	any := regexp.MustCompile(`(?i)(^|[^\w-])(` + strings.Join(patterns, "|") + `)\b`)

	explained := map[*Term]bool{}
	reported := map[*Term]bool{}
	for _, text := range s.texts {
		for i, line := range strings.Split(text.raw, "\n") {
			for _, d := range definedInText.FindAllStringSubmatch(line, -1) {
				if f, ok := forms[strings.ToLower(strings.Join(strings.Fields(d[1]), " "))]; ok && f.term.Section == s.number {
					explained[f.term] = true
				}
			}
			words := strings.ReplaceAll(plain(line), "*", "")
			for _, found := range any.FindAllStringSubmatch(words, -1) {
				f := forms[strings.ToLower(found[2])]
				t := f.term
				if f.exactly && found[2] != f.form || t.Section < s.number || explained[t] || reported[t] || leadsTo(text.raw, t.Section, all) {
					continue
				}
				reported[t] = true
				if t.Section == s.number {
					s.problem(s.file, text.line+i, fmt.Sprintf("uses %q before its *%s*", found[2], t.Term), "explain it first, or say it in other words here")
				} else {
					s.problem(s.file, text.line+i, fmt.Sprintf("uses %q, which section %d explains", found[2], t.Section), fmt.Sprintf("say it in other words, or say section %d beside it", t.Section))
				}
			}
		}
	}
	for i := range terms {
		if t := &terms[i]; t.Section == s.number && !explained[t] {
			s.problem(s.file, 1, fmt.Sprintf("glossary.yaml says that %q is explained here", t.Term), fmt.Sprintf("write *%s* where that is, or mend its section there", t.Term))
		}
	}
}

var (
	sectionNumbers = regexp.MustCompile(`(?i)\bsections? \d+(?:(?:, | and | to )\d+)*`)
	digits         = regexp.MustCompile(`\d+`)
)

// leadsTo tells whether a text says that a section comes to it.
func leadsTo(text string, number int, all []*sectionProse) bool {
	for _, said := range sectionNumbers.FindAllString(text, -1) {
		if slices.Contains(digits.FindAllString(said, -1), fmt.Sprint(number)) {
			return true
		}
	}
	return slices.ContainsFunc(all, func(p *sectionProse) bool {
		return p.number == number && (strings.Contains(text, "(section:"+p.id+")") || strings.Contains(text, "(section:"+p.id+"#"))
	})
}
