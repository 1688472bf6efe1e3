package labs

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"sysnerd/spelling"
)

var (
	idPattern     = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	prefixPattern = regexp.MustCompile(`^[0-9]+-`)
)

// What each kind of folder may hold.
var (
	moduleNames = []string{"module.yaml", "labs", "sections", "gauntlet.yaml", "glossary.yaml", "facts.yaml", "COVERAGE.md", ownWords}
	labNames    = []string{"lab.yaml", "lab.md", "setup.sh", "cleanup.sh", "tasks"}
	taskNames   = []string{"task.md", "check.sh", "solve.sh", "solution.md", "wrong"}
)

// Load reads every module below fsys: each folder that holds a module.yaml. A lab
// with a problem is left out; one bad lab hides no other.
func Load(fsys fs.FS) (*Library, []Problem) {
	r := &reader{fsys: fsys, refused: map[string]bool{}}
	library := &Library{}
	for _, entry := range r.list(".") {
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if _, err := fs.Stat(fsys, path.Join(entry.Name(), "module.yaml")); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		m := r.module(entry.Name())
		if m == nil {
			continue
		}
		if _, twice := library.Module(m.ID); twice {
			r.problem(path.Join(entry.Name(), "module.yaml"), 0, fmt.Sprintf("a module %q is there already", m.ID), "give it another id")
			continue
		}
		library.Modules = append(library.Modules, m)
	}
	if len(library.Modules) == 0 && len(r.problems) == 0 {
		r.problem(".", 0, "holds no module", "add a folder with a module.yaml")
	}
	return library, r.problems
}

// reader collects problems on its way through the content.
type reader struct {
	fsys     fs.FS
	problems []Problem
	refused  map[string]bool // names that must not be opened: a FIFO would hold us up
}

func (r *reader) problem(file string, line int, reason, cure string) {
	r.problems = append(r.problems, Problem{File: file, Line: line, Reason: reason, Cure: cure})
}

// sound runs f and tells whether it met no problem.
func (r *reader) sound(f func()) bool {
	before := len(r.problems)
	f()
	return len(r.problems) == before
}

// list reads a folder. What is neither file nor folder (a link, a FIFO) is a
// problem and left out, and so is a name not in valid, unless valid is empty.
func (r *reader) list(dir string, valid ...string) []fs.DirEntry {
	entries, err := fs.ReadDir(r.fsys, dir)
	if err != nil {
		r.problem(dir, 0, cause(err), "make it a folder that can be read")
		return nil
	}
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		name := path.Join(dir, e.Name())
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			r.problem(name, 0, "is a link", "put the file itself there")
		case !e.IsDir() && !e.Type().IsRegular():
			r.problem(name, 0, "is neither a file nor a folder", "take it out")
		case len(valid) > 0 && !slices.Contains(valid, e.Name()):
			r.problem(name, 0, "is not known here", fmt.Sprintf("the nearest valid name is %q", spelling.Nearest(e.Name(), valid)))
		default:
			return false
		}
		r.refused[name] = true
		return true
	})
}

// text reads a whole text file; ok is false after a problem.
func (r *reader) text(name string) (text []byte, ok bool) {
	if r.refused[name] {
		return nil, false
	}
	f, err := r.fsys.Open(name)
	if err != nil {
		r.problem(name, 0, cause(err), "put it there")
		return nil, false
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(f, maxFile+1)); err != nil {
		r.problem(name, 0, cause(err), "make it readable")
		return nil, false
	}
	text = b.Bytes()
	line := func(at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }
	switch {
	case len(text) > maxFile:
		r.problem(name, 0, fmt.Sprintf("is larger than %d KiB", maxFile>>10), "split it or shorten it")
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		r.problem(name, 1, "starts with a byte order mark", "save it as UTF-8 without one")
	case !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0:
		at := bytes.IndexByte(text, 0)
		if i := bytes.IndexRune(text, utf8.RuneError); !utf8.Valid(text) && i >= 0 {
			at = i
		}
		r.problem(name, line(max(at, 0)), "is not text in UTF-8", "save it as UTF-8")
	case bytes.IndexByte(text, '\r') >= 0:
		r.problem(name, line(bytes.IndexByte(text, '\r')), "has a carriage return", "end lines with a line feed alone")
	default:
		return text, true
	}
	return nil, false
}

// yaml reads and decodes a YAML file into v.
func (r *reader) yaml(name string, v any) bool {
	text, ok := r.text(name)
	if !ok {
		return false
	}
	return r.decode(name, text, 0, v)
}

func (r *reader) decode(name string, text []byte, skip int, v any) bool {
	if p := decodeYAML(text, skip, v); p != nil {
		p.File = name
		r.problems = append(r.problems, *p)
		return false
	}
	return true
}

// need reports whatever a file has to say and does not.
func (r *reader) need(file string, schema int, rest map[string]bool) {
	if schema != schemaVersion {
		r.problem(file, 1, fmt.Sprintf("schema is %d", schema), fmt.Sprintf("begin with schema: %d", schemaVersion))
	}
	for _, key := range slices.Sorted(maps.Keys(rest)) {
		if !rest[key] {
			r.problem(file, 1, fmt.Sprintf("%q is missing or makes no sense", key), "add or mend it")
		}
	}
}

// id takes the ordering prefix off a folder's name.
func (r *reader) id(dir string) string {
	id := prefixPattern.ReplaceAllString(path.Base(dir), "")
	if !idPattern.MatchString(id) {
		r.problem(dir, 0, fmt.Sprintf("%q is no id", cut(id, 80)), "use 1 to 64 of a-z, 0-9 and -")
	}
	return id
}

func (r *reader) module(dir string) *Module {
	file := path.Join(dir, "module.yaml")
	var f moduleFile
	sections := map[int]string{}
	has := map[string]bool{}
	ok := r.sound(func() {
		for _, e := range r.list(dir, moduleNames...) {
			has[e.Name()] = true
		}
		if !r.yaml(file, &f) {
			return
		}
		r.need(file, f.Schema, map[string]bool{
			"id": idPattern.MatchString(f.ID), "title": f.Title != "", "summary": f.Summary != "", "minutes": f.Minutes > 0,
		})
		for _, s := range f.Sections {
			if s.Number < 1 || s.Title == "" || sections[s.Number] != "" {
				r.problem(file, 0, fmt.Sprintf("section %d has no title, or comes twice", s.Number), "give each section a number from 1 and a title")
			}
			if s.ID != "" && !idPattern.MatchString(s.ID) {
				r.problem(file, 0, fmt.Sprintf("section %d: %q is no id", s.Number, cut(s.ID, 80)), "use 1 to 64 of a-z, 0-9 and -")
			}
			sections[s.Number] = s.Title
		}
	})
	if f.ID == "" {
		return nil
	}
	m := &Module{ID: f.ID, Title: f.Title, Summary: f.Summary, Minutes: f.Minutes, Outline: f.outline(), dir: dir}
	known := r.known(dir, f)
	if has["glossary.yaml"] {
		m.Terms = r.glossary(dir, sections)
	}
	if has["facts.yaml"] {
		m.Facts = r.facts(dir, sections)
	}
	if has["gauntlet.yaml"] {
		m.Gauntlet = r.gauntlet(dir, sections, known)
	}
	if has["sections"] {
		r.sections(dir, m, f, known)
	}
	for _, entry := range r.list(path.Join(dir, "labs")) {
		if !entry.IsDir() {
			r.problem(path.Join(dir, "labs", entry.Name()), 0, "is not a folder", "put it into its lab's folder")
			continue
		}
		var lab *Lab
		folder := path.Join(dir, "labs", entry.Name())
		if !r.sound(func() { lab = r.lab(folder, m.ID, sections) }) {
			continue
		}
		if _, twice := m.Lab(lab.ID); twice {
			r.problem(folder, 0, fmt.Sprintf("a lab %q is there already", lab.ID), "rename the folder")
			continue
		}
		m.Labs = append(m.Labs, lab)
	}
	if !ok {
		return nil
	}
	return m
}

func (r *reader) lab(dir, module string, sections map[int]string) *Lab {
	lab := &Lab{ID: r.id(dir), Module: module, dir: dir}
	var names []string
	for _, e := range r.list(dir, labNames...) {
		names = append(names, e.Name())
	}
	file := path.Join(dir, "lab.yaml")
	var f labFile
	if r.yaml(file, &f) {
		r.need(file, f.Schema, map[string]bool{
			"title": f.Title != "", "summary": f.Summary != "", "minutes": f.Minutes > 0,
			"level": slices.Contains(levels, f.Level), "section": sections[f.Section] != "",
		})
		lab.Title, lab.Summary, lab.Level, lab.Minutes = f.Title, f.Summary, f.Level, f.Minutes
		lab.Section, lab.SectionTitle = f.Section, sections[f.Section]
		if f.Image != "" && f.Image != standard {
			r.problem(file, 0, fmt.Sprintf("image %q: all sandboxes run one image", cut(f.Image, 60)), "write standard, or leave it out; what is missing is added to images/packages.txt")
		}
		if f.Profile != "" && f.Profile != standard {
			r.problem(file, 0, fmt.Sprintf("profile %q: no lab gets a sandbox that may do more", cut(f.Profile, 60)), "write standard, or leave it out")
		}
		var err error
		if lab.Limits, err = f.Limits.limits(); err != nil {
			r.problem(file, 0, "limits: "+err.Error(), "stay inside")
		}
		if lab.Lifetime, err = parseLifetime(f.Lifetime); err != nil {
			r.problem(file, 0, err.Error(), "mend it")
		}
	}
	lab.Intro = r.markdown(path.Join(dir, "lab.md"))
	if slices.Contains(names, "setup.sh") {
		lab.setup, _ = r.text(path.Join(dir, "setup.sh"))
	}
	if slices.Contains(names, "cleanup.sh") {
		lab.cleanup, _ = r.text(path.Join(dir, "cleanup.sh"))
	}
	for _, entry := range r.list(path.Join(dir, "tasks")) {
		folder := path.Join(dir, "tasks", entry.Name())
		if !entry.IsDir() {
			r.problem(folder, 0, "is not a folder", "put it into its task's folder")
			continue
		}
		t := r.task(folder, lab.Section)
		if _, twice := lab.Task(t.ID); twice {
			r.problem(folder, 0, fmt.Sprintf("a task %q is there already", t.ID), "rename the folder")
		}
		for _, n := range t.Needs {
			if _, known := lab.Task(n); !known {
				r.problem(path.Join(folder, "task.md"), 0, fmt.Sprintf("needs %q, which does not come before it", n), "name an earlier task")
			}
		}
		lab.Tasks = append(lab.Tasks, t)
	}
	if len(lab.Tasks) == 0 {
		r.problem(path.Join(dir, "tasks"), 0, "holds no task", "add a folder with a task.md")
	}
	return lab
}

func (r *reader) task(dir string, section int) *Task {
	t := &Task{ID: r.id(dir), Section: section}
	var names []string
	for _, e := range r.list(dir, taskNames...) {
		names = append(names, e.Name())
	}
	r.taskText(path.Join(dir, "task.md"), t)
	t.check, _ = r.text(path.Join(dir, "check.sh"))
	t.solve, _ = r.text(path.Join(dir, "solve.sh"))
	t.Solution = r.markdown(path.Join(dir, "solution.md"))
	if !slices.Contains(names, "wrong") {
		return t
	}
	for _, entry := range r.list(path.Join(dir, "wrong")) {
		file := path.Join(dir, "wrong", entry.Name())
		text, ok := r.text(file)
		if !ok {
			continue
		}
		message, script := wrongMessage(string(text))
		if message == "" {
			r.problem(file, 1, "does not say which message it must get", "begin with a comment that holds it")
		}
		t.wrong = append(t.wrong, Wrong{Name: strings.TrimSuffix(entry.Name(), ".sh"), Message: message, Script: script})
	}
	return t
}

// wrongMessage splits a wrong attempt into the message, its first comment line,
// and the lines to be typed.
func wrongMessage(text string) (message, script string) {
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "# ")
		if ok && message == "" && !strings.HasPrefix(comment, "shellcheck ") && !strings.HasPrefix(line, movePrefix) {
			message = comment
		}
	}
	return message, typed([]byte(text))
}

// typed is what is left of a script when its comments are taken out: the lines
// that go into a terminal, and those that tell what else is done ([moves]).
func typed(script []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(script)) {
		if trimmed := strings.TrimSpace(line); trimmed != "" && (!strings.HasPrefix(trimmed, "#") || strings.HasPrefix(line, movePrefix)) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// taskText reads task.md: front matter between two lines of ---, then the task.
func (r *reader) taskText(file string, t *Task) {
	text, ok := r.text(file)
	if !ok {
		return
	}
	const fence = "---\n"
	rest, ok := bytes.CutPrefix(text, []byte(fence))
	front, body, closed := bytes.Cut(rest, []byte("\n"+fence))
	if !ok || !closed {
		r.problem(file, 1, "has no front matter", "begin with YAML between two lines of ---")
		return
	}
	var f taskFile
	if !r.decode(file, front, 1, &f) {
		return
	}
	r.need(file, f.Schema, map[string]bool{
		"title": f.Title != "",
		"mode":  f.Mode == "" || f.Mode == Once || f.Mode == While,
		"why":   f.Why != "",
	})
	t.Title, t.Mode, t.Needs, t.Answer = f.Title, f.Mode, f.Needs, f.Answer
	if t.Mode == "" {
		t.Mode = Once
	}
	if f.Section != 0 {
		t.Section = f.Section
	}
	if p := f.Predict; p != nil {
		if p.Question == "" || len(p.Options) < 2 || p.Answer != "" && !slices.Contains(p.Options, p.Answer) {
			r.problem(file, 0, "predict needs a question, two options or more, and an answer among them or none", "mend it")
		}
		t.Predict = &Predict{Question: p.Question, Options: p.Options, Answer: p.Answer}
	}
	for _, name := range f.Programs {
		if !idPattern.MatchString(name) {
			r.problem(file, 0, fmt.Sprintf("program %q is no name", cut(name, 80)), "name a program of images/programs, as in [mystery]")
		}
	}
	t.Programs = f.Programs
	t.Why = r.render(file, []byte(f.Why), 0)
	for _, hint := range f.Hints {
		t.Hints = append(t.Hints, r.render(file, []byte(hint), 0))
	}
	t.Goal = r.render(file, body, bytes.Count(front, []byte("\n"))+3)
}

// markdown reads and renders a Markdown file.
func (r *reader) markdown(file string) template.HTML {
	text, ok := r.text(file)
	if !ok {
		return ""
	}
	return r.render(file, text, 0)
}

func (r *reader) render(file string, text []byte, skip int) template.HTML {
	html, problems := renderMarkdown(text)
	for _, p := range problems {
		if p.Line > 0 {
			p.Line += skip
		}
		r.problem(file, p.Line, p.Reason, p.Cure)
	}
	return html
}

// cause is an error of the file system without the path, which the Problem names.
func cause(err error) string {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}
