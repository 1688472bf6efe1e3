package labs

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"sysnerd/sandbox"
)

// evidenceTime is how long a learner waits for a command that only shows something.
const evidenceTime = 10 * time.Second

// notFound is what bash says of a command that it does not find.
var notFound = regexp.MustCompile(`(?m)^(?:-?bash|sh): (?:line \d+: )?.*: (?:command not found|No such file or directory)$`)

// prove types the evidence into the terminal of the attempt, and holds what is printed
// against what the check observed. Of the values in it, at least one has to be there:
// each word in code type, and each number, except those that are the learner's own
// answer and those that a second look finds changed.
func (p *played) prove(ctx context.Context, step *Step) {
	r := step.Result
	again := p.check(ctx)
	values := observedValues(r.Observed)
	stable := observedValues(again.Observed)
	values = slices.DeleteFunc(values, func(v string) bool {
		return !slices.Contains(stable, v) || slices.ContainsFunc(p.answers(), func(a string) bool { return strings.Contains(a, v) })
	})
	if strings.Contains(r.Evidence, "\n") {
		step.fault("evidence %q: it is more than one line", r.Evidence)
		return
	}
	c, err := p.typist.enterAlone(ctx, r.Evidence, evidenceTime)
	if err != nil {
		step.fault("evidence %s: %v", r.Evidence, err)
		return
	}
	if c != nil {
		step.Printed = shown(c)
	}
	switch {
	case c == nil:
		step.fault("evidence %s: the shell asks for more of it", r.Evidence)
	case c.Exit == 126 || c.Exit == 127:
		step.fault("evidence %s: the shell cannot run it (status %d)", r.Evidence, c.Exit)
	case strings.TrimSpace(step.Printed) == "":
		step.fault("evidence %s: it prints nothing", r.Evidence)
	case notFound.MatchString(step.Printed):
		step.fault("evidence %s: it prints %q", r.Evidence, notFound.FindString(step.Printed))
	case len(values) > 0 && p.typist.differs == "" && !slices.ContainsFunc(values, func(v string) bool { return holds(step.Printed, v) }):
		step.fault("evidence %s: it prints none of what was observed (%s), but %q",
			r.Evidence, strings.Join(values, ", "), cut(strings.TrimSpace(step.Printed), 400))
	case p.check(ctx).Status == Pass:
		step.fault("evidence %s: it passes the task", r.Evidence)
	}
}

// answers are what the learner submitted for the task.
func (p *played) answers() (all []string) {
	for _, a := range p.attempt.Answers {
		all = append(all, a)
	}
	return all
}

// shown is what a command printed, as a reader sees it.
func shown(c *sandbox.Command) string { return printed(c.Output) }

// A number stands alone or before a unit; 1,024 and 1024 are the same.
var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	numeral  = regexp.MustCompile(`[0-9][0-9,]*(?:\.[0-9]+)?`)
)

// observedValues are the values that a text names: what is in code type, and numbers
// outside of it.
func observedValues(text string) (values []string) {
	for _, m := range codeSpan.FindAllStringSubmatch(text, -1) {
		values = append(values, m[1])
	}
	for _, n := range numeral.FindAllString(codeSpan.ReplaceAllString(text, " "), -1) {
		values = append(values, strings.ReplaceAll(strings.TrimRight(n, ","), ",", ""))
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// holds tells whether text has the value as a word of its own: 42 is not in 142.
func holds(text, value string) bool {
	for from := 0; ; {
		at := strings.Index(text[from:], value)
		if at < 0 {
			return false
		}
		begin, end := from+at, from+at+len(value)
		if !(begin > 0 && wordByte(text[begin-1]) && wordByte(value[0])) && !(end < len(text) && wordByte(text[end]) && wordByte(value[len(value)-1])) {
			return true
		}
		from = begin + 1
	}
}

func wordByte(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_'
}
