package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

// terminals are what a terminal owes, whichever way its bytes come.
var terminals = []test{
	{name: "handover", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		if slices.Contains(box.Missing(), "handover") {
			return fmt.Errorf("the guest misses %v", box.Missing())
		}
		before, err := masters()
		if err != nil {
			return err
		}
		if _, err := b.screen(box); err != nil {
			return err
		}
		for range 400 { // it comes right behind the prompt, and tells nobody
			now, err := masters()
			if err != nil {
				return err
			}
			if now > before {
				return nil
			}
			if err := b.pause(); err != nil {
				return err
			}
		}
		return errors.New("the terminal's pty was not handed to this process")
	}},
	// Whichever way output comes: who hears that a command has ended has heard its answer.
	{name: "answer-before-its-end", body: func(b *bench) error {
		const commands = 30
		box, err := b.start()
		if err != nil {
			return err
		}
		s, err := b.screen(box)
		if err != nil {
			return err
		}
		events, cancel := box.Subscribe()
		defer cancel()
		loop := fmt.Sprintf(`for i in {1..%d}; do printf '\e]133;C\a'; answer $i >/dev/null; printf '\e]133;D;0\a'; done`+"\n", commands)
		if err := s.view.Write(b.ctx, []byte(loop)); err != nil {
			return err
		}
		for answers, ended := 0, 0; ended < commands; {
			select {
			case e, ok := <-events:
				switch {
				case !ok:
					return errors.New("the sandbox has ended")
				case e.Answer != nil:
					answers++
				case e.Command != nil:
					if ended++; answers < ended {
						return fmt.Errorf("the end of command %d is told after %d answers", ended, answers)
					}
				}
			case <-b.ctx.Done():
				return fmt.Errorf("%d commands of %d are told of", ended, commands)
			}
		}
		return nil
	}},
	{name: "terminal-in-bulk", body: func(b *bench) error {
		const lines = 200_000
		box, err := b.start()
		if err != nil {
			return err
		}
		c := &counter{next: 1}
		view, err := box.Terminal(1).View(b.ctx, sandbox.ViewOptions{Size: sandbox.Size{Cols: 80, Rows: 24}, Since: c.offset})
		if err != nil {
			return err
		}
		defer view.Close()
		if err := view.Write(b.ctx, c.lines(lines)); err != nil {
			return err
		}
		return c.read(b.ctx, view, lines)
	}},
	{name: "terminal-outlives-its-server", body: func(b *bench) error {
		const lines = 100_000
		spec := b.spec()
		box, err := sandbox.Start(b.ctx, b.engine, spec, nil)
		if err != nil {
			return err
		}
		b.undo = append(b.undo, func() { b.remove(spec.ID) })
		c := &counter{next: 1}
		for round := range 5 {
			view, err := box.Terminal(1).View(b.ctx, sandbox.ViewOptions{Size: sandbox.Size{Cols: 80, Rows: 24}, Since: c.offset})
			if err == nil && round == 0 {
				err = view.Write(b.ctx, append([]byte("kept=mine; "), c.lines(lines)...))
			}
			if err == nil {
				err = c.read(b.ctx, view, lines*(round+1)/5)
			}
			box.Detach()
			if err != nil {
				return fmt.Errorf("server %d: %w", round, err)
			}
			if box, err = sandbox.Adopt(b.ctx, b.engine, spec, nil); err != nil {
				return fmt.Errorf("after server %d: %w", round, err)
			}
		}
		defer box.Detach()
		s := &screen{}
		s.view, err = box.Terminal(1).View(b.ctx, sandbox.ViewOptions{Size: sandbox.Size{Cols: 80, Rows: 24}, Since: c.offset})
		if err != nil {
			return err
		}
		defer s.view.Close()
		if err := s.view.Write(b.ctx, []byte("echo still $kept\n")); err != nil {
			return err
		}
		return s.wait(b.ctx, "still mine")
	}},
	{name: "terminal-ctrl-c", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		s, err := b.screen(box)
		if err != nil {
			return err
		}
		// Under a flood, and with more typed than a terminal takes.
		if err := s.view.Write(b.ctx, []byte("yes\n")); err != nil {
			return err
		}
		if err := s.wait(b.ctx, "y\r\ny\r\n"); err != nil {
			return err
		}
		if err := s.view.Write(b.ctx, bytes.Repeat([]byte("never typed\n"), 10_000)); err != nil {
			return err
		}
		if err := s.view.Interrupt(b.ctx); err != nil {
			return err
		}
		s.seen.Reset()
		if err := s.wait(b.ctx, "$ "); err != nil {
			return err
		}
		out, err := s.do(b.ctx, "stty -a | head -1; echo alive")
		if err == nil && !bytes.Contains([]byte(out), []byte("alive\r\n")) {
			err = fmt.Errorf("after Ctrl-C the shell printed %q", out)
		}
		return err
	}},
	{name: "terminal-size", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		s, err := b.screen(box)
		if err != nil {
			return err
		}
		for _, size := range []sandbox.Size{{Cols: 100, Rows: 40}, {Cols: 33, Rows: 7}} {
			if err := s.view.Resize(b.ctx, size); err != nil {
				return err
			}
			want := fmt.Sprintf("%d %d", size.Rows, size.Cols)
			// The size may still be on its way.
			out, err := s.do(b.ctx, fmt.Sprintf("until [ \"$(stty size)\" = %q ]; do :; done; echo has $(stty size)", want))
			if err != nil || !bytes.Contains([]byte(out), []byte("has "+want)) {
				return fmt.Errorf("after Resize to %v: %q, %w", size, out, err)
			}
		}
		// The next shell has it too.
		if err := s.view.Write(b.ctx, []byte("exit\n")); err != nil {
			return err
		}
		if err := s.wait(b.ctx, "A new one follows"); err != nil {
			return err
		}
		s.seen.Reset()
		if err := s.wait(b.ctx, "$ "); err != nil {
			return err
		}
		out, err := s.do(b.ctx, "echo has $(stty size)")
		if err == nil && !bytes.Contains([]byte(out), []byte("has 7 33")) {
			err = fmt.Errorf("the next shell printed %q, want 7 33", out)
		}
		return err
	}},
	{name: "terminal-paste", body: func(b *bench) error {
		const lines = 20_000
		box, err := b.start()
		if err != nil {
			return err
		}
		s, err := b.screen(box)
		if err != nil {
			return err
		}
		if _, err := s.do(b.ctx, "stty -echo; PS1="); err != nil {
			return err
		}
		if err := s.view.Write(b.ctx, []byte("sleep 0.2; cksum\n")); err != nil {
			return err
		}
		var text []byte
		for i := range lines {
			text = fmt.Appendf(text, "line %d of what is pasted\n", i)
		}
		for p := range slices.Chunk(text, 10_000) {
			if err := s.view.Write(b.ctx, p); err != nil {
				return err
			}
		}
		if err := s.view.Write(b.ctx, []byte{4}); err != nil {
			return err
		}
		return s.wait(b.ctx, fmt.Sprintf(" %d\r\n", len(text)))
	}},
}

// masters counts the masters of ptys that this process has open.
func masters() (int, error) {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0, err
	}
	n := 0
	for _, e := range all {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			return 0, err
		}
		var s unix.Stat_t
		if err := unix.Fstat(fd, &s); err == nil && s.Mode&unix.S_IFMT == unix.S_IFCHR && s.Rdev == unix.Mkdev(5, 2) {
			n++
		} else if err != nil && !errors.Is(err, unix.EBADF) { // that of ReadDir is closed by now
			return 0, &fs.PathError{Op: "fstat", Path: e.Name(), Err: err}
		}
	}
	return n, nil
}

// counter reads lines n1, n2, … and sees to it that none is missing and none comes twice.
type counter struct {
	offset int64 // of what comes next
	next   int   // number of the line that comes next
	line   []byte
}

// lines is a command that prints them. What the shell says of it is in a line before.
func (c *counter) lines(n int) []byte {
	return fmt.Appendf(nil, "echo; seq -f 'n%%.0f' %d\n", n)
}

func (c *counter) read(ctx context.Context, view *sandbox.View, upTo int) error {
	for c.next <= upTo {
		out, err := view.Next(ctx)
		if err != nil {
			return fmt.Errorf("wait for line %d: %w", c.next, err)
		}
		if out.Data == nil {
			continue
		}
		if err := c.take(out.Offset, out.Data); err != nil {
			return err
		}
		view.Ack(c.offset)
	}
	return nil
}

// take takes in the next bytes.
func (c *counter) take(offset int64, p []byte) error {
	if offset != c.offset {
		return fmt.Errorf("output went on at %d, want %d", offset, c.offset)
	}
	c.offset += int64(len(p))
	for _, char := range p {
		if char != '\n' {
			c.line = append(c.line, char)
			continue
		}
		if n, ok := bytes.CutPrefix(c.line, []byte("n")); ok {
			if got, err := strconv.Atoi(string(bytes.TrimSuffix(n, []byte("\r")))); err == nil {
				if got != c.next {
					return fmt.Errorf("line %d came where %d was due", got, c.next)
				}
				c.next++
			}
		}
		c.line = c.line[:0]
	}
	return nil
}
