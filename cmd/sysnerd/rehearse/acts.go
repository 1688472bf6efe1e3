package rehearse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// lines are what a learner types; none is longer than the screen is wide.
var lines = []string{
	"ls -l /", "ps -ef", "id", "uname -a", "strace -c ls /", "cat /proc/self/status",
	"echo hello, kernel", "mount | head -5", "ls -l /proc/self/fd",
}

// command types a line key by key, and waits until it has run.
func (l *learner) command(ctx context.Context) error {
	if err := l.keys(ctx, lines[l.rand.IntN(len(lines))]); err != nil {
		return err
	}
	return l.enter(ctx)
}

func (l *learner) enter(ctx context.Context) error {
	if err := l.screen.typed("\r"); err != nil {
		return err
	}
	_, err := l.prompt(ctx)
	if err == nil {
		l.r.count(func(c *Counts) { c.Commands++ })
	}
	return err
}

// keys types at an empty or growing line, where bash echoes each key as it is
// and nothing else.
func (l *learner) keys(ctx context.Context, line string) error {
	for _, key := range line {
		l.rest(ctx, 60*time.Millisecond, 260*time.Millisecond)
		began := time.Now()
		if err := l.screen.typed(string(key)); err != nil {
			return err
		}
		within, cancel := context.WithTimeout(ctx, echoTime)
		got, at, err := l.screen.take(within, 1)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			err = fmt.Errorf("no echo within %s", echoTime)
		}
		if err != nil {
			return err
		}
		l.r.took(feltEcho, at.Sub(began))
		l.r.count(func(c *Counts) { c.Keys++ })
		if string(got) != string(key) {
			l.r.count(func(c *Counts) { c.Wrong++ })
			l.r.failed(fmt.Errorf("typed %q, %q came back", key, got))
			return l.freshPrompt(ctx)
		}
	}
	return nil
}

// print has the shell print numbered lines at once, and reads them all.
func (l *learner) print(ctx context.Context) error {
	n := 200 + l.rand.IntN(2000)
	mark := l.mark()
	if err := l.run(ctx, fmt.Sprintf("seq -f '%s-%%05.0f' %d", mark, n)); err != nil {
		return err
	}
	return l.numbered(ctx, mark, n)
}

// printAcrossDrop has the shell print for some seconds; meanwhile the socket goes
// and comes back.
func (l *learner) printAcrossDrop(ctx context.Context) error {
	const rounds, each = 30, 40
	mark := l.mark()
	line := fmt.Sprintf("for i in {0..%d}; do seq -f '%s-%%05.0f' $((i*%d+1)) $((i*%d+%d)); sleep 0.1; done", rounds-1, mark, each, each, each)
	if err := l.run(ctx, line); err != nil {
		return err
	}
	for range 1 + l.rand.IntN(2) {
		pause(ctx, 200*time.Millisecond+time.Duration(l.rand.IntN(600))*time.Millisecond)
		l.dropped()
		pause(ctx, time.Duration(l.rand.IntN(1000))*time.Millisecond)
		if err := l.back(ctx); err != nil {
			return err
		}
	}
	return l.numbered(ctx, mark, rounds*each)
}

// run types a line and waits until the shell has begun it. What is typed into a
// socket that is cut may never have come to the shell.
func (l *learner) run(ctx context.Context, line string) error {
	if err := l.screen.typed(line + "\r"); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, promptTime)
	defer cancel()
	_, _, err := l.screen.until(within, outputStart)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = fmt.Errorf("the command did not begin within %s", promptTime)
	}
	return err
}

func (l *learner) mark() string { return l.name + "x" + strconv.Itoa(l.rand.IntN(1000)) }

// numbered reads the output of a command up to the next prompt. It must be n
// lines, from 1 on, and not one byte more or less. A cut socket does not count:
// what was printed is still to be had.
func (l *learner) numbered(ctx context.Context, mark string, n int) error {
	var printed []byte
	within, cancel := context.WithTimeout(ctx, promptTime)
	defer cancel()
	for {
		text, _, err := l.screen.until(within, promptDrawn)
		if errors.Is(err, errCut) {
			if err = l.back(ctx); err == nil {
				continue
			}
		}
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			err = fmt.Errorf("numbered lines did not end within %s", promptTime)
		}
		if err != nil {
			return err
		}
		printed = text
		break
	}
	_, printed, _ = bytes.Cut(printed, []byte("\a"))    // the end of outputStart
	printed, _, _ = bytes.Cut(printed, []byte("\x1b]")) // of the marks behind it
	f := compare(string(printed), mark, n)
	l.r.count(func(c *Counts) {
		c.Commands++
		c.Lines += n
		c.Lost += f.lost
		c.Repeated += f.repeated
		c.Wrong += f.wrong
	})
	return nil
}

// faults are what numbered output differs by; lost and repeated in bytes.
type faults struct {
	lost, repeated int64
	wrong          int
}

// compare holds output against lines "mark-00001" to n.
func compare(output, mark string, n int) (f faults) {
	size := int64(len(mark) + len("-00001\r\n"))
	next := 1
	for _, line := range strings.SplitAfter(output, "\n") {
		if line == "" {
			continue
		}
		digits, ok := strings.CutPrefix(strings.TrimSuffix(line, "\r\n"), mark+"-")
		i, err := strconv.Atoi(digits)
		if !ok || err != nil || int64(len(line)) != size || i < 1 || i > n {
			f.wrong++
			continue
		}
		switch {
		case i < next:
			f.repeated += size
		default:
			f.lost += int64(i-next) * size
			next = i + 1
		}
	}
	f.lost += int64(n+1-next) * size
	return f
}

// interrupt ends a flood by Ctrl-C.
func (l *learner) interrupt(ctx context.Context) error {
	if err := l.screen.typed("yes\r"); err != nil {
		return err
	}
	pause(ctx, 300*time.Millisecond)
	began := time.Now()
	if err := l.screen.typed("\x03"); err != nil {
		return err
	}
	at, err := l.prompt(ctx)
	if err == nil {
		l.r.took(feltInterrupt, at.Sub(began))
	}
	return err
}

// check asks for the verdict on a task.
func (l *learner) check(ctx context.Context) error {
	if len(l.course.tasks) == 0 {
		return nil
	}
	t := l.course.tasks[l.rand.IntN(len(l.course.tasks))]
	return l.verdict(ctx, "/check", map[string]string{"task": t.ID})
}

// answer submits a value, which is wrong.
func (l *learner) answer(ctx context.Context) error {
	for _, t := range l.course.tasks {
		if t.Answer {
			return l.verdict(ctx, "/answer", map[string]string{"task": t.ID, "value": strconv.Itoa(l.rand.IntN(1 << 20))})
		}
	}
	return nil
}

func (l *learner) verdict(ctx context.Context, what string, body any) error {
	var all struct {
		Results []struct {
			Task    string `json:"task"`
			Status  string `json:"status"`
			Message string `json:"message"`
		} `json:"results"`
	}
	began := time.Now()
	if err := l.who.call(ctx, "POST", "/api/v1/sandboxes/"+l.box.ID+what, body, &all); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	l.r.took(feltCheck, time.Since(began))
	l.r.count(func(c *Counts) { c.Checks++ })
	for _, r := range all.Results {
		if r.Status == "broken" {
			l.r.count(func(c *Counts) { c.Broken++ })
			l.r.failed(fmt.Errorf("the check of %s broke: %s", r.Task, r.Message))
		}
	}
	return nil
}

// drop loses the socket at the prompt, and comes back.
func (l *learner) drop(ctx context.Context) error {
	l.dropped()
	l.rest(ctx, 200*time.Millisecond, 5*time.Second)
	return l.back(ctx)
}

func (l *learner) dropped() {
	l.screen.drop()
	l.r.count(func(c *Counts) { c.Dropped++ })
}

// leave closes the page, and opens it again: the same sandbox must be there.
func (l *learner) leave(ctx context.Context) error {
	l.deaf()
	l.screen.drop()
	l.r.count(func(c *Counts) { c.Left++ })
	l.rest(ctx, time.Second, 8*time.Second)
	if ctx.Err() != nil {
		return nil
	}
	before := l.box.ID
	for {
		err := l.page(ctx)
		if err == nil {
			_, err = l.claim(ctx)
		}
		if err == nil {
			break
		}
		if !l.away(err) {
			return err
		}
		pause(ctx, time.Second)
	}
	if l.box.ID != before {
		l.r.failed(errors.New("the sandbox was another one after the page was left"))
		l.screen = newScreen(l.r)
	}
	l.listen(ctx)
	return l.back(ctx)
}
