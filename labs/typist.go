package labs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"sysnerd/sandbox"
)

const (
	lineTime  = 30 * time.Second       // for one typed line to end
	probeTime = 100 * time.Millisecond // for a new shell to show that it reads
	probes    = 200
	// promptTime is how long the journal may be behind the screen.
	promptTime = 300 * time.Millisecond
)

// What a script says in a comment that begins with "#@ ": what a learner does beside
// typing a line and waiting for its end.
const (
	moveMemory    = "memory"           // SIZE: move the memory limit on the page
	moveTab       = "tab"              // N: go on in that terminal
	moveStart     = "start"            // LINE: type it, and do not wait for its end
	moveInterrupt = "interrupt"        // press Ctrl-C, and wait for the prompt
	moveDiffers   = "evidence-differs" // REASON: why the evidence cannot print what was observed
)

const movePrefix = "#@ "

// move is one thing that a script does.
type move struct{ do, with string } // do is "" for a line that is typed

// moves reads a script. Its error names the line that makes no sense.
func moves(script string) (all []move, err error) {
	for line := range strings.Lines(script) {
		line = strings.TrimSuffix(line, "\n")
		told, ok := strings.CutPrefix(line, movePrefix)
		if !ok {
			all = append(all, move{with: line})
			continue
		}
		do, with, _ := strings.Cut(strings.TrimSpace(told), " ")
		m := move{do, strings.TrimSpace(with)}
		switch m.do {
		case moveMemory:
			_, err = parseSize(m.with)
		case moveTab:
			if len(m.with) != 1 || m.with < "1" || m.with > "9" {
				err = fmt.Errorf("want a tab from 1 to 9")
			}
		case moveStart, moveDiffers:
			if m.with == "" {
				err = fmt.Errorf("want more behind it")
			}
		case moveInterrupt:
			if m.with != "" {
				err = fmt.Errorf("want nothing behind it")
			}
		default:
			err = fmt.Errorf("want memory, tab, start, interrupt or evidence-differs")
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		all = append(all, m)
	}
	return all, nil
}

var errLineTime = errors.New("it did not end in time")

// typist types into the terminals of a sandbox as a learner does. Each terminal has
// one goroutine, which reads its screen and ends at close.
type typist struct {
	stage   *Stage
	events  <-chan sandbox.Event
	stop    func() // ends events
	tabs    map[int]*typistTab
	tab     int
	answers map[string]string
	differs string // why the evidence cannot print what was observed
}

type typistTab struct {
	view    *sandbox.View
	screen  chan string // the end of what is shown; only the newest
	cancel  context.CancelFunc
	reading sync.WaitGroup
}

func newTypist(s *Stage) *typist {
	y := &typist{stage: s, tabs: map[int]*typistTab{}, tab: 1, answers: map[string]string{}}
	y.events, y.stop = s.Box.Subscribe()
	return y
}

func (y *typist) close() {
	for _, t := range y.tabs {
		t.cancel()
		t.reading.Wait()
		t.view.Close()
	}
	y.stop()
}

// answersFor is what was answered; an answer that names no task is this one's.
func (y *typist) answersFor(t *Task) map[string]string {
	answers := maps.Clone(y.answers)
	if unnamed, ok := answers[""]; ok && t.Answer {
		answers[t.ID] = unnamed
	}
	return answers
}

// play does what a script says.
func (y *typist) play(ctx context.Context, script string) error {
	all, err := moves(script)
	if err != nil {
		return err
	}
	for _, m := range all {
		switch m.do {
		case "":
			_, err = y.enter(ctx, m.with, lineTime)
		case moveTab:
			y.tab = int(m.with[0] - '0')
		case moveMemory:
			bytes, _ := parseSize(m.with) // moves has looked
			if y.stage.SetMemory == nil {
				err = errors.New("the memory limit cannot be moved here")
			} else {
				err = y.stage.SetMemory(ctx, bytes)
			}
		case moveStart:
			var t *typistTab
			if t, err = y.ready(ctx); err == nil {
				err = t.view.Write(ctx, []byte(m.with+"\r"))
			}
		case moveInterrupt:
			_, err = y.press(ctx, "\x03", lineTime, func(*sandbox.Command) bool { return true })
		case moveDiffers:
			y.differs = m.with
		}
		if err != nil {
			return fmt.Errorf("%s: %w", strings.TrimSpace(m.do+" "+m.with), err)
		}
	}
	return nil
}

// enter types a line and waits until its command has ended, or the shell asks for
// more of it, or another shell asks for the next; the command is nil then.
func (y *typist) enter(ctx context.Context, line string, limit time.Duration) (*sandbox.Command, error) {
	return y.enterAny(ctx, line, limit, func(c *sandbox.Command) bool { return !strings.HasPrefix(c.Line, probe) })
}

// enterAlone is enter for a whole command line: no other command is taken for it, as
// one whose end was forged.
func (y *typist) enterAlone(ctx context.Context, line string, limit time.Duration) (*sandbox.Command, error) {
	return y.enterAny(ctx, line, limit, func(c *sandbox.Command) bool { return c.Line == line })
}

func (y *typist) enterAny(ctx context.Context, line string, limit time.Duration, ours func(*sandbox.Command) bool) (*sandbox.Command, error) {
	if _, err := y.ready(ctx); err != nil {
		return nil, err
	}
	return y.press(ctx, line+"\r", limit, ours)
}

// press types keys into the present tab and waits for the end of a command.
func (y *typist) press(ctx context.Context, keys string, limit time.Duration, ours func(*sandbox.Command) bool) (*sandbox.Command, error) {
	t, ok := y.tabs[y.tab]
	if !ok {
		return nil, fmt.Errorf("nothing runs in tab %d", y.tab)
	}
	select {
	case <-t.screen: // of before
	default:
	}
	if err := t.view.Write(ctx, []byte(keys)); err != nil {
		return nil, err
	}
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	var prompted <-chan time.Time
	var ended *sandbox.Command // and whether the prompt was shown, in either order
	shown := false
	for {
		select {
		case e, ok := <-y.events:
			if !ok {
				return nil, sandbox.ErrNotRunning
			}
			if e.Answer != nil {
				y.answers[e.Answer.Task] = e.Answer.Value
			}
			if c := e.Command; c != nil && c.Tab == y.tab && !c.End.IsZero() && ours(c) {
				if shown {
					return c, nil
				}
				ended, prompted = c, time.After(promptTime)
			}
		case tail := <-t.screen:
			switch {
			case strings.HasSuffix(tail, continuation):
				return nil, nil
			case strings.HasSuffix(tail, prompt):
				if ended != nil {
					return ended, nil
				}
				shown, prompted = true, time.After(promptTime)
			case ended == nil:
				shown, prompted = false, nil
			}
		case <-prompted:
			return ended, nil
		case <-timeout.C:
			return nil, errLineTime
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// How the screen ends when the shell waits: for more of a command, and for the next.
const (
	continuation = "\x1b[?2004h> "
	prompt       = "\x1b]133;B\a"
)

// probe begins the commands that find out whether a shell reads.
const probe = ": ready "

// ready opens the present tab. After a reset its shell is a new one; what is typed
// before it reads is lost.
func (y *typist) ready(ctx context.Context) (*typistTab, error) {
	if t, ok := y.tabs[y.tab]; ok {
		return t, nil
	}
	view, err := y.stage.Box.Terminal(y.tab).View(ctx, sandbox.ViewOptions{Size: sandbox.Size{Cols: 100, Rows: 30}, Since: -1})
	if err != nil {
		return nil, fmt.Errorf("open tab %d: %w", y.tab, err)
	}
	t := &typistTab{view: view, screen: make(chan string, 1)}
	reading, cancel := context.WithCancel(ctx)
	t.cancel = cancel
	t.reading.Go(func() { t.read(reading) })
	y.tabs[y.tab] = t
	for n := range probes {
		line := fmt.Sprintf("%s%d", probe, n)
		c, err := y.press(ctx, line+"\r", probeTime, func(c *sandbox.Command) bool { return c.Line == line })
		if err == nil && c != nil {
			return t, nil
		}
		if err != nil && !errors.Is(err, errLineTime) {
			return nil, fmt.Errorf("wait for the shell: %w", err)
		}
	}
	return nil, fmt.Errorf("the shell of tab %d does not read", y.tab)
}

// read tells the end of what the terminal shows, whenever it changed.
func (t *typistTab) read(ctx context.Context) {
	tail := ""
	for {
		out, err := t.view.Next(ctx)
		if err != nil {
			return
		}
		if len(out.Data) == 0 {
			continue
		}
		t.view.Ack(out.Offset + int64(len(out.Data)))
		tail += string(out.Data)
		tail = tail[max(0, len(tail)-64):]
		select {
		case <-t.screen:
		default:
		}
		t.screen <- tail
	}
}
