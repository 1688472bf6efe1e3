package labs

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// dictionary is that of the course: British, as its "colour" is.
const dictionary = "en_GB"

// Hunspell has the program hunspell look at words, and returns those that it does not
// know. It is a Linter's Spelling. Errors: that the program or its dictionary is not
// there, with what cures it.
func Hunspell(ctx context.Context, words []string) (unknown []string, err error) {
	const cure = "install both (apt-get install hunspell hunspell-en-gb), or leave them out by --no-spelling"
	program, err := exec.LookPath("hunspell")
	if err != nil {
		return nil, errors.New("spelling cannot be looked at: no program hunspell with a British dictionary on this machine; " + cure)
	}
	cmd := exec.CommandContext(ctx, program, "-d", dictionary, "-i", "UTF-8", "-l")
	cmd.Stdin = strings.NewReader(strings.Join(words, "\n") + "\n")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		if strings.Contains(said.String(), "dictionar") {
			return nil, fmt.Errorf("spelling cannot be looked at: hunspell has no dictionary %s; %s", dictionary, cure)
		}
		return nil, fmt.Errorf("run hunspell: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return strings.Fields(out.String()), nil
}

// ownWords is the file of a module that holds words which no dictionary has: one a
// line, in any case; what begins with # tells about them.
const ownWords = "words.txt"

// fieldWords are those that every course knows, in the same form.
//
//go:embed words.txt
var fieldWords string

// learn reads the module's own words. The terms of its glossary are among them.
func (r *lintRun) learn(dir string, terms []Term) {
	r.own = map[string]bool{}
	for line := range strings.Lines(fieldWords + r.text(path.Join(dir, ownWords))) {
		word, _, _ := strings.Cut(line, "#")
		r.own[strings.ToLower(strings.TrimSpace(word))] = true
	}
	for _, t := range terms {
		for _, form := range append([]string{t.Term}, t.Also...) {
			for _, word := range wordInText.FindAllString(form, -1) {
				r.own[strings.ToLower(word)] = true
			}
		}
	}
}

var (
	wordInText = regexp.MustCompile(`\pL\pL+(?:['’]\pL+)*`)
	// A file, an address or a name of code is no word, though it was not marked as code.
	nameInText = regexp.MustCompile(`\S*[0-9_/\\@=<>$~]\S*|\S*\pL[.:]\pL\S*`)
)

// spell notes the words of a text whose first line is that line of the file. [lintRun.spelling]
// looks at them.
func (r *lintRun) spell(file string, line int, words string) {
	for text := range strings.Lines(words) {
		for _, word := range wordInText.FindAllString(nameInText.ReplaceAllString(text, " "), -1) {
			word = strings.ReplaceAll(word, "’", "'")
			stem := strings.ToLower(strings.TrimSuffix(word, "'s"))
			if utf8.RuneCountInString(word) < 3 || strings.ToUpper(word) == word || r.own[stem] { // a short form such as VSZ, or a unit
				continue
			}
			if r.words == nil {
				r.words = map[string][]wordPlace{}
			}
			if !slices.ContainsFunc(r.words[word], func(p wordPlace) bool { return p.file == file }) {
				r.words[word] = append(r.words[word], wordPlace{file, line})
			}
		}
		line++
	}
}

// wordPlace is where a word stands in a file for the first time.
type wordPlace struct {
	file string
	line int
}

// spelling reports the words that nobody knows.
func (r *lintRun) spelling(ctx context.Context) error {
	if r.Spelling == nil || len(r.words) == 0 {
		return nil
	}
	unknown, err := r.Spelling(ctx, slices.Sorted(maps.Keys(r.words)))
	if err != nil {
		return err
	}
	for _, word := range unknown {
		for _, at := range r.words[word] {
			r.problem(at.file, at.line, fmt.Sprintf("%q is in no dictionary", cut(word, 60)), "mend it; a word that the course needs goes into "+ownWords)
		}
	}
	return nil
}
