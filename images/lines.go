package images

import (
	"bytes"
	"strings"
)

// lines splits what a program writes into lines, tells each, and remembers the last
// ones for an error. It is a Writer for one goroutine.
type lines struct {
	tell func(line string)
	rest []byte
	last []string
}

const (
	keptLines   = 15
	longestLine = 4096
)

func (l *lines) Write(b []byte) (int, error) {
	l.rest = append(l.rest, b...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 && len(l.rest) < longestLine {
			return len(b), nil
		}
		if i < 0 {
			i = len(l.rest) - 1
		}
		line := strings.TrimRight(string(l.rest[:i]), "\r ")
		l.rest = l.rest[i+1:]
		if line == "" {
			continue
		}
		l.last = append(l.last, line)
		l.last = l.last[max(0, len(l.last)-keptLines):]
		l.tell(line)
	}
}

// tail is the end of what was written.
func (l *lines) tail() string {
	kept := l.last
	if len(l.rest) > 0 {
		kept = append(kept, string(l.rest))
	}
	return strings.Join(kept, "\n")
}
