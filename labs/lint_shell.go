package labs

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// parseShell reads a script as bash does, without running it.
func parseShell(script string) (*syntax.File, error) {
	return syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
}

// hole stands for what is known only when the script runs.
const hole = "x"

// wordText is a word as far as it is known, with a hole for the rest, and whether that
// is all of it.
func wordText(w *syntax.Word) (text string, whole bool) {
	whole = true
	var b strings.Builder
	var add func(parts []syntax.WordPart, quoted bool)
	add = func(parts []syntax.WordPart, quoted bool) {
		for _, p := range parts {
			switch p := p.(type) {
			case *syntax.Lit:
				b.WriteString(unquote(p.Value, quoted))
			case *syntax.SglQuoted:
				b.WriteString(p.Value)
			case *syntax.DblQuoted:
				add(p.Parts, true)
			default:
				b.WriteString(hole)
				whole = false
			}
		}
	}
	if w != nil {
		add(w.Parts, false)
	}
	return b.String(), whole
}

// unquote takes backslashes out of literal text: within double quotes only those that
// mean something there.
func unquote(text string, quoted bool) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && (!quoted || strings.IndexByte("\\\"$`\n", text[i+1]) >= 0) {
			i++
			if text[i] == '\n' {
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// shellWords are what a script can say without any program.
var shellWords = strings.Fields(`. : [ alias bg bind break builtin caller cd command compgen complete
	compopt continue declare dirs disown echo enable eval exec exit export false fc fg getopts hash help
	history jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly return set
	shift shopt source suspend test times trap true type typeset ulimit umask unalias unset wait`)

// commands reports those in a script, a part of that file, that the image has not. who
// tells whose they are, if it is not plain.
func (r *lintRun) commands(file string, line int, who, script string) {
	parsed, err := parseShell(script)
	if err != nil {
		r.problem(file, line, fmt.Sprintf("%sbash cannot read %q", who, cut(strings.TrimSpace(script), 80)), "mend its quotes and brackets")
		return
	}
	if r.Commands == nil {
		return
	}
	own := map[string]bool{}
	syntax.Walk(parsed, func(n syntax.Node) bool {
		if f, ok := n.(*syntax.FuncDecl); ok {
			own[f.Name.Value] = true
		}
		return true
	})
	syntax.Walk(parsed, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		name, whole := wordText(call.Args[0])
		base := name
		if dir := path.Dir(name); strings.Contains(name, "/") {
			if !slices.Contains([]string{"/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin"}, dir) {
				return true // a file of the learner's
			}
			base = path.Base(name)
		}
		if !whole || own[base] || slices.Contains(shellWords, base) || slices.Contains(r.Commands, base) {
			return true
		}
		r.problem(file, line+int(call.Pos().Line())-1, fmt.Sprintf("%sthe image has no command %q", who, cut(name, 60)), nearestCure(base, r.Commands))
		return true
	})
}
