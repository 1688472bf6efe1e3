package labs

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a section's text. Words are those of its paragraphs and lists: no headings,
// no tables, and nothing in a fence.
const (
	leastWords     = 600
	mostWords      = 1000
	mostHookWords  = 60
	mostIdleWords  = 250 // between two things to do
	mostMean       = 16.0
	mostGrade      = 9.0
	mostNamesAtEnd = 8 // in {#names}
)

// sectionProse is the text of a section under a Lint.
type sectionProse struct {
	*lintRun
	file   string
	id     string
	number int
	texts  []sectionText // in order
	shown  string        // what stands in its blocks of code
}

// sectionText is a text of a section that is read: a paragraph, or a value of a block.
type sectionText struct {
	line  int // of the file
	raw   string
	part  string // id of the second-level heading above it, "" for the hook
	key   string // of the block's YAML, "" outside of one
	block int    // line of the concept block that holds it, 0 for none
}

// course looks at the texts of a module beside its labs.
func (r *lintRun) course(dir string) {
	var glossary glossaryFile
	_ = decodeYAML([]byte(r.text(path.Join(dir, "glossary.yaml"))), 0, &glossary) // Load tells
	var terms []Term
	for _, t := range glossary.Terms {
		terms = append(terms, Term(t))
	}
	r.learn(dir, terms)
	r.glossaryProse(dir)
	facts := r.knownFigures(dir)
	r.gauntletProse(dir, facts)
	names := r.files(path.Join(dir, "sections"))
	if len(names) == 0 {
		return
	}
	var all []*sectionProse
	for _, name := range names {
		if s := r.section(name, facts); s != nil {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b *sectionProse) int { return cmp.Compare(a.number, b.number) })
	for _, s := range all {
		s.lookAtTerms(terms, all)
	}
}

// files are the texts in a folder.
func (r *lintRun) files(dir string) (names []string) {
	entries, _ := fs.ReadDir(r.fsys, dir)
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), ".md") {
			names = append(names, path.Join(dir, e.Name()))
		}
	}
	return names
}

// section looks at one section by itself; nil when [Load] has said that it is none.
func (r *lintRun) section(file string, facts figures) *sectionProse {
	front, body, skip := frontMatter(r.text(file))
	var f sectionFile
	if skip == 0 || len(body) > maxMarkdown || decodeYAML([]byte(front), 1, &f) != nil {
		return nil
	}
	prefix, id, _ := strings.Cut(strings.TrimSuffix(path.Base(file), ".md"), "-")
	number, err := strconv.Atoi(prefix)
	if err != nil {
		return nil
	}
	r.yamlProse(file, f.Title, f.Summary)
	r.prose(file, skip+1, body)
	s := &sectionProse{lintRun: r, file: file, id: id, number: number}
	s.measure(body, skip)
	s.figures(facts)
	return s
}

var headingID = regexp.MustCompile(`\{#([a-z0-9-]+)\}\s*$`)

// measure walks through the text once, from the first line to the last.
func (s *sectionProse) measure(body string, skip int) {
	var read measure
	part, hook, idle, named := "", 0, 0, 0
	namesLine := 1
	for _, p := range pieces(body) {
		line := skip + 1 + p.line
		words := plain(p.text)
		switch p.kind {
		case pieceHeading:
			if id := headingID.FindStringSubmatch(p.text); id != nil && strings.HasPrefix(p.text, "## ") {
				part = id[1]
				if part == "names" {
					namesLine = line
				}
			}
		case pieceWords:
			s.texts = append(s.texts, sectionText{line: line, raw: p.text, part: part})
			before := read.words
			read.add(words)
			n := read.words - before
			if part == "" {
				hook += n
			}
			if idle <= mostIdleWords && idle+n > mostIdleWords {
				s.problem(s.file, line, fmt.Sprintf("more than %d words with nothing to do", mostIdleWords), "give the reader something to predict, run, open or step through above this paragraph")
			}
			idle += n
		case pieceRow:
			s.texts = append(s.texts, sectionText{line: line, raw: p.text, part: part})
		case pieceFence:
			kind, _, _ := strings.Cut(p.info, " ")
			if _, concept := concepts[kind]; !concept {
				s.shown += p.text
				if strings.Contains(p.info, "{run") {
					idle = 0
					s.commands(s.file, line+1, "", p.text)
				}
				continue
			}
			if kind != "picture" {
				idle = 0
			}
			for _, t := range saidTexts(p.text) {
				s.texts = append(s.texts, sectionText{line + 1 + t.line, t.text, part, t.key, line})
				s.prose(s.file, line+1+t.line, t.text)
				if part == "names" && kind == "table" && t.key == "name" {
					named++
				}
			}
		}
	}
	if read.words < leastWords || read.words > mostWords {
		s.problem(s.file, 1, fmt.Sprintf("has %d words of prose", read.words), fmt.Sprintf("write %d to %d; what is in a block does not count", leastWords, mostWords))
	}
	if hook > mostHookWords {
		s.problem(s.file, skip+1, fmt.Sprintf("the hook has %d words", hook), fmt.Sprintf("say what is odd in %d", mostHookWords))
	}
	if read.mean() > mostMean {
		s.problem(s.file, 1, fmt.Sprintf("a sentence has %.1f words on average", read.mean()), fmt.Sprintf("bring it to %.0f: one idea a sentence", mostMean))
	}
	if read.grade() > mostGrade {
		s.problem(s.file, 1, fmt.Sprintf("reads at grade %.1f (Flesch and Kincaid)", read.grade()), fmt.Sprintf("bring it to %.0f: shorter words, shorter sentences", mostGrade))
	}
	if named > mostNamesAtEnd {
		s.problem(s.file, namesLine, fmt.Sprintf("names %d terms", named), fmt.Sprintf("keep the %d that the next sections use", mostNamesAtEnd))
	}
	if s.Measured != nil {
		s.Measured(SectionMeasure{s.file, read.words, read.sentences, read.mean(), read.grade()})
	}
}

// SectionMeasure is how a section reads: its paragraphs and lists.
type SectionMeasure struct {
	File             string
	Words, Sentences int
	Mean             float64 // words a sentence
	Grade            float64 // by Flesch and Kincaid
}
