package labs

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// sectionFile is the front matter of a section.
type sectionFile struct {
	Schema  int                   `yaml:"schema"`
	Title   string                `yaml:"title"`
	Summary string                `yaml:"summary"`
	Minutes int                   `yaml:"minutes"`
	Layer   string                `yaml:"layer"`
	Labs    []string              `yaml:"labs"`
	Sources map[string]sourceFile `yaml:"sources"`
}

type sourceFile struct {
	Text string `yaml:"text"`
	URL  string `yaml:"url"`
}

// sections reads the folder sections. A section with a problem is left out, but for one
// that only links to what is not there: it is shown all the same.
func (r *reader) sections(dir string, m *Module, f moduleFile, known *known) {
	folder := path.Join(dir, "sections")
	titles := map[int]string{}
	ids := map[int]string{}
	for _, s := range f.Sections {
		titles[s.Number], ids[s.Number] = s.Title, s.ID
	}
	var all []*sectionReader
	for _, entry := range r.list(folder) {
		file := path.Join(folder, entry.Name())
		name, isText := strings.CutSuffix(entry.Name(), ".md")
		if entry.IsDir() || !isText {
			r.problem(file, 0, "is no section", "name it like 05-system-calls.md, or take it out")
			continue
		}
		s := &Section{ID: r.id(path.Join(folder, name)), Module: m.ID, file: file, defines: map[string]bool{}}
		reading := &sectionReader{reader: r, Section: s, known: known, titles: titles, terms: map[string]Term{}, ids: pageIDs()}
		if !r.sound(func() {
			prefix, _, numbered := strings.Cut(name, "-")
			s.Number, _ = strconv.Atoi(prefix)
			switch {
			case !numbered || titles[s.Number] == "":
				r.problem(file, 0, "its number is not in module.yaml", "begin the name with the number of a section there, as in 05-"+s.ID+".md")
			case ids[s.Number] != "" && ids[s.Number] != s.ID:
				r.problem(file, 0, fmt.Sprintf("module.yaml calls section %d %q", s.Number, ids[s.Number]), "give the file that name, or change it there")
			}
			for _, other := range all {
				if other.Number == s.Number || other.ID == s.ID {
					r.problem(file, 0, fmt.Sprintf("%s has the same number or id", path.Base(other.file)), "keep one of the two")
				}
			}
			known.sections[s.ID] = s.Number
			for _, t := range m.Terms {
				if t.Section == s.Number {
					for _, word := range append([]string{t.Term}, t.Also...) {
						reading.terms[strings.ToLower(word)] = t
					}
				}
			}
			reading.read(titles[s.Number])
		}) {
			continue
		}
		all = append(all, reading)
	}
	slices.SortStableFunc(all, func(a, b *sectionReader) int { return a.Number - b.Number })
	for _, s := range all {
		m.Sections = append(m.Sections, s.Section)
	}
	for _, s := range all {
		s.checkLinks(m)
	}
}

// pageIDs are those that the page of a section has taken itself.
func pageIDs() map[string]string {
	return map[string]string{"text": "the page", "labs": "the list of labs", "sources": "the list of sources"}
}

// read reads the file. title is what module.yaml calls the section.
func (s *sectionReader) read(title string) {
	text, ok := s.text(s.file)
	if !ok {
		return
	}
	front, body, skip := frontMatter(string(text))
	if skip == 0 {
		s.problem(s.file, 1, "has no front matter", "begin with YAML between two lines of ---")
		return
	}
	var f sectionFile
	if !s.decode(s.file, []byte(front), 1, &f) {
		return
	}
	s.need(s.file, f.Schema, map[string]bool{
		"title": f.Title != "", "summary": f.Summary != "", "minutes": f.Minutes > 0 && f.Minutes <= 120, "layer": f.Layer != "",
	})
	lineOf := func(key string) int { return lineHolding(string(text), key) }
	if f.Title != "" && title != "" && f.Title != title {
		s.problem(s.file, lineOf("title:"), fmt.Sprintf("module.yaml calls section %d %q", s.Number, cut(title, 120)), "use one title in both")
	}
	if f.Layer != "" && !slices.Contains(layers, f.Layer) {
		s.problem(s.file, lineOf("layer:"), fmt.Sprintf("layer %q", cut(f.Layer, 60)), nearest(f.Layer, layers))
	}
	s.Title, s.Summary, s.Minutes, s.Layer = f.Title, f.Summary, f.Minutes, f.Layer
	for _, name := range f.Labs {
		place, reason := s.known.place(name)
		if reason != "" {
			s.problem(s.file, lineOf("labs:"), reason, s.known.labCure(name))
		}
		s.Labs = append(s.Labs, place)
	}
	s.sources = map[string]Source{}
	for id, source := range f.Sources {
		if !idPattern.MatchString(id) || source.Text == "" || !linkAllowed(source.URL) || !strings.Contains(source.URL, "://") {
			s.problem(s.file, lineOf(id+":"), fmt.Sprintf("source %q needs an id of a-z, 0-9 and -, a text, and a url with http or https", cut(id, 80)), "mend it")
		}
		s.sources[id] = Source{ID: id, Text: source.Text, URL: source.URL}
	}
	s.front, s.skip, s.source = "---\n"+front, skip, []byte(body)
	s.body()
}

// shape is the second-level headings that each section has, in order.
var shape = []string{"model", "see", "names", "limits", "recall"}

// Bounds of the third-level headings below the model.
const (
	leastMoves = 3
	mostMoves  = 5
)

// checkShape holds the headings against shape, and asks for something to do in the hook.
func (s *sectionReader) checkShape() {
	var second []string
	line, moves := 1, 0
	for i, h := range s.Headings {
		if h.Level == 2 {
			second = append(second, h.ID)
			line = s.headingLines[i]
			if n := len(second); n > len(shape) || h.ID != shape[n-1] {
				cure := "take it out"
				if n <= len(shape) {
					cure = fmt.Sprintf("write %q here: the order is %s", "## … {#"+shape[n-1]+"}", strings.Join(shape, ", "))
				}
				s.problem(s.file, line, fmt.Sprintf("heading {#%s}", cut(h.ID, 60)), cure)
				return
			}
		} else if len(second) == 1 {
			moves++
		}
	}
	if n := len(second); n < len(shape) {
		s.problem(s.file, line, fmt.Sprintf("has no heading {#%s}", shape[n]), "add it; the order is "+strings.Join(shape, ", "))
		return
	}
	if moves < leastMoves || moves > mostMoves {
		s.problem(s.file, s.headingLines[0], fmt.Sprintf("the model has %d third-level headings", moves), fmt.Sprintf("build it in %d to %d moves, each below a ###", leastMoves, mostMoves))
	}
	if !s.hookPredicts || !s.hookRuns {
		s.problem(s.file, s.skip+1, "the hook has no predict block, or nothing to run", "above the first heading, ask by a predict block and give a {run} block")
	}
	s.checkRecalls(line)
}

// recallQuestions is how many a section has.
const recallQuestions = 3

func (s *sectionReader) checkRecalls(line int) {
	if n := len(s.Recalls); n != recallQuestions {
		s.problem(s.file, line, fmt.Sprintf("has %d recall blocks", n), fmt.Sprintf("write exactly %d below {#recall}", recallQuestions))
		return
	}
	if s.earlier != 1 && s.Number > 1 {
		s.problem(s.file, line, fmt.Sprintf("%d recall blocks come from an earlier section", s.earlier), "give from: to exactly one of the three")
	}
}

// lines counts the line breaks of a text.
func lines(text []byte) int { return bytes.Count(text, []byte("\n")) }
