package labs

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// maxSentence is in words.
const maxSentence = 30

// usage is a word that the course does not use.
type usage struct {
	pattern *regexp.Regexp
	except  *regexp.Regexp // what may follow or surround it all the same; may be nil
	cure    string
}

// inText holds for all that a learner reads.
var inText = []usage{
	{pattern: regexp.MustCompile(`(?i)\b(?:simply|just|easy|easily|obvious|obviously|of course|magic|magical|powerful|know this cold)\b`), cure: "take it out: it tells nothing"},
	{pattern: regexp.MustCompile(`[[:alpha:]]!(?:\s|$)`), cure: "end the sentence with a full stop"},
	{pattern: regexp.MustCompile(`(?i)\bthe user\b`), except: regexp.MustCompile(`(?i)\bthe user (?:mode|space|part|side|id|ids)\b`), cure: `say "you" for a person`},
	{pattern: regexp.MustCompile(`(?i)\bfile (?:handle|number)s?\b`), cure: `say "descriptor"`},
	{pattern: regexp.MustCompile(`(?i)\b(?:open-file|file table) entr(?:y|ies)\b`), cure: `say "open file description"`},
	{pattern: regexp.MustCompile(`(?i)\bAPI calls?\b`), cure: `say "system call"`},
	{pattern: regexp.MustCompile(`(?i)\b(?:your|this) (?:container|virtual machine|VM)\b`), cure: `say "sandbox"`},
	{pattern: regexp.MustCompile(`(?i)\b(?:lesson|exercise)s?\b`), cure: `say "task", "lab" or "section"`},
}

// inMessage holds for what a check says first.
var inMessage = []usage{
	{pattern: regexp.MustCompile(`(?i)\b(?:error|invalid|wrong)\b`), except: regexp.MustCompile(`(?i)\bstandard error\b`), cure: "say what is the case, and let the learner judge it"},
	{pattern: regexp.MustCompile(`(?i)\byou forgot\b`), cure: "say what is not there"},
}

func (r *lintRun) usages(file string, line int, words string, all []usage) {
	for _, u := range all {
		rest := words
		if u.except != nil {
			rest = u.except.ReplaceAllStringFunc(rest, func(s string) string { return strings.Repeat(" ", len(s)) })
		}
		if at := u.pattern.FindStringIndex(rest); at != nil {
			r.problem(file, line+strings.Count(rest[:at[0]], "\n"), fmt.Sprintf("says %q", strings.TrimSpace(rest[at[0]:at[1]])), u.cure)
		}
	}
}

// message looks at what a check says first.
func (r *lintRun) message(file string, line int, message string) {
	words := plain(message)
	r.usages(file, line, words, inMessage)
	if n := len(strings.Fields(words)); n > maxMessageWords {
		r.problem(file, line, fmt.Sprintf("the message has %d words", n), fmt.Sprintf("say it in %d; the rest is for expected, observed and hint", maxMessageWords))
	}
	r.prose(file, line, message)
}

// yamlProse looks at values of a YAML file.
func (r *lintRun) yamlProse(file string, values ...string) {
	for _, v := range values {
		r.prose(file, lineHolding(r.text(file), v), v)
	}
}

// prose looks at a text whose first line is that line of the file. What is in code is
// not prose.
func (r *lintRun) prose(file string, line int, source string) {
	for _, p := range pieces(source) {
		if p.kind == pieceFence {
			continue
		}
		words := plain(p.text)
		r.usages(file, line+p.line, words, inText)
		r.spell(file, line+p.line, words)
		if p.kind == pieceRow {
			continue
		}
		at := 0
		for _, s := range sentenceEnd.FindAllStringIndex(words, -1) {
			r.sentence(file, line+p.line, words, at, s[1])
			at = s[1]
		}
		r.sentence(file, line+p.line, words, at, len(words))
	}
}

var sentenceEnd = regexp.MustCompile(`[.?!][)"*_]*(?:\s|$)`)

func (r *lintRun) sentence(file string, line int, words string, from, to int) {
	n := len(strings.Fields(words[from:to]))
	if n <= maxSentence {
		return
	}
	begin := from + len(words[from:to]) - len(strings.TrimLeft(words[from:to], " \n"))
	r.problem(file, line+strings.Count(words[:begin], "\n"), fmt.Sprintf("a sentence of %d words", n), fmt.Sprintf("use at most %d: one idea a sentence", maxSentence))
}

var (
	fenceLine  = regexp.MustCompile("^ {0,3}(?:```|~~~)")
	itemLine   = regexp.MustCompile(`^\s*(?:[*+-]|\d{1,9}[.)])\s`)
	aloneLine  = regexp.MustCompile(`^(?:#{1,6}\s|\|)`)
	codeInText = regexp.MustCompile("(?s)``.+?``|`[^`]+`")
	citeInText = regexp.MustCompile(`\[\^[^\]\s]{1,64}\]`)
	linkInText = regexp.MustCompile(`(?s)\[([^\]]*)\]\([^)]*\)`)
)

// plain is prose with one word for each piece of code, links without their addresses,
// and without the marks of sources. Its lines are those of the source.
func plain(source string) string {
	lines := func(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) }
	source = citeInText.ReplaceAllString(source, "")
	source = codeInText.ReplaceAllStringFunc(source, func(s string) string { return "code" + lines(s) })
	return linkInText.ReplaceAllStringFunc(source, func(s string) string {
		words := linkInText.FindStringSubmatch(s)[1]
		return words + strings.Repeat("\n", strings.Count(s, "\n")-strings.Count(words, "\n"))
	})
}

// markdown looks at a Markdown text, skip lines into its file: prose, links, pictures,
// and the commands of blocks that the page runs.
func (r *lintRun) markdown(file, source string, skip int, lab string, m lintModule) {
	if source == "" || len(source) > maxMarkdown || deepBlocks.MatchString(source) {
		return
	}
	r.prose(file, skip+1, source)
	doc := markdown.Parser().Parse(text.NewReader([]byte(source)))
	// The callback returns no error, so Walk has none either.
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			if reason := dangling(string(n.Destination), lab, m); reason != "" {
				r.problem(file, skip+lineOf(n, []byte(source)), reason, "link to a lab by its id, to a task as #task-ID, or to an address")
			}
		case *ast.Image:
			if n.FirstChild() == nil {
				r.problem(file, skip+lineOf(n, []byte(source)), "a picture has no words for those who do not see it", "write them between [ and ]")
			}
		case *ast.FencedCodeBlock:
			if f, err := parseFence(n, []byte(source)); err == nil && f.run {
				lines := n.Lines()
				r.commands(file, skip+lineOf(n, []byte(source)), "", string(lines.Value([]byte(source))))
			}
		}
		return ast.WalkContinue, nil
	})
}

// dangling says where a link leads that leads nowhere: to a lab of the module, a task
// of this or that lab.
func dangling(dest, lab string, m lintModule) string {
	u, err := url.Parse(dest)
	if err != nil || u.Scheme != "" || u.Host != "" {
		return ""
	}
	target := lab
	if u.Path != "" {
		target = strings.TrimSuffix(u.Path, "/")
	}
	tasks, ok := m.labs[target]
	if !ok {
		return fmt.Sprintf("link to %q: there is no such lab", cut(dest, 80))
	}
	if u.Fragment == "" {
		if u.Path == "" {
			return fmt.Sprintf("link to %q leads nowhere", cut(dest, 80))
		}
		return ""
	}
	task, ok := strings.CutPrefix(u.Fragment, "task-")
	if !ok || !slices.Contains(tasks, task) {
		return fmt.Sprintf("link to %q: there is no such task", cut(dest, 80))
	}
	return ""
}

// runnable is the text of the code blocks of a Markdown text.
func runnable(source string) string {
	if source == "" || len(source) > maxMarkdown || deepBlocks.MatchString(source) {
		return ""
	}
	var b strings.Builder
	doc := markdown.Parser().Parse(text.NewReader([]byte(source)))
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if f, ok := n.(*ast.FencedCodeBlock); ok && entering {
			language := string(f.Language([]byte(source)))
			if language == "sh" || language == "bash" {
				b.Write(f.Lines().Value([]byte(source)))
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}
