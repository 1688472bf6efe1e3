package labs

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Words of prelude.sh by which a check speaks to the learner.
const (
	sayPass     = "pass"
	sayFail     = "fail"
	sayExpected = "expected"
	sayObserved = "observed"
	sayEvidence = "evidence"
	sayHint     = "hint"
)

var sayings = []string{sayPass, sayFail, sayExpected, sayObserved, sayEvidence, sayHint}

// maxPart is how many words expected, observed and hint may have each.
const maxPart = 30

// saying is a text that a check may say, with holes for what it learns in the sandbox.
type saying struct {
	word string // of sayings
	line int
	text string
}

// check looks at what a check says, as far as that can be told without running it.
// The rest is seen when its task is proved.
func (r *lintRun) check(file, script string, solution []string) {
	if script == "" {
		return
	}
	parsed, err := parseShell(script)
	if err != nil {
		r.problem(file, 0, fmt.Sprintf("bash cannot read it: %v", err), "mend it there")
		return
	}
	said := sayingsOf(parsed)
	has := map[string]bool{}
	for _, s := range said {
		has[s.word] = true
		switch s.word {
		case sayFail:
			r.message(file, s.line, s.text)
		case sayPass:
			r.usages(file, s.line, plain(s.text), inMessage)
			r.prose(file, s.line, s.text)
		case sayEvidence:
			r.commands(file, s.line, "evidence: ", s.text)
		case sayHint:
			r.gives(file, s.line, "a hint", s.text, solution)
			fallthrough
		default:
			r.prose(file, s.line, s.text)
			if n := len(strings.Fields(plain(s.text))); n > maxPart {
				r.problem(file, s.line, fmt.Sprintf("%s has %d words", s.word, n), fmt.Sprintf("say it in %d", maxPart))
			}
		}
	}
	for _, word := range []string{sayExpected, sayObserved, sayEvidence, sayHint} {
		if !has[word] && !calls(parsed, word) {
			r.problem(file, 0, fmt.Sprintf("never says `%s`", word), "a learner reads what was expected, what was observed, a command that shows it, and a hint")
		}
	}
	if !calls(parsed, "attempt") {
		r.problem(file, 0, "never says `attempt`", "say it once you have seen that the learner tried; else the task stays open")
	}
}

// calls tells whether a script calls a word, with whatever it is given.
func calls(parsed *syntax.File, word string) (found bool) {
	syntax.Walk(parsed, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && len(call.Args) > 0 && call.Args[0].Lit() == word {
			found = true
		}
		return !found
	})
	return found
}

// sayingsOf finds the texts that a check may say: what its words are given, also by
// way of variables, and of functions that hand their arguments on.
func sayingsOf(parsed *syntax.File) (all []saying) {
	assigned := map[string][]*syntax.Word{}
	functions := map[string]map[int]string{} // name: argument, word
	syntax.Walk(parsed, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Assign:
			if n.Name != nil && n.Value != nil {
				assigned[n.Name.Value] = append(assigned[n.Name.Value], n.Value)
			}
		case *syntax.FuncDecl:
			syntax.Walk(n.Body, func(inner syntax.Node) bool {
				call, ok := inner.(*syntax.CallExpr)
				if !ok || len(call.Args) < 2 || !slices.Contains(sayings, call.Args[0].Lit()) {
					return true
				}
				if name := variable(call.Args[1]); len(name) == 1 && name >= "1" && name <= "9" {
					if functions[n.Name.Value] == nil {
						functions[n.Name.Value] = map[int]string{}
					}
					functions[n.Name.Value][int(name[0]-'0')] = call.Args[0].Lit()
				}
				return true
			})
		}
		return true
	})
	var add func(word string, w *syntax.Word, depth int)
	add = func(word string, w *syntax.Word, depth int) {
		if name := variable(w); name != "" {
			for _, value := range assigned[name] {
				if depth > 0 {
					add(word, value, depth-1)
				}
			}
			return
		}
		text, _ := wordText(w)
		if text = strings.TrimSpace(text); text != "" && text != hole {
			all = append(all, saying{word, int(w.Pos().Line()), text})
		}
	}
	const depth = 4
	syntax.Walk(parsed, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		name := call.Args[0].Lit()
		if slices.Contains(sayings, name) {
			add(name, call.Args[1], depth)
		}
		for i, word := range functions[name] {
			if i < len(call.Args) {
				add(word, call.Args[i], depth)
			}
		}
		return true
	})
	slices.SortFunc(all, func(a, b saying) int { return a.line - b.line })
	return slices.Compact(all)
}

// variable is the name of the variable that a word is, and nothing else.
func variable(w *syntax.Word) string {
	parts := w.Parts
	if len(parts) == 1 {
		if q, ok := parts[0].(*syntax.DblQuoted); ok {
			parts = q.Parts
		}
	}
	if len(parts) != 1 {
		return ""
	}
	p, ok := parts[0].(*syntax.ParamExp)
	if !ok || p.Param == nil || p.Exp != nil || p.Slice != nil || p.Repl != nil || p.Index != nil || p.Length {
		return ""
	}
	return p.Param.Value
}
