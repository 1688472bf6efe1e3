package labs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Bounds of what is looked for: a shorter line or value stands in a text by chance.
const (
	leastLine   = 6
	leastSecret = 3
)

// solutionLines are the command lines of a solution: of solve.sh, and of the blocks of
// solution.md.
func solutionLines(solve, solution string) (lines []string) {
	for line := range strings.Lines(typed([]byte(solve)) + runnable(solution)) {
		line = squeeze(line)
		if !strings.HasPrefix(line, "#") && len(line) >= leastLine && strings.Contains(line, " ") && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }

// gives reports a text that holds a line of the solution.
func (r *lintRun) gives(file string, line int, what, text string, solution []string) {
	text = squeeze(text)
	for _, l := range solution {
		if strings.Contains(text, l) {
			r.problem(file, line, fmt.Sprintf("%s holds a line of the solution: %s", what, cut(l, 80)), "say where to look instead")
			return
		}
	}
}

// secret is a value that a learner has to find himself.
type secret struct {
	value, file string
	line        int
}

// visible are the texts that a learner reads before he has solved anything, by file.
type visible map[string]string

// secretName is how a script calls what is to be found.
var secretName = regexp.MustCompile(`(?i)secret|answer|password|token|key$`)

// secretsOf are the fixed values that a script keeps under such a name.
func secretsOf(file, script string) (all []secret) {
	parsed, err := parseShell(script)
	if err != nil {
		return nil
	}
	syntax.Walk(parsed, func(n syntax.Node) bool {
		if a, ok := n.(*syntax.Assign); ok && a.Name != nil && a.Value != nil && secretName.MatchString(a.Name.Value) {
			if value, whole := wordText(a.Value); whole && len(value) >= leastSecret {
				all = append(all, secret{value, file, int(a.Pos().Line())})
			}
		}
		return true
	})
	return all
}

// answersOf are the fixed values that a solution answers.
func answersOf(file, script string) (all []secret) {
	parsed, err := parseShell(script)
	if err != nil {
		return nil
	}
	syntax.Walk(parsed, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok || len(call.Args) < 2 || call.Args[0].Lit() != "answer" {
			return true
		}
		value, whole := wordText(call.Args[len(call.Args)-1])
		// Capitals stand for the learner's own value: THE-PATH, N.
		if whole && len(value) >= leastSecret && strings.ToUpper(value) != value || whole && len(value) >= leastSecret && strings.Trim(value, "0123456789") == "" {
			all = append(all, secret{value, file, int(call.Pos().Line())})
		}
		return true
	})
	return all
}

// leaks reports answers that stand in what a learner sees anyway.
func (r *lintRun) leaks(secrets []secret, seen visible) {
	for _, s := range secrets {
		for file, text := range seen {
			if s.file == file || !holds(text, s.value) {
				continue
			}
			line := 1 + strings.Count(text[:strings.Index(text, s.value)], "\n")
			r.problem(file, line, fmt.Sprintf("gives the answer away: %q of %s:%d", cut(s.value, 60), s.file, s.line),
				"take it out, or derive it so that it differs in each sandbox")
		}
	}
}
