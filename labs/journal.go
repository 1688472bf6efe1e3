package labs

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"sysnerd/sandbox"
)

// Bounds of the journal that a check is given.
const (
	journalCommands = 40
	journalBytes    = 512 << 10
)

// encodeJournal writes the newest commands, newest first, for prelude.sh: for each
// its start and end in Unix milliseconds (0 while it runs), exit status, line, output,
// what came after it, tab, and its three places in the terminal's output; every field
// ended by a NUL, which none of them holds.
func encodeJournal(commands []sandbox.Command) []byte {
	var b []byte
	for i := len(commands) - 1; i >= max(0, len(commands)-journalCommands); i-- {
		c := commands[i]
		output := printed(c.Output)
		if len(c.Tail) > 0 {
			output += "\n" + printed(c.Tail)
		}
		fields := []string{
			unixMillis(c.Start), unixMillis(c.End), strconv.Itoa(c.Exit), withoutNUL(c.Line), output, printed(c.Late),
			strconv.Itoa(c.Tab), decimal(c.From), decimal(c.Until), decimal(c.Next),
		}
		entry := strings.Join(fields, "\x00") + "\x00"
		if len(b)+len(entry) > journalBytes {
			break
		}
		b = append(b, entry...)
	}
	return b
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func unixMillis(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return decimal(t.UnixMilli())
}

func withoutNUL(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// escapes are the sequences and control characters that a terminal does not show.
var escapes = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]|\x1b[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\|$)|\x1b[ -/]*[0-~]|[\x00-\x08\x0b-\x1f\x7f]")

// printed is output as a reader sees it: lines of text.
func printed(output []byte) string { return escapes.ReplaceAllString(string(output), "") }
