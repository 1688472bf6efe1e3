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
// its start and end in Unix milliseconds (0 while it runs), exit status, line and
// output, every field ended by a NUL, which none of them holds.
func encodeJournal(commands []sandbox.Command) []byte {
	var b []byte
	for i := len(commands) - 1; i >= max(0, len(commands)-journalCommands); i-- {
		c := commands[i]
		line, output := withoutNUL(c.Line), printed(c.Output)
		if len(b)+len(line)+len(output)+64 > journalBytes {
			break
		}
		for _, field := range []string{unixMillis(c.Start), unixMillis(c.End), strconv.Itoa(c.Exit), line, output} {
			b = append(append(b, field...), 0)
		}
	}
	return b
}

func unixMillis(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

func withoutNUL(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// escapes are the sequences and control characters that a terminal does not show.
var escapes = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]|\x1b[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\|$)|\x1b[ -/]*[0-~]|[\x00-\x08\x0b-\x1f\x7f]")

// printed is output as a reader sees it: lines of text.
func printed(output []byte) string { return escapes.ReplaceAllString(string(output), "") }
