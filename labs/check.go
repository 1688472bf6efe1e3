package labs

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"sysnerd/sandbox"
)

//go:embed prelude.sh
var prelude []byte

// What a learner reads when a check can't tell.
const (
	brokenMessage      = "This check broke. That is our fault; your work is untouched. The next command checks again."
	interruptedMessage = "The sandbox did not answer while the check looked, so it says nothing. The next command checks again."
)

// Bounds of what a result may hold, in bytes.
const (
	maxMessage = 1 << 10
	maxDetail  = 4 << 10
)

// Prepare runs setup.sh in a new or reset sandbox.
func (l *Lab) Prepare(ctx context.Context, t Target, a Attempt) error {
	if err := runScript(ctx, t, a, l.setup); err != nil {
		return fmt.Errorf("prepare lab %s: setup.sh: %w", l.ID, err)
	}
	return nil
}

// SetupVersion changes with what Prepare does.
func (l *Lab) SetupVersion() string {
	sum := sha256.Sum256(l.setup)
	return hex.EncodeToString(sum[:8])
}

// Cleanup runs cleanup.sh, when the learner ends his sandbox, for a lab that has to
// end something in good order before. A sandbox that ends in another way goes
// without it, so nothing may depend on it.
func (l *Lab) Cleanup(ctx context.Context, t Target, a Attempt) error {
	if err := runScript(ctx, t, a, l.cleanup); err != nil {
		return fmt.Errorf("end lab %s: cleanup.sh: %w", l.ID, err)
	}
	return nil
}

// runScript runs a script of the lab; one that is not there has nothing to do.
func runScript(ctx context.Context, t Target, a Attempt, body []byte) error {
	if len(body) == 0 {
		return nil
	}
	r, err := t.Run(ctx, sandbox.Run{Script: script(newToken(), body), Env: environment(t, a, "")})
	if err != nil {
		return err
	}
	if r.Exit != 0 {
		return fmt.Errorf("it %s: %s", fate(r), lastLine(r.Stderr))
	}
	return nil
}

// Check looks whether the task is done. It never returns an error: what goes
// wrong on our side is Status Broken, with a Reference to be logged beside Fault;
// a sandbox that ended or did not answer, or the end of ctx, is Status Interrupted.
func (t *Task) Check(ctx context.Context, on Target, a Attempt) Result {
	token := newToken()
	env := environment(on, a, t.ID)
	if answer, ok := a.Answers[t.ID]; ok {
		env = append(env, "SN_ANSWER="+strings.ReplaceAll(answer, "\x00", ""))
	}
	r, err := on.Run(ctx, sandbox.Run{
		Script: script(token, t.check),
		Files: []sandbox.File{
			{Name: "SN_JOURNAL", Data: encodeJournal(on.Journal(0))},
			{Name: sandbox.RunEnded},
			{Name: sandbox.RunOpened},
		},
		Env: env,
	})
	var result Result
	if err == nil {
		result, err = readResult(r, token)
	}
	if err == nil && result.Status == Pass && t.Predict != nil && t.Predict.Answer == "" && result.Outcome == "" {
		err = errors.New("it passed without an outcome, which the task has to be predicted")
	}
	switch {
	case err == nil:
	case errors.Is(err, sandbox.ErrNotRunning), ctx.Err() != nil:
		result = Result{Status: Interrupted, Message: interruptedMessage, Fault: err.Error()}
	default:
		result = Result{Status: Broken, Message: brokenMessage, Reference: newReference(), Fault: fault(err, r, token)}
	}
	result.Task, result.Section, result.Ms = t.ID, t.Section, r.Took.Milliseconds()
	return result
}

// fault tells an author why a check broke, and the end of what it printed.
func fault(err error, r sandbox.RunResult, token string) string {
	text := err.Error()
	for _, out := range []struct {
		name string
		text []byte
	}{{"standard error", r.Stderr}, {"standard output", r.Stdout}} {
		if printed := bytes.TrimSpace(bytes.ReplaceAll(out.text, []byte(token+" "), nil)); len(printed) > 0 {
			last := printed[max(0, len(printed)-maxMessage):]
			text += "\n" + out.name + ":\n" + strings.Map(dropControl, strings.ToValidUTF8(string(last), "\uFFFD"))
		}
	}
	return text
}

// dropControl is for [strings.Map]: it drops what would hide a log's lines.
func dropControl(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\t' {
		return -1
	}
	return r
}

// environment is what a script knows of the sandbox and the attempt.
func environment(t Target, a Attempt, task string) []string {
	return []string{
		"SN_TASK=" + task,
		"SN_SEED=" + a.Seed,
		"SN_UID=" + strconv.Itoa(t.UID()),
		"SN_MISSING=" + strings.Join(t.Missing(), " "),
	}
}

// script puts the prelude in front of body. The braces make bash read all of it
// before it runs any: body can't be eaten by a program that reads standard input.
func script(token string, body []byte) []byte {
	var b bytes.Buffer
	b.WriteString("{\nSN_TOKEN=" + token + "\n")
	b.Write(prelude)
	b.WriteString("\n")
	b.Write(body)
	b.WriteString("\n} </dev/null\n")
	return b.Bytes()
}

// readResult makes a result of what a check left. Its error says why the check is
// broken.
func readResult(r sandbox.RunResult, token string) (Result, error) {
	var result Result
	switch {
	case r.TimedOut || r.Signal != 0 || r.Exit > 1 || r.Exit < 0:
		return result, fmt.Errorf("it %s", fate(r))
	case r.Truncated:
		return result, fmt.Errorf("it printed more than is kept")
	case r.Exit == 0:
		result.Status = Pass
	default:
		result.Status = Fail
	}
	first := ""
	for line := range strings.Lines(string(r.Stdout)) {
		line = strings.TrimSuffix(line, "\n")
		told, ok := strings.CutPrefix(line, token+" ")
		if !ok {
			if !utf8.ValidString(line) {
				return Result{}, fmt.Errorf("it printed what is not UTF-8")
			}
			if first == "" {
				first = line
			}
			continue
		}
		key, value, _ := strings.Cut(told, " ")
		value = cut(strings.ToValidUTF8(unescape(value), "\uFFFD"), maxDetail)
		switch key {
		case "message":
			result.Message = value
		case "attempted":
			result.Attempted = true
		case "expected":
			result.Expected = value
		case "observed":
			result.Observed = value
		case "evidence":
			result.Evidence = value
		case "hint":
			result.Hint = value
		case "outcome":
			result.Outcome = value
		}
	}
	if result.Message == "" {
		result.Message = first
	}
	result.Message = cut(strings.ReplaceAll(result.Message, "\n", " "), maxMessage)
	switch {
	case result.Message == "":
		return Result{}, fmt.Errorf("it gave no message")
	case strings.Contains(result.Message, "\r"):
		return Result{}, fmt.Errorf("its message has a carriage return")
	}
	// Who passed has tried.
	result.Attempted = result.Attempted || result.Status == Pass
	return result, nil
}

// unescape undoes what sn_tell does to keep a value on one line.
var unescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n").Replace

// fate tells how a run ended.
func fate(r sandbox.RunResult) string {
	switch {
	case r.TimedOut:
		return "ran out of time"
	case r.Signal != 0:
		return fmt.Sprintf("was ended by signal %d", r.Signal)
	}
	return fmt.Sprintf("exited with %d", r.Exit)
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return cut(strings.ToValidUTF8(lines[len(lines)-1], "\uFFFD"), maxMessage)
}

// newToken is what no learner can guess while the check runs.
func newToken() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// newReference is short enough to be read out.
func newReference() string {
	b := make([]byte, 3)
	rand.Read(b)
	return strings.ToUpper(hex.EncodeToString(b))
}
