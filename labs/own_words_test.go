package labs

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sourceOfCourse is what the course was made from. It is no part of the repository.
const sourceOfCourse = "../../shared/seed"

// sharedRun is how many words in a row may not be the source's.
const sharedRun = 8

// source reads all that lies there; "" where there is none.
func source(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(sourceOfCourse, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		all.Write(append(text, "\n\n"...))
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	if all.Len() == 0 {
		t.Fatalf("%s is there and holds nothing", sourceOfCourse)
	}
	return all.String()
}

var (
	bareWord = regexp.MustCompile(`[\pL\d]+(?:'\pL+)?`)
	hardStop = regexp.MustCompile(`\n\s*\n`)
)

// bareWords are those of a text in lower case, without marks.
func bareWords(text string) []string {
	return bareWord.FindAllString(strings.ToLower(strings.ReplaceAll(text, "’", "'")), -1)
}

// runsOf are all runs of sharedRun words in a text's paragraphs.
func runsOf(text string) map[string]bool {
	runs := map[string]bool{}
	for _, paragraph := range hardStop.Split(text, -1) {
		words := bareWords(paragraph)
		for i := 0; i+sharedRun <= len(words); i++ {
			runs[strings.Join(words[i:i+sharedRun], " ")] = true
		}
	}
	return runs
}

// coursePieces are the texts of the course, by file, in pieces. Code that is run is left
// out: there is one way to write a command.
func coursePieces(t *testing.T, course fs.FS) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := fs.WalkDir(course, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(course, name)
		if err != nil {
			return err
		}
		text := string(data)
		switch path.Ext(name) {
		case ".md":
			front, body, skip := frontMatter(text)
			if skip == 0 {
				body = text
			}
			for _, said := range saidTexts(front) {
				all[name] = append(all[name], said.text)
			}
			for _, p := range pieces(body) {
				if p.kind != pieceFence {
					all[name] = append(all[name], linkInText.ReplaceAllString(citeInText.ReplaceAllString(p.text, ""), "$1"))
					continue
				}
				for _, said := range saidTexts(p.text) {
					all[name] = append(all[name], said.text)
				}
			}
		case ".yaml":
			for _, said := range saidTexts(text) {
				all[name] = append(all[name], said.text)
			}
		case ".sh":
			message, _ := wrongMessage(text)
			all[name] = append(all[name], message)
			if path.Base(name) != "check.sh" {
				return nil
			}
			script, err := parseShell(text)
			if err != nil {
				return err
			}
			for _, said := range sayingsOf(script) {
				all[name] = append(all[name], said.text)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNoSentenceIsTheSources(t *testing.T) {
	text := source(t)
	if text == "" {
		t.Logf("not compared: no source at %s", sourceOfCourse)
		return
	}
	theirs := runsOf(text)
	// It finds what is there: a run of the source itself, split over lines and marked.
	some := slices.Sorted(maps.Keys(theirs))[len(theirs)/2]
	marked := "So *" + strings.Replace(some, " ", "*,\n", 1) + "."
	if !slices.ContainsFunc(slices.Collect(maps.Keys(runsOf(marked))), func(run string) bool { return theirs[run] }) {
		t.Fatalf("does not see that %q is the source's", marked)
	}
	compared := 0
	pieces := coursePieces(t, Embedded())
	for _, file := range slices.Sorted(maps.Keys(pieces)) {
		if path.Base(file) == "COVERAGE.md" { // it names the source's parts
			continue
		}
		for _, piece := range pieces[file] {
			for run := range runsOf(piece) {
				compared++
				if theirs[run] {
					t.Errorf("%s: %q stands in the source; say it in words of our own", file, run)
				}
			}
		}
	}
	if compared < 10_000 {
		t.Errorf("compared %d runs of words, which is not the course", compared)
	}
	t.Logf("compared %d runs of %d words with %d of the source", compared, sharedRun, len(theirs))
}

// TestEveryFigureOfTheSourceIsKnown holds that the source's figures are in facts.yaml, or
// in COVERAGE.md, which says what was mended.
func TestEveryFigureOfTheSourceIsKnown(t *testing.T) {
	text := source(t)
	if text == "" {
		t.Logf("not compared: no source at %s", sourceOfCourse)
		return
	}
	course := Embedded()
	r := &lintRun{fsys: course}
	coverage := r.text("operating-systems/COVERAGE.md")
	known := r.knownFigures("operating-systems")
	told, _ := figuresIn(coverage)
	all, said := figuresIn(strings.ReplaceAll(text, "~", " "))
	if len(all) < 10 {
		t.Fatalf("the source has %d figures; there must be more", len(all))
	}
	for i, n := range all {
		if !known.has(n, mostSections) && !slices.Contains(told, n) {
			t.Errorf("%q of the source is neither in facts.yaml nor in COVERAGE.md", said[i])
		}
	}
	t.Logf("%d figures", len(all))
}
