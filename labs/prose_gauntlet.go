package labs

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Bounds of a model answer, in words: it is said aloud in about a minute.
const (
	leastAnswer    = 120
	mostAnswer     = 180
	mostFirstWords = 20
	trapSentences  = 2
)

// mostSections is more than any module has: the gauntlet comes after the last.
const mostSections = 1000

var (
	unsayable       = regexp.MustCompile(`[()\[\]{}/<>→←↔⇒]|->|=>`)
	unsayableInCode = regexp.MustCompile(`[()\[\]{}<>→←↔⇒]|->|=>`) // a path may be said
)

// gauntletProse looks at the answers that are said aloud.
func (r *lintRun) gauntletProse(dir string, facts figures) {
	file := path.Join(dir, "gauntlet.yaml")
	source := r.text(file)
	var f gauntletFile
	if source == "" || decodeYAML([]byte(source), 0, &f) != nil {
		return
	}
	for _, t := range saidTexts(source) {
		r.prose(file, 1+t.line, t.text)
	}
	for i, q := range f.Questions {
		line := itemLines([]byte(source), "questions")(i)
		at := func(text string) int {
			return line - 1 + lineHolding(strings.Join(strings.Split(source, "\n")[line-1:], "\n"), text)
		}
		said := strings.ReplaceAll(q.Answer, "`", "")
		if n := len(strings.Fields(said)); n < leastAnswer || n > mostAnswer {
			r.problem(file, at(q.Answer), fmt.Sprintf("the answer has %d words", n), fmt.Sprintf("say it in %d to %d", leastAnswer, mostAnswer))
		}
		if all := sentences(said); len(all) > 0 {
			if n := len(strings.Fields(all[0])); n > mostFirstWords {
				r.problem(file, at(q.Answer), fmt.Sprintf("the first sentence has %d words", n), fmt.Sprintf("answer in %d, then explain", mostFirstWords))
			}
		}
		r.sayable(file, at(q.Answer), q.Answer)
		r.figuresOf(file, at(q.Answer), q.Answer, mostSections, facts, nil)
		for _, t := range q.Traps {
			r.sayable(file, at(t.Answer), t.Answer)
			r.figuresOf(file, at(t.Answer), t.Answer, mostSections, facts, nil)
			if n := len(sentences(plain(t.Answer))); n != trapSentences {
				r.problem(file, at(t.Answer), fmt.Sprintf("the answer to a trap has %d sentences", n), fmt.Sprintf("answer in %d", trapSentences))
			}
		}
	}
}

// sayable reports what a mouth cannot say.
func (r *lintRun) sayable(file string, line int, answer string) {
	found := unsayable.FindString(codeInText.ReplaceAllString(answer, "code"))
	for _, code := range codeInText.FindAllString(answer, -1) {
		if found == "" {
			found = unsayableInCode.FindString(code)
		}
	}
	if found != "" {
		r.problem(file, line, fmt.Sprintf("the answer has %q, which cannot be said aloud", found), "say it in words, as in “descriptor two”")
	}
}

// glossaryProse looks at the meanings of terms: one sentence each.
func (r *lintRun) glossaryProse(dir string) {
	file := path.Join(dir, "glossary.yaml")
	for _, t := range saidTexts(r.text(file)) {
		r.prose(file, 1+t.line, t.text)
		if n := len(sentences(plain(t.text))); t.key == "means" && n != 1 {
			r.problem(file, 1+t.line, fmt.Sprintf("a meaning of %d sentences", n), "say it in one")
		}
	}
}
