//go:build ignore

// Records what real programs print, for the tests: one NAME.stream for each, and
// recordings.json about them. Run it in a container, for it shows what is there:
//
//	CGO_ENABLED=0 go build -o /tmp/record/record sandbox/redraw/testdata/record.go
//	docker run --rm --network none --hostname sandbox -v /tmp/record:/record --entrypoint /record/record IMAGE /record [NAME ...]
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
)

const (
	cols  = 80
	rows  = 24
	quiet = 400 * time.Millisecond // silence after which a program waits for us
)

// recording is what a test has to know of a stream. Whole are the spans, of byte
// numbers, in which everything that is on the screen at their end was painted.
type recording struct {
	Command string   `json:"command"`
	Cols    int      `json:"cols"`
	Rows    int      `json:"rows"`
	Whole   [][2]int `json:"whole"`
}

// play is a program and what is typed; nudge stands for the terminal's size
// changing and changing back.
type play struct {
	name    string
	command string
	keys    []string
	spans   bool // each line of input has the whole screen painted
}

const nudge = "nudge"

var plays = []play{
	{"vim", "vim -u NONE -N +'syntax on' +'set nu ruler' /usr/include/stdio.h", []string{
		"\x06", "\x06", "jjjj", nudge, "ithe quick brown fox ", "\x1b", "/FILE\r", "n", "n", nudge,
		":split\r", "\x06", "\x05\x05\x05", ":vsplit\r", nudge, "dd", "u", "vjjj", "\x1b", nudge, ":qa!\r"}, false},
	{"vim-mouse", "vim -u NONE -N +'set mouse=a ttymouse=sgr termguicolors bg=dark hlsearch' +'syntax on' /usr/include/signal.h", []string{
		"\x06", "/int\r", "5j", nudge, "G", "gg", ":terminal\r", "ls --color=always /\r", nudge, "exit\r", nudge, ":qa!\r"}, false},
	{"less", "less /usr/include/signal.h", []string{" ", " ", "/define\r", nudge, "n", "b", "G", nudge, "g", "jjjj", "kk", nudge, "q"}, false},
	{"man", "MANPAGER=less man bash", []string{" ", " ", nudge, "/redirect\r", "n", nudge, "q"}, false},
	{"top", "top -d 1", []string{"", "", nudge, "M", "z", nudge, "", "", nudge, "q"}, false},
	{"htop", "htop -d 10", []string{"", "jjjj", nudge, "t", "", nudge, "\x1bOQ\x1b\x1b", nudge, "q"}, false},
	{"nano", "nano /usr/include/stdlib.h", []string{"\x16", "hello\r", nudge, "\x17int\r", "\x16\x16", nudge, "\x18n"}, false},
	{"tmux", "tmux -L sysnerd-record -f /dev/null new bash --norc", []string{
		"ls --color=always /\r", "\x02%", "seq 50\r", nudge, "\x02\"", "top -d 1\r", "", nudge, "q", "exit\r", nudge, "\x02&y"}, false},
	{"watch", "watch -n 1 -d 'date; ls -l --color=always / | head -30'", []string{"", "", nudge, "", nudge, "\x03"}, false},
	{"bash", "bash --norc", []string{"PS1='\\[\\e[1;32m\\]$ \\[\\e[m\\]'; seq 100\r", "ls -l --color=always /usr/bin | head -60\r",
		"printf '\\033[4;38;5;208m%s\\033[m\\n' $(seq 200 240)\r", "for i in $(seq 50); do printf '\\r\\033[K%d%%' $i; done; seq 30\r",
		"printf '\\033(0lqqqk\\033(B\\033[7m%s\\033[27m\\n' $(seq 40)\r", "echo aaaaaaaa bbbbbbbb cccccccc dddddddd eeeeeeeee ffffffff ggggggg hhhhhh\x01\x1bf\x1bf\x0b\x19; seq 40\r",
		"\x12col\x07", "less /usr/include/errno.h\r", "q", "printf '%s ünïcödé 漢字 🙂\\n' $(seq 60)\r"}, true},
}

func main() {
	log.SetFlags(0)
	dir := os.Args[1]
	list := filepath.Join(dir, "recordings.json")
	all := map[string]recording{}
	if p, err := os.ReadFile(list); err == nil {
		if err := json.Unmarshal(p, &all); err != nil {
			log.Fatal(err)
		}
	}
	for _, p := range plays {
		if len(os.Args) > 2 && !slices.Contains(os.Args[2:], p.name) {
			continue
		}
		stream, r, err := record(p)
		if err != nil {
			log.Fatalf("%s: %v", p.name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, p.name+".stream"), stream, 0o644); err != nil {
			log.Fatal(err)
		}
		all[p.name] = r
		log.Printf("%s: %d bytes, whole in %v", p.name, len(stream), r.Whole)
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(list, append(text, '\n'), 0o644); err != nil {
		log.Fatal(err)
	}
}

// terminal reads a pty and answers what programs ask.
type terminal struct {
	*os.File
	mu     sync.Mutex
	stream []byte
	last   time.Time
}

func (t *terminal) read() {
	answers := []struct{ query, answer string }{
		{"\x1b[c", "\x1b[?1;2c"}, {"\x1b[>c", "\x1b[>0;276;0c"}, {"\x1b[6n", "\x1b[1;1R"},
		{"\x1b]11;?", "\x1b]11;rgb:1111/1111/1111\x1b\\"}, {"\x1b]10;?", "\x1b]10;rgb:eeee/eeee/eeee\x1b\\"},
	}
	buf := make([]byte, 4096)
	for {
		n, err := t.Read(buf)
		if err != nil {
			return
		}
		t.mu.Lock()
		t.stream = append(t.stream, buf[:n]...)
		t.last = time.Now()
		t.mu.Unlock()
		for _, a := range answers {
			if bytes.Contains(buf[:n], []byte(a.query)) {
				_, _ = t.WriteString(a.answer)
			}
		}
	}
}

// settle waits for silence, and returns how many bytes have come.
func (t *terminal) settle() int {
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		t.mu.Lock()
		last, n := t.last, len(t.stream)
		t.mu.Unlock()
		if since := max(0, time.Since(last)); since > quiet && time.Since(began) > quiet {
			return n
		}
	}
}

func record(p play) ([]byte, recording, error) {
	r := recording{Command: p.command, Cols: cols, Rows: rows, Whole: [][2]int{}}
	cmd := exec.Command("bash", "-c", p.command)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "HOME="+os.TempDir(), "LESS=", "TMUX=")
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: cols, Rows: rows})
	if err != nil {
		return nil, r, err
	}
	t := &terminal{File: file, last: time.Now()}
	over := make(chan struct{})
	go func() {
		t.read()
		close(over)
	}()
	for _, key := range p.keys {
		from := t.settle()
		if key == nudge {
			for _, n := range []uint16{rows - 1, rows} {
				if err := pty.Setsize(file, &pty.Winsize{Cols: cols, Rows: n}); err != nil {
					return nil, r, err
				}
				time.Sleep(100 * time.Millisecond)
			}
		} else if _, err := t.WriteString(key); err != nil {
			return nil, r, err
		}
		if to := t.settle(); key == nudge || p.spans && strings.HasSuffix(key, "\r") {
			r.Whole = append(r.Whole, [2]int{from, to})
		}
	}
	_ = cmd.Process.Kill() // which ends the reading too
	_ = cmd.Wait()
	<-over
	file.Close()
	return t.stream, r, nil
}
