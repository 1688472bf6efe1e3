package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sysnerd/sandbox"
	"sysnerd/sandbox/fake"
	"sysnerd/sandbox/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns a Keeper on the fake engine, closed when the test ends.
func open(t *testing.T, engine sandbox.Engine, capacity int) *sandbox.Keeper {
	t.Helper()
	k := sandbox.NewKeeper(sandbox.KeeperConfig{
		Engine: engine, Instance: "test", Image: fake.Image, Capacity: capacity,
		Lifetime: time.Hour, MaxLife: 2 * time.Hour,
	})
	t.Cleanup(func() {
		if err := k.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return k
}

// screen reads a view until it has seen want, and acknowledges everything.
type screen struct {
	t    *testing.T
	view *sandbox.View
	seen bytes.Buffer
	next int64
}

func watch(t *testing.T, s *sandbox.Sandbox, since int64) *screen {
	t.Helper()
	v, err := s.Terminal(1).View(t.Context(), sandbox.ViewOptions{Size: sandbox.Size{Cols: 80, Rows: 24}, Since: since})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	at, _ := v.Start()
	return &screen{t: t, view: v, next: at}
}

func (s *screen) until(wants ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	from := 0 // what is before it was searched
	for {
		for _, want := range wants {
			if bytes.Contains(s.seen.Bytes()[from:], []byte(want)) {
				return
			}
		}
		from = max(0, s.seen.Len()-40)
		o, err := s.view.Next(ctx)
		if err != nil {
			s.t.Fatalf("Next: %v; want %q, saw %q", err, wants, tail(s.seen.String()))
		}
		if o.Data == nil {
			continue
		}
		if o.Offset != s.next+o.Skipped {
			s.t.Fatalf("offset %d after %d with %d skipped", o.Offset, s.next, o.Skipped)
		}
		s.seen.Write(o.Data)
		s.next = o.Offset + int64(len(o.Data))
		s.view.Ack(s.next)
	}
}

func tail(s string) string { return s[max(0, len(s)-600):] }

func (s *screen) typed(line string) {
	s.t.Helper()
	if err := s.view.Write(s.t.Context(), []byte(line)); err != nil {
		s.t.Fatal(err)
	}
}

func claim(t *testing.T, k *sandbox.Keeper, owner string) *sandbox.Sandbox {
	t.Helper()
	s, _, err := k.Claim(t.Context(), sandbox.Claim{Owner: owner, Lab: "m/l"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestClaimGivesAShell(t *testing.T) {
	k := open(t, fake.New(t, "test"), 4)
	s := claim(t, k, "ada")
	term := watch(t, s, -1)
	term.typed("echo $((6*7))-$USER; id -u\n")
	term.until("42-learner")
	again, created, err := k.Claim(t.Context(), sandbox.Claim{Owner: "ada", Lab: "m/l"})
	if err != nil || created || again != s {
		t.Errorf("second claim: got %v, created %v, %v; want the same sandbox", again, created, err)
	}
}

func TestRunTellsHowItEnded(t *testing.T) {
	s := claim(t, open(t, fake.New(t, "test"), 4), "ada")
	for _, c := range []struct {
		name, script string
		want         sandbox.RunResult
	}{
		{"status and output", "echo out; echo err >&2; exit 3", sandbox.RunResult{Exit: 3, Stdout: []byte("out\n"), Stderr: []byte("err\n")}},
		{"signal", "kill -TERM $$", sandbox.RunResult{Exit: -1, Signal: 15}},
		{"left-over child", "sleep 1000 & echo done", sandbox.RunResult{Stdout: []byte("done\n")}},
		{"daemon without environment", "env -i setsid sleep 1000 & echo done", sandbox.RunResult{Stdout: []byte("done\n")}},
		{"deadline", "trap '' TERM; echo a; sleep 1000", sandbox.RunResult{Exit: -1, Signal: 9, TimedOut: true, Stdout: []byte("a\n")}},
		{"too much", "head -c 300 /dev/zero | tr '\\0' x", sandbox.RunResult{Truncated: true, Stdout: bytes.Repeat([]byte("x"), 100)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := s.Run(t.Context(), sandbox.Run{Script: []byte(c.script), Deadline: 2 * time.Second, Output: 100})
			if err != nil {
				t.Fatal(err)
			}
			if got.Exit != c.want.Exit || got.Signal != c.want.Signal || got.TimedOut != c.want.TimedOut || got.Truncated != c.want.Truncated ||
				!bytes.Equal(got.Stdout, c.want.Stdout) || !bytes.Equal(got.Stderr, c.want.Stderr) {
				t.Errorf("Run(%q) = %+v, want %+v", c.script, got, c.want)
			}
		})
	}
	left, err := s.Run(t.Context(), sandbox.Run{Script: []byte("pgrep -c sleep")})
	if err != nil || string(left.Stdout) != "0\n" {
		t.Errorf("processes left by runs: %q, %v; want 0", left.Stdout, err)
	}
}

func TestRunReadsFilesAndTheKernelsRecord(t *testing.T) {
	s := claim(t, open(t, fake.New(t, "test"), 4), "ada")
	if _, err := s.Run(t.Context(), sandbox.Run{Script: []byte("/bin/false; exit 0")}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Run(t.Context(), sandbox.Run{
		Script: []byte(`cat "$GIVEN"; awk -F'\t' '$5 == "false" {print $6}' "$SN_ENDED"`),
		Files:  []sandbox.File{{Name: "GIVEN", Data: []byte("given\n")}, {Name: sandbox.RunEnded}},
	})
	if err != nil || string(got.Stdout) != "given\n1\n" {
		t.Errorf("got %q (stderr %q), %v; want the file and the status of false", got.Stdout, got.Stderr, err)
	}
}

func TestTerminalResumesWithoutGap(t *testing.T) {
	s := claim(t, open(t, fake.New(t, "test"), 4), "ada")
	first := watch(t, s, -1)
	first.typed("PS1=; seq 1 200000; echo en''d\n")
	first.until("1\r\n2\r\n")
	seen := first.seen.String()
	for {
		first.view.Close()
		next := watch(t, s, first.next)
		next.until("00\r\n", "end\r\n")
		seen += next.seen.String()
		first = next
		if strings.Contains(seen, "end\r\n") {
			break
		}
	}
	numbers := seen[strings.Index(seen, "1\r\n2\r\n"):]
	var want strings.Builder
	for i := 1; i <= 200000; i++ {
		want.WriteString(itoa(i))
		want.WriteString("\r\n")
	}
	if !strings.HasPrefix(numbers, want.String()) {
		t.Errorf("the numbers are not whole: %d bytes, want %d", len(numbers), want.Len())
	}
}

func itoa(n int) string {
	var b [8]byte
	i := len(b)
	for ; n > 0 || i == len(b); n /= 10 {
		i--
		b[i] = byte('0' + n%10)
	}
	return string(b[i:])
}

func TestInterruptOvertakesInputAndOutput(t *testing.T) {
	s := claim(t, open(t, fake.New(t, "test"), 4), "ada")
	term := watch(t, s, -1)
	term.until("$ ")
	term.typed("sh -c 'echo slee\"\"ps; exec sleep 1000'\n")
	term.until("sleeps\r\n")
	term.typed(strings.Repeat("echo a pasted line that nobody reads\n", 20000))
	if err := term.view.Interrupt(t.Context()); err != nil {
		t.Fatal(err)
	}
	term.typed("echo af''ter\n")
	term.until("after\r\n")
	term.typed("yes\n")
	term.until("y\r\ny\r\n")
	if err := term.view.Interrupt(t.Context()); err != nil {
		t.Fatal(err)
	}
	term.typed("echo ag''ain\n")
	term.until("again\r\n")
}

func TestShellIsReplacedAndHomeKept(t *testing.T) {
	s := claim(t, open(t, fake.New(t, "test"), 4), "ada")
	term := watch(t, s, -1)
	term.typed("echo kept > ~/file; kill -9 $$\n")
	term.until("A new one follows")
	term.typed("cat ~/file; echo $((40+2))\n")
	term.until("kept\r\n42")
}

// What is typed once a rescue is over is for the shell that follows, however late it comes.
func TestWhatIsTypedAfterARescueIsKept(t *testing.T) {
	s := claim(t, open(t, fake.New(t, "test"), 4), "ada")
	term := watch(t, s, -1)
	for i := range 8 {
		term.typed("cat\n")
		if err := s.Rescue(t.Context()); err != nil {
			t.Fatal(err)
		}
		term.typed(fmt.Sprintf("echo $((%d+100))th\n", i))
		term.until(fmt.Sprintf("%dth", i+100))
	}
}

func TestResetBringsTheInitialStateBack(t *testing.T) {
	k := open(t, fake.New(t, "test"), 4)
	prepared := 0
	s, _, err := k.Claim(t.Context(), sandbox.Claim{Owner: "ada", Lab: "m/l", Prepare: func(ctx context.Context, s *sandbox.Sandbox) error {
		prepared++
		_, err := s.Run(ctx, sandbox.Run{Script: []byte("echo initial > /tmp/given; chmod 644 /tmp/given")})
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	term := watch(t, s, -1)
	term.typed("mkdir -p ~/a/b; chmod 0 ~/a; echo mine > ~/file; ipcmk -M 4096 -Q -S 1 >/dev/null; sleep 1000 & echo rea''dy\n")
	term.until("ready")
	if err := k.Reset(t.Context(), s.ID()); err != nil {
		t.Fatal(err)
	}
	got, err := s.Run(t.Context(), sandbox.Run{Script: []byte("ls -A ~learner; cat /tmp/given; ipcs | grep learner; pgrep -c sleep")})
	if err != nil || string(got.Stdout) != "initial\n0\n" {
		t.Errorf("after the reset: %q %q, %v", got.Stdout, got.Stderr, err)
	}
	if prepared != 2 || s.Generation() != 1 {
		t.Errorf("prepared %d times, generation %d; want 2 and 1", prepared, s.Generation())
	}
}

func TestOneWriterManyViewers(t *testing.T) {
	s := claim(t, open(t, fake.New(t, "test"), 4), "ada")
	writer, viewer := watch(t, s, -1), watch(t, s, -1)
	if _, w := writer.view.Start(); !w {
		t.Error("the first viewer is not the writer")
	}
	if _, w := viewer.view.Start(); w {
		t.Error("the second viewer is a writer")
	}
	viewer.typed("echo intr''uder\n")
	writer.typed("echo fir''st\n")
	viewer.until("first")
	if strings.Contains(viewer.seen.String(), "intruder") {
		t.Error("a viewer's input reached the shell")
	}
	viewer.view.Take()
	viewer.typed("echo se''cond\n")
	writer.until("second")
}

func TestFullAndGone(t *testing.T) {
	engine := fake.New(t, "test")
	k := open(t, engine, 1)
	s := claim(t, k, "ada")
	if _, _, err := k.Claim(t.Context(), sandbox.Claim{Owner: "bob", Lab: "m/l"}); err == nil {
		t.Fatal("a second sandbox with room for one")
	}
	if err := engine.Remove(t.Context(), s.ID()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the end was not noticed")
	}
	if s.State() != sandbox.Ended {
		t.Errorf("state %q, want ended", s.State())
	}
	var full *sandbox.FullError
	if _, _, err := k.Claim(t.Context(), sandbox.Claim{Owner: "ada", Lab: "m/l"}); !errors.As(err, &full) || full.Place != 1 {
		t.Errorf("ada overtook bob, who waits: %v", err)
	}
	if next := claim(t, k, "bob"); next == s {
		t.Error("an ended sandbox was handed out")
	}
}

func TestRecoverFindsShellsAgain(t *testing.T) {
	engine := fake.New(t, "test")
	first := sandbox.NewKeeper(sandbox.KeeperConfig{Engine: engine, Instance: "test", Image: fake.Image, Capacity: 4, Lifetime: time.Hour})
	s := claim(t, first, "ada")
	stray := claim(t, first, "bob")
	term := watch(t, s, -1)
	term.typed("mine=still-here; echo se''t\n")
	term.until("set")
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := open(t, engine, 4)
	adopted, err := second.Recover(t.Context(), []sandbox.Known{{ID: s.ID(), Owner: "ada", Lab: "m/l", Expires: time.Now().Add(time.Hour), Limits: sandbox.DefaultLimits()}})
	if err != nil || len(adopted) != 1 {
		t.Fatalf("Recover: %v, %v", adopted, err)
	}
	later, err := claim(t, second, "ada").Terminal(1).View(t.Context(), sandbox.ViewOptions{Size: sandbox.Size{Cols: 80, Rows: 24}, Since: term.next})
	if err != nil {
		t.Fatal(err)
	}
	if at, _ := later.Start(); at != term.next || later.End() < term.next {
		t.Errorf("a viewer of before the restart goes on at %d of %d, want %d", at, later.End(), term.next)
	}
	later.Close()
	again := watch(t, claim(t, second, "ada"), -1)
	again.typed("echo $mine-$$\n")
	again.until("still-here-")
	if !strings.Contains(again.seen.String(), "set") {
		t.Error("what was printed before is not shown again")
	}
	listed, err := engine.List(t.Context())
	if err != nil || len(listed) != 1 || listed[0].ID == stray.ID() {
		t.Errorf("List = %v, %v; want the adopted one alone", listed, err)
	}
}

func TestWriterBringsItsSize(t *testing.T) {
	s := claim(t, open(t, fake.New(t, "test"), 4), "ada")
	first := watch(t, s, -1)
	first.typed("stty size\n")
	first.until("24 80\r\n")
	first.view.Close()
	v, err := s.Terminal(1).View(t.Context(), sandbox.ViewOptions{Size: sandbox.Size{Cols: 100, Rows: 30}, Since: first.next})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	second := &screen{t: t, view: v, next: first.next}
	second.typed("stty size\n")
	second.until("30 100\r\n")
	if err := v.Resize(t.Context(), sandbox.Size{Cols: 100000, Rows: -5}); err != nil {
		t.Fatal(err)
	}
	second.typed("stty size\n")
	second.until("1 500")
}

// A server that dies while it sends scripts leaves half of them behind; they must
// not fill the guest's table.
func TestHalfSentRunsAreForgotten(t *testing.T) {
	engine := fake.New(t, "test")
	spec := sandbox.Spec{ID: "aaaabbbbccccdddd", Instance: "test", Lab: "m/l", Image: fake.Image, UID: 29980, Expires: time.Now().Add(time.Hour), Limits: sandbox.DefaultLimits()}
	if err := engine.Create(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	stream, err := engine.Attach(t.Context(), spec.ID)
	if err != nil {
		t.Fatal(err)
	}
	wire, _ := link.AppendJSON([]byte{link.End}, link.KindHello, 0, link.Hello{
		Version: link.Version, Epoch: 1, Setup: link.Setup{UID: spec.UID, Processes: 128, Home: sandbox.Home},
	})
	for id := range uint32(40) {
		wire, _ = link.AppendJSON(wire, link.KindRun, id, link.Run{Script: 1000, Deadline: 1000})
		wire, _ = link.Append(wire, link.Frame{Kind: link.KindRunData, Stream: id, Payload: []byte("echo half")})
	}
	wire = append(wire, "and a frame cut in the mid"...)
	if _, err := stream.Write(wire); err != nil {
		t.Fatal(err)
	}
	stream.Close()
	s, err := sandbox.Adopt(t.Context(), engine, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Detach()
	got, err := s.Run(t.Context(), sandbox.Run{Script: []byte("echo whole")})
	if err != nil || string(got.Stdout) != "whole\n" {
		t.Errorf("Run = %q, %v", got.Stdout, err)
	}
}
