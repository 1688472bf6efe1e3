package sandbox

import (
	"bytes"
	"strings"
	"sync"
	"time"
)

// Bounds of a Journal: what a learner's terminal prints costs no more than this.
const (
	journalCommands = 200      // newest commands kept
	journalOutput   = 16 << 10 // bytes of output kept of each, from its beginning
	journalTail     = 4 << 10  // bytes kept of its end, and of what came after it
	journalLine     = 4 << 10  // bytes of a command line
	journalNesting  = 16       // commands that run at once in one terminal: shells in shells
	journalShells   = 8        // ends of shells that lie ahead of the output
)

// Journal learns from the marks in terminals' output which commands ran and what
// they printed. It only watches: bytes that are no marks, or bad or forged ones,
// never stop it. Its memory is bounded. All methods may be called concurrently.
//
// It knows the marks A to D of OSC 133, with an optional "aid=" that tells which
// shell speaks, and E of OSC 633, the command line. The line may come before C,
// escaped, as VS Code has it, or right before D, as fc(1) prints it: with a tab
// in front and not escaped. Shells in shells have commands that run at once; what is
// printed then belongs to the innermost.
type Journal struct {
	mu       sync.Mutex
	seq      int64
	commands []*Command // by Seq
	tabs     map[int]*markReader
}

// NewJournal returns an empty journal.
func NewJournal() *Journal { return &Journal{tabs: map[int]*markReader{}} }

// markReader is what a journal knows of one terminal.
type markReader struct {
	scan    oscScanner
	line    string    // told by E, not yet used
	running []running // innermost last
	last    *Command  // the one that ended last, when none has begun since
	prompt  bool      // between A and B
	base    int64     // what the guest's numbers lack
	shells  []int64   // where shells ended that lie ahead
}

type running struct {
	*Command
	shell string // aid
}

// Feed takes the next bytes of a terminal; offset is the number of the first. It
// returns the commands that started or ended in them, in order.
func (j *Journal) Feed(tab int, offset int64, p []byte, now time.Time) []Command {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.tab(tab)
	var events []Command
	for len(t.shells) > 0 && t.shells[0] <= offset+int64(len(p)) {
		at := max(offset, t.shells[0])
		events = j.feed(t, tab, offset, p[:at-offset], now, events)
		p, offset = p[at-offset:], at
		// Whatever that shell ran, and the shells in it, nobody tells its end any more.
		events = t.end(0, -1, offset, now, events)
		t.line, t.prompt = "", false
		t.shells = t.shells[1:]
	}
	return j.feed(t, tab, offset, p, now, events)
}

func (j *Journal) feed(t *markReader, tab int, offset int64, p []byte, now time.Time, events []Command) []Command {
	for len(p) > 0 {
		plain, mark, n := t.scan.next(p)
		t.print(plain)
		offset += int64(n)
		p = p[n:]
		if mark != nil {
			events = j.mark(t, tab, mark, offset, now, events)
		}
	}
	return events
}

// tab is what is known of that terminal. Under mu.
func (j *Journal) tab(tab int) *markReader {
	t := j.tabs[tab]
	if t == nil {
		t = &markReader{}
		j.tabs[tab] = t
	}
	return t
}

// Exited says that the shell of a terminal has ended, and that another begins at
// offset, which may lie ahead of what was fed.
func (j *Journal) Exited(tab int, offset int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.tab(tab)
	if len(t.shells) == journalShells {
		t.shells = t.shells[1:]
	}
	t.shells = append(t.shells, offset)
}

// Rebase says that from now on the guest's number of a byte is base less.
func (j *Journal) Rebase(tab int, base int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tab(tab).base = base
}

// Commands returns the commands with Seq > since, oldest first, those that still
// run too.
func (j *Journal) Commands(since int64) []Command {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []Command
	for _, c := range j.commands {
		if c.Seq > since {
			all = append(all, snapshot(c))
		}
	}
	return all
}

// Skip says that bytes of this terminal were lost.
func (j *Journal) Skip(tab int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if t := j.tabs[tab]; t != nil {
		t.scan, t.line, t.prompt = oscScanner{}, "", false
		for _, r := range t.running {
			r.Cut = true
		}
	}
}

// Clear forgets every command, after a reset. Seq goes on.
func (j *Journal) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.commands = nil
	for tab, t := range j.tabs {
		j.tabs[tab] = &markReader{base: t.base}
	}
}

// snapshot copies c. The bytes of its output are shared: they never change, more
// are only put behind them. Of what ends it, the oldest go as others come.
func snapshot(c *Command) Command {
	s := *c
	s.Output = c.Output[:len(c.Output):len(c.Output)]
	s.Tail = bytes.Clone(newest(c.Tail))
	s.Late = bytes.Clone(newest(c.Late))
	return s
}

// newest is what a Command shows of its Tail or Late, which grow to twice as much.
func newest(p []byte) []byte { return p[max(0, len(p)-journalTail):] }

// endOf puts p behind the end that is kept.
func endOf(kept, p []byte) []byte {
	p = newest(p)
	if len(kept)+len(p) > 2*journalTail {
		kept = append(kept[:0], newest(kept)...)
	}
	return append(kept, p...)
}

// print gives bytes to the innermost command that runs, and to the one before them.
func (t *markReader) print(p []byte) {
	if len(p) == 0 {
		return
	}
	if t.last != nil && !t.prompt {
		t.last.Late = endOf(t.last.Late, p)
	}
	if len(t.running) == 0 {
		return
	}
	c := t.running[len(t.running)-1]
	room := min(len(p), journalOutput-len(c.Output))
	c.Output = append(c.Output, p[:room]...)
	if p = p[room:]; len(p) > 0 {
		c.Cut = true
		c.Tail = endOf(c.Tail, p)
	}
}

// mark acts on the text of one OSC; offset is that of the byte behind it.
func (j *Journal) mark(t *markReader, tab int, text []byte, offset int64, now time.Time, events []Command) []Command {
	if line, ok := bytes.CutPrefix(text, []byte("633;E;")); ok {
		t.line = decodeLine(line)
		return events
	}
	rest, ok := bytes.CutPrefix(text, []byte("133;"))
	if !ok {
		return events
	}
	letter, parameters, _ := strings.Cut(string(rest), ";")
	shell := ""
	for word := range strings.SplitSeq(parameters, ";") {
		if aid, ok := strings.CutPrefix(word, "aid="); ok {
			shell = aid
		}
	}
	switch letter {
	case "A": // the shell is back at its prompt, whatever it ran
		events = t.end(t.depth(shell), -1, offset, now, events)
		t.line, t.prompt = "", true
	case "B":
		t.prompt = false
	case "C":
		events = t.end(t.depth(shell), -1, offset, now, events)
		if len(t.running) == journalNesting {
			events = t.end(journalNesting-1, -1, offset, now, events)
		}
		j.seq++
		c := &Command{Seq: j.seq, Tab: tab, Line: t.line, Start: now, Exit: -1, Offset: offset,
			From: offset - t.base, Until: -1, Next: -1}
		if t.last != nil {
			t.last.Next = c.From
		}
		t.line, t.prompt, t.last = "", false, nil
		t.running = append(t.running, running{c, shell})
		j.commands = append(j.commands, c)
		if over := len(j.commands) - journalCommands; over > 0 {
			j.commands = append(j.commands[:0], j.commands[over:]...)
		}
		events = append(events, snapshot(c))
	case "D":
		depth := t.depth(shell)
		if depth < len(t.running) {
			if c := t.running[depth]; c.Line == "" {
				c.Line = t.line
			}
			events = t.end(depth, exitStatus(parameters), offset, now, events)
		}
		t.line, t.prompt = "", false
	}
	return events
}

// depth is where the command of that shell lies among those that run; with no
// such command it is behind the last. Shells that do not tell who they are, and
// those that have not run anything, are taken for what their marks say at least.
func (t *markReader) depth(shell string) int {
	for i := len(t.running) - 1; i >= 0; i-- {
		if t.running[i].shell == shell {
			return i
		}
	}
	return len(t.running)
}

// end ends the command at depth with that status, and those within it, of which
// no status is known.
func (t *markReader) end(depth, exit int, offset int64, now time.Time, events []Command) []Command {
	for i := len(t.running) - 1; i >= depth; i-- {
		c := t.running[i]
		c.End, c.Until = now, offset-t.base
		if i == depth {
			c.Exit = exit
		}
		// Those within it have no time after their end of their own.
		if t.last != nil {
			t.last.Next = c.Until
		}
		t.last = c.Command
		events = append(events, snapshot(c.Command))
	}
	clear(t.running[min(depth, len(t.running)):])
	t.running = t.running[:min(depth, len(t.running))]
	return events
}

// exitStatus reads the first parameter of mark D; -1 if it is no exit status.
func exitStatus(parameters string) int {
	word, _, _ := strings.Cut(parameters, ";")
	if len(word) == 0 || len(word) > 3 {
		return -1
	}
	n := 0
	for _, digit := range []byte(word) {
		if digit < '0' || digit > '9' {
			return -1
		}
		n = 10*n + int(digit-'0')
	}
	if n > 255 {
		return -1
	}
	return n
}

// decodeLine turns the parameter of mark E into the line as it was typed.
func decodeLine(text []byte) string {
	if raw, ok := bytes.CutPrefix(text, []byte("\t")); ok {
		// fc(1) puts a column for "*" in front, and a line feed behind, which
		// the terminal turned into two bytes.
		raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
		raw = bytes.TrimRight(raw, "\n")
		if len(raw) > 0 {
			raw = raw[1:]
		}
		return cutLine(raw)
	}
	// What follows a semicolon is the nonce of VS Code.
	text, _, _ = bytes.Cut(text, []byte(";"))
	line := make([]byte, 0, min(len(text), journalLine))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			if text[i+1] == '\\' {
				i++
			} else if i+3 < len(text) && text[i+1] == 'x' {
				if high, low := hexDigit(text[i+2]), hexDigit(text[i+3]); high >= 0 && low >= 0 {
					c = byte(high<<4 | low)
					i += 3
				}
			}
		}
		line = append(line, c)
	}
	return cutLine(line)
}

// cutLine bounds a line and makes it text.
func cutLine(line []byte) string {
	if len(line) > journalLine {
		line = line[:journalLine]
	}
	return strings.ToValidUTF8(string(line), "\uFFFD")
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
