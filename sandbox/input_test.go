package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sysnerd/sandbox"
	"sysnerd/sandbox/fake"
)

// leaky is an engine whose links lose what is written to them, and then break.
type leaky struct {
	sandbox.Engine
	mu   sync.Mutex
	link *leakyLink
	down bool // no new link comes about
}

type leakyLink struct {
	io.ReadWriteCloser
	mu    sync.Mutex
	loses bool
	lost  int // bytes
}

func (l *leaky) Attach(ctx context.Context, id string) (io.ReadWriteCloser, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, errors.New("the engine is away")
	}
	stream, err := l.Engine.Attach(ctx, id)
	if err != nil {
		return nil, err
	}
	l.link = &leakyLink{ReadWriteCloser: stream}
	return l.link, nil
}

func (l *leakyLink) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loses {
		l.lost += len(p)
		return len(p), nil
	}
	return l.ReadWriteCloser.Write(p)
}

// breaks loses what is written for a moment, then closes the link. It tells how
// much was lost.
func (l *leaky) breaks(moment time.Duration) int {
	l.mu.Lock()
	link := l.link
	l.mu.Unlock()
	link.mu.Lock()
	link.loses = true
	link.mu.Unlock()
	time.Sleep(moment)
	link.mu.Lock()
	defer link.mu.Unlock()
	link.Close()
	return link.lost
}

// TestInputOutlivesItsLink types while links break with input on its way: all of it
// arrives, once, in order.
func TestInputOutlivesItsLink(t *testing.T) {
	engine := &leaky{Engine: fake.New(t, "test")}
	s := claim(t, open(t, engine, 4), "ada")
	term := watch(t, s, -1)
	term.typed("stty -echo; PS1=; echo rea''dy; cat >f; echo en''d\n")
	term.until("ready\r\n")
	var text strings.Builder
	lost := 0
	for i := range 1500 {
		line := fmt.Sprintf("line %d of what is typed\n", i)
		text.WriteString(line)
		term.typed(line)
		if i%300 == 150 {
			done := make(chan int)
			go func() { done <- engine.breaks(20 * time.Millisecond) }()
			for j := range 20 {
				line := fmt.Sprintf("line %d-%d, into a link that loses it\n", i, j)
				text.WriteString(line)
				term.typed(line)
				time.Sleep(time.Millisecond)
			}
			lost += <-done
		}
	}
	if lost == 0 {
		t.Fatal("no link lost anything")
	}
	term.typed("\x04")
	term.until("end\r\n")
	got, err := s.Run(t.Context(), sandbox.Run{Script: []byte("cat /home/learner/f")})
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Stdout) != text.String() {
		t.Errorf("%d of %d typed bytes were lost on the way; what arrived differs (-typed +arrived):\n%s", lost, text.Len(),
			cmp.Diff(strings.Split(text.String(), "\n"), strings.Split(string(got.Stdout), "\n")))
	}
}

// TestCtrlCWaitsForTheLink has an interrupt come while the link is down.
func TestCtrlCWaitsForTheLink(t *testing.T) {
	engine := &leaky{Engine: fake.New(t, "test")}
	s := claim(t, open(t, engine, 4), "ada")
	term := watch(t, s, -1)
	term.until("$ ")
	// What runs in front has to be there: Ctrl-C as bash forks it reaches nobody.
	term.typed("PS1=; sed -u s/up/here/\n")
	term.until("\x1b[?2004l")
	term.typed("up\n")
	term.until("here\r\n")
	away := func(yes bool) {
		engine.mu.Lock()
		defer engine.mu.Unlock()
		engine.down = yes
	}
	away(true)
	engine.breaks(0)
	for s.State() == sandbox.Live {
		time.Sleep(time.Millisecond)
	}
	if err := term.view.Interrupt(t.Context()); err != nil {
		t.Fatal(err)
	}
	away(false)
	term.until("^C\r\n")
}
