package labs

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"sysnerd/spelling"
)

// Linter looks at labs without running them. The zero value knows no image: then
// commands and programs are not held against one.
type Linter struct {
	Commands []string // what a shell in the sandbox finds
	Programs []string // whose C sources are there
	// Scripts is asked about every script, by path; nil leaves that out.
	Scripts func(ctx context.Context, scripts map[string][]byte) ([]Problem, error)
	// Spelling is given the words of all texts, each once, and returns those that are
	// none; nil leaves that out.
	Spelling func(ctx context.Context, words []string) (unknown []string, err error)
	// Measured is told how each section reads, in no order; it may be nil.
	Measured func(SectionMeasure)
}

// leastWrong is how many attempts have to be shown to fail.
const leastWrong = 3

// Lint returns what is not as it has to be: all that [Load] finds, then how the texts
// speak, what hints and texts give away, where links lead, and which commands the image
// has not. It runs nothing in a sandbox. Errors: those of Scripts and Spelling.
func (l Linter) Lint(ctx context.Context, fsys fs.FS) ([]Problem, error) {
	_, problems := Load(fsys)
	r := &lintRun{Linter: l, fsys: fsys, scripts: map[string][]byte{}}
	for _, name := range r.folders(".") {
		if _, err := fs.Stat(fsys, path.Join(name, "module.yaml")); err == nil {
			r.module(name)
		}
	}
	if l.Scripts != nil {
		found, err := l.Scripts(ctx, r.scripts)
		if err != nil {
			return nil, err
		}
		r.problems = append(r.problems, found...)
	}
	if err := r.spelling(ctx); err != nil {
		return nil, err
	}
	problems = append(problems, r.problems...)
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line)
	})
	return slices.Compact(problems), nil
}

// lintRun is a Lint under way. What Load reported is not said again: a file that
// cannot be read or decoded is passed over.
type lintRun struct {
	Linter
	fsys     fs.FS
	problems []Problem
	scripts  map[string][]byte
	own      map[string]bool        // words of the module, in lower case
	words    map[string][]wordPlace // to be looked up
}

func (r *lintRun) problem(file string, line int, reason, cure string) {
	r.problems = append(r.problems, Problem{File: file, Line: line, Reason: reason, Cure: cure})
}

func (r *lintRun) folders(dir string) (names []string) {
	entries, _ := fs.ReadDir(r.fsys, dir)
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, path.Join(dir, e.Name()))
		}
	}
	return names
}

// text is a file, or "" when it is not there or not sound.
func (r *lintRun) text(name string) string {
	// A FIFO would hold us up.
	if info, err := fs.Stat(r.fsys, name); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	quiet := &reader{fsys: r.fsys}
	text, _ := quiet.text(name)
	return string(text)
}

// script is a file, which is kept to be looked at with all others.
func (r *lintRun) script(name string) string {
	text := r.text(name)
	if text != "" {
		r.scripts[name] = []byte(text)
	}
	return text
}

// lintModule is what links and sections are held against.
type lintModule struct {
	labs     map[string][]string // tasks, by lab
	sections map[int]bool
}

func (r *lintRun) module(dir string) {
	file := path.Join(dir, "module.yaml")
	m := lintModule{labs: map[string][]string{}, sections: map[int]bool{}}
	var f moduleFile
	if decodeYAML([]byte(r.text(file)), 0, &f) == nil {
		for _, s := range f.Sections {
			m.sections[s.Number] = true
		}
		r.course(dir)
		r.yamlProse(file, f.Title, f.Summary)
		r.unwritten(dir, f)
	}
	all := r.folders(path.Join(dir, "labs"))
	for _, lab := range all {
		m.labs[folderID(lab)] = nil
		for _, task := range r.folders(path.Join(lab, "tasks")) {
			m.labs[folderID(lab)] = append(m.labs[folderID(lab)], folderID(task))
		}
	}
	for _, lab := range all {
		r.lab(lab, m)
	}
}

// unwritten reports sections that a module promises by their id, and has no text of.
func (r *lintRun) unwritten(dir string, f moduleFile) {
	for _, s := range f.Sections {
		file := path.Join(dir, "sections", fmt.Sprintf("%02d-%s.md", s.Number, s.ID))
		if _, err := fs.Stat(r.fsys, file); s.ID != "" && err != nil {
			r.problem(path.Join(dir, "module.yaml"), lineHolding(r.text(path.Join(dir, "module.yaml")), s.ID), fmt.Sprintf("section %d has no text", s.Number), "write "+file+", or take its id out")
		}
	}
}

func (r *lintRun) lab(dir string, m lintModule) {
	file := path.Join(dir, "lab.yaml")
	var f labFile
	if decodeYAML([]byte(r.text(file)), 0, &f) == nil {
		r.yamlProse(file, f.Title, f.Summary)
	}
	intro := path.Join(dir, "lab.md")
	text := r.text(intro)
	r.markdown(intro, text, 0, folderID(dir), m)
	if text != "" {
		r.headings(intro, text, "## Why it matters", "## Under the hood")
	}
	seen := visible{intro: text}
	secrets := secretsOf(path.Join(dir, "setup.sh"), r.script(path.Join(dir, "setup.sh")))
	r.script(path.Join(dir, "cleanup.sh"))
	tasks := r.folders(path.Join(dir, "tasks"))
	for _, task := range tasks {
		seen[path.Join(task, "task.md")] = r.text(path.Join(task, "task.md"))
	}
	for _, task := range tasks {
		secrets = append(secrets, r.task(task, folderID(dir), m)...)
	}
	r.leaks(secrets, seen)
}

// task returns the answers that its solution gives away.
func (r *lintRun) task(dir, lab string, m lintModule) []secret {
	file := path.Join(dir, "task.md")
	text := r.text(file)
	front, body, skip := frontMatter(text)
	var f taskFile
	if decodeYAML([]byte(front), 1, &f) == nil {
		r.front(file, text, f, m)
	}
	if body != "" {
		r.markdown(file, body, skip, lab, m)
		r.headings(file, body, "**Done when**", "### Verify it yourself")
	}
	solution := path.Join(dir, "solution.md")
	solved := r.text(solution)
	r.markdown(solution, solved, 0, lab, m)

	solve := r.script(path.Join(dir, "solve.sh"))
	r.moves(path.Join(dir, "solve.sh"), solve)
	lines := solutionLines(solve, solved)
	for _, hint := range f.Hints {
		r.gives(file, lineHolding(text, hint), "a hint", hint, lines)
	}
	if len(f.Hints) == 0 && front != "" {
		r.problem(file, 1, "has no hints", "ask a question, point at the place to look, then say the way; none holds the command")
	}

	check := path.Join(dir, "check.sh")
	r.check(check, r.script(check), lines)
	r.wrongs(dir)
	return append(answersOf(path.Join(dir, "solve.sh"), solve), answersOf(solution, runnable(solved))...)
}

// front looks at the front matter of a task.
func (r *lintRun) front(file, text string, f taskFile, m lintModule) {
	for _, said := range append([]string{f.Title, f.Why}, f.Hints...) {
		r.prose(file, lineHolding(text, said), said)
	}
	if p := f.Predict; p != nil {
		r.prose(file, lineHolding(text, p.Question), p.Question)
	}
	if f.Section != 0 && !m.sections[f.Section] {
		r.problem(file, lineHolding(text, "section:"), fmt.Sprintf("section %d is not in module.yaml", f.Section), "name one that is there")
	}
	if r.Programs == nil {
		return
	}
	for _, p := range f.Programs {
		if !slices.Contains(r.Programs, p) {
			r.problem(file, lineHolding(text, "programs:"), fmt.Sprintf("the image has no program %q", cut(p, 60)), nearestCure(p, r.Programs))
		}
	}
}

func nearestCure(name string, valid []string) string {
	if n := spelling.Nearest(name, valid); n != "" {
		return fmt.Sprintf("the nearest that it has is %q", n)
	}
	return "name one that it has"
}

// wrongs looks at the attempts that must fail.
func (r *lintRun) wrongs(dir string) {
	folder := path.Join(dir, "wrong")
	entries, _ := fs.ReadDir(r.fsys, folder)
	count := 0
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		count++
		file := path.Join(folder, e.Name())
		text := r.script(file)
		message, script := wrongMessage(text)
		line := lineHolding(text, message)
		if message != "" {
			r.message(file, line, message)
		}
		if script == "" {
			r.problem(file, 1, "types nothing", "write the lines that a learner would type")
		}
		r.moves(file, text)
	}
	if count < leastWrong {
		r.problem(folder, 0, fmt.Sprintf("holds %d attempts that must fail", count),
			fmt.Sprintf("add what learners really do, %d or more, each with the message that it must get", leastWrong))
	}
}

// moves looks at what a script says beside the lines that are typed.
func (r *lintRun) moves(file, text string) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if !strings.HasPrefix(line, movePrefix) {
			continue
		}
		if _, err := moves(line); err != nil {
			r.problem(file, n, err.Error(), "see the section on scripts in the guide")
		}
	}
}

// headings reports what a text has to have and has not.
func (r *lintRun) headings(file, text string, want ...string) {
	for _, w := range want {
		if !strings.Contains(text, "\n"+w) && !strings.HasPrefix(text, w) {
			r.problem(file, 0, fmt.Sprintf("has no %q", w), "add it; a learner looks for it there")
		}
	}
}

// frontMatter splits task.md. skip is the number of lines before body.
func frontMatter(text string) (front, body string, skip int) {
	rest, ok := strings.CutPrefix(text, "---\n")
	front, body, closed := strings.Cut(rest, "\n---\n")
	if !ok || !closed {
		return "", "", 0
	}
	return front, body, strings.Count(front, "\n") + 3
}

// lineHolding is the line of a file on which a value begins, 1 when it cannot be told.
func lineHolding(text, value string) int {
	first, _, _ := strings.Cut(strings.TrimSpace(value), "\n")
	if first == "" {
		return 1
	}
	for n, line := range bytes.Split([]byte(text), []byte("\n")) {
		if bytes.Contains(line, []byte(first[:min(len(first), 24)])) {
			return n + 1
		}
	}
	return 1
}
