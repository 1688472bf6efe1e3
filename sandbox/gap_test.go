package sandbox_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"sysnerd/sandbox"
	"sysnerd/sandbox/fake"
)

// fullScreen is a program that sets modes, prints more than is kept, and then
// paints only when its terminal's size changes.
const fullScreen = `bash -c 'trap "stty size" WINCH
printf "\033[?1049h\033[?25l\033[?2004h\033[1;31m"
head -c 400000 /dev/zero | tr "\0" x
echo; echo rea""dy
while :; do sleep 0.02; done'
`

// redrawn reads a view up to its first data.
func redrawn(t *testing.T, s *screen) sandbox.Output {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		o, err := s.view.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if o.Data != nil {
			s.next = o.Offset + int64(len(o.Data))
			s.view.Ack(s.next)
			return o
		}
	}
}

func wantModes(t *testing.T, o sandbox.Output) {
	t.Helper()
	for _, mode := range []string{"\x1b[?1049h", "\x1b[?25l", "\x1b[?2004h", "\x1b[;1;31m"} {
		if !strings.Contains(string(o.Redraw), mode) {
			t.Errorf("redraw %q is without %q", o.Redraw, mode)
		}
	}
	if o.Head <= o.Offset {
		t.Errorf("head %d is not behind offset %d", o.Head, o.Offset)
	}
}

func TestRedrawForWhoComesLate(t *testing.T) {
	s := claim(t, open(t, fake.New(t, "test"), 4), "ada")
	first := watch(t, s, -1)
	first.typed(fullScreen)
	first.until("ready\r\n")

	late := watch(t, s, -1)
	o := redrawn(t, late)
	if o.Skipped != 0 || o.Offset == 0 {
		t.Errorf("who had nothing began at %d and lost %d bytes", o.Offset, o.Skipped)
	}
	wantModes(t, o)
	if strings.Contains(string(o.Redraw), "\n") {
		t.Errorf("redraw of an empty screen moves lines up: %q", o.Redraw)
	}
	late.until("24 80\r\n")
}

func TestRedrawAfterAGap(t *testing.T) {
	s := claim(t, open(t, fake.New(t, "test"), 4), "ada")
	first := watch(t, s, -1)
	first.until("$ ")
	at := first.next
	first.typed(fullScreen)
	first.until("ready\r\n")

	back := watch(t, s, at)
	o := redrawn(t, back)
	if o.Offset != at+o.Skipped || o.Skipped == 0 {
		t.Errorf("went on at %d after %d with %d bytes lost", o.Offset, at, o.Skipped)
	}
	wantModes(t, o)
	back.until("24 80\r\n")
}

func TestNoRedrawWithoutAGap(t *testing.T) {
	s := claim(t, open(t, fake.New(t, "test"), 4), "ada")
	first := watch(t, s, -1)
	first.until("$ ")
	for _, since := range []int64{-1, 0} {
		if o := redrawn(t, watch(t, s, since)); o.Redraw != nil || o.Skipped != 0 || o.Offset != 0 {
			t.Errorf("since %d began at %d with redraw %q", since, o.Offset, o.Redraw)
		}
	}
}

// The guest knows the modes of what a server that is gone has seen.
func TestRedrawAfterARestart(t *testing.T) {
	engine := fake.New(t, "test")
	k := sandbox.NewKeeper(sandbox.KeeperConfig{Engine: engine, Instance: "test", Image: fake.Image, Capacity: 4, Lifetime: time.Hour})
	s := claim(t, k, "ada")
	first := watch(t, s, -1)
	first.typed(fullScreen)
	first.until("ready\r\n")
	if err := k.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := open(t, engine, 4)
	known := sandbox.Known{ID: s.ID(), Owner: "ada", Lab: "m/l", Expires: time.Now().Add(time.Hour), Limits: sandbox.DefaultLimits()}
	if adopted, err := again.Recover(t.Context(), []sandbox.Known{known}); err != nil || len(adopted) != 1 {
		t.Fatalf("Recover: %v, %v", adopted, err)
	}
	late := watch(t, claim(t, again, "ada"), -1)
	wantModes(t, redrawn(t, late))
	late.until("24 80\r\n")
}
