package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/gorilla/websocket"

	"sysnerd/images"
	"sysnerd/labs"
	"sysnerd/sandbox/docker"
)

// Benchmarks take turns with what they are held against, in one run: trust the
// ratios, not the microseconds. Keys come with a pause in between, since a tight
// loop hides the wake-ups that a person feels.

const keyPause = 3 * time.Millisecond

// onEngines runs a benchmark on the fake engine and on Docker.
func onEngines(b *testing.B, run func(b *testing.B, h *house)) {
	b.Run("fake", func(b *testing.B) { run(b, build(b)) })
	b.Run("docker", func(b *testing.B) { run(b, buildOnDocker(b, false)) })
}

func buildOnDocker(b *testing.B, relayed bool, options ...option) *house {
	b.Helper()
	ctx := context.Background()
	builder, err := images.New(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer builder.Close()
	image, ok, err := builder.Current(ctx)
	if err != nil || !ok {
		b.Fatalf("sandbox image: built %v, %v; build it with: make image", ok, err)
	}
	engine, err := docker.Open(ctx, docker.Config{Instance: instance, Relayed: relayed})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		left, err := engine.List(ctx)
		if err != nil {
			b.Error(err)
		}
		for _, box := range left {
			if err := engine.Remove(ctx, box.ID); err != nil {
				b.Error(err)
			}
		}
		if err := engine.Close(); err != nil {
			b.Error(err)
		}
	})
	return open(b, engine, image, b.TempDir(), options...)
}

// floor is the least that can be done: a shell on a pty, behind a WebSocket.
func floor(w http.ResponseWriter, r *http.Request) {
	socket, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	shell := exec.Command("bash", "--norc")
	master, err := pty.Start(shell)
	if err != nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 32<<10)
		for {
			n, err := master.Read(buffer)
			if err != nil || socket.WriteMessage(websocket.BinaryMessage, buffer[:n]) != nil {
				return
			}
		}
	}()
	for {
		_, p, err := socket.ReadMessage()
		if err != nil {
			break
		}
		if _, err := master.Write(p); err != nil {
			break
		}
	}
	_ = shell.Process.Kill()
	_ = shell.Wait()
	master.Close()
	<-done
}

func dialFloor(b *testing.B) *screen {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(floor))
	b.Cleanup(server.Close)
	socket, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { socket.Close() })
	return &screen{tb: b, socket: socket}
}

// echoes has the shell give back each byte, by a process that wakes up for it.
func (s *screen) echoes() {
	s.tb.Helper()
	s.typed("stty raw -echo; echo re$((1))ady; exec cat\n")
	s.until("re1ady")
	for s.seen.Len() < 1 { // the end of that line
		s.next()
	}
	s.seen.Reset()
}

// key types one key and takes the time until it is back.
func (s *screen) key(k string) time.Duration {
	s.tb.Helper()
	began := time.Now()
	s.typed(k)
	for {
		kind, p, err := s.socket.ReadMessage()
		if err != nil {
			s.tb.Fatal(err)
		}
		if kind != websocket.BinaryMessage {
			continue
		}
		took := time.Since(began)
		if string(p) != k {
			s.tb.Fatalf("typed %q, %q came back", k, p)
		}
		s.offset += int64(len(p))
		if s.hello != nil {
			s.say(map[string]any{"type": "ack", "offset": s.offset})
		}
		return took
	}
}

type times []time.Duration

func (t times) at(q float64) float64 {
	slices.Sort(t)
	return float64(t[min(len(t)-1, int(q*float64(len(t))))]) / float64(time.Millisecond)
}

// BenchmarkEcho is one key there and back, against the floor, client and servers in
// one process; rehearse.BenchmarkKey has each in its own.
func BenchmarkEcho(b *testing.B) {
	echo := func(b *testing.B, h *house, bar string) {
		p := h.learner()
		ours, base := p.terminal(p.claim("one"), ""), dialFloor(b)
		ours.until("$ ")
		ours.echoes()
		base.echoes()
		var own, bare times
		for i := 0; b.Loop(); i++ {
			k := string(rune('a' + i%26))
			time.Sleep(keyPause)
			if i%2 == 0 { // another first each time
				own = append(own, ours.key(k))
				time.Sleep(keyPause)
				bare = append(bare, base.key(k))
			} else {
				bare = append(bare, base.key(k))
				time.Sleep(keyPause)
				own = append(own, ours.key(k))
			}
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(own.at(0.5), "p50-ms")
		b.ReportMetric(own.at(0.95), "p95-ms")
		b.ReportMetric(bare.at(0.5), "floor-p50-ms")
		b.ReportMetric(own.at(0.5)/bare.at(0.5), "p50/floor"+bar)
		b.ReportMetric(own.at(0.95)/bare.at(0.95), "p95/floor"+bar)
	}
	onEngines(b, func(b *testing.B, h *house) { echo(b, h, "≤1.15") })
	b.Run("docker-relayed", func(b *testing.B) { echo(b, buildOnDocker(b, true), "≤2.8") })
}

// BenchmarkCheck is a check that does nothing, by HTTP. Its result is the same each
// time, so it is written once.
func BenchmarkCheck(b *testing.B) {
	onEngines(b, func(b *testing.B, h *house) {
		p := h.learner()
		box := p.claim("one")
		var took times
		for b.Loop() {
			began := time.Now()
			if r := p.check(box, "nothing"); r.Status != labs.Pass {
				b.Fatalf("check = %+v", r)
			}
			took = append(took, time.Since(began))
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(took.at(0.5), "p50-ms≤10")
		b.ReportMetric(took.at(0.95), "p95-ms")
	})
}

// BenchmarkPrompt is the way from the claim of a running sandbox to the first
// byte of a new shell.
func BenchmarkPrompt(b *testing.B) {
	onEngines(b, func(b *testing.B, h *house) {
		p := h.learner()
		box := p.claim("one")
		var took times
		for i := 0; b.Loop(); i++ {
			tab := i%maxTab + 1
			if i > 0 && tab == 1 { // every tab has a shell by now
				if got := p.call("DELETE", "/api/v1/sandboxes/"+box.ID, nil); got.status != http.StatusNoContent {
					b.Fatalf("DELETE = %d %s", got.status, got.body)
				}
				box = p.claim("one")
			}
			began := time.Now()
			s := p.terminal(p.claim("one"), "?tab="+strconv.Itoa(tab))
			for s.seen.Len() == 0 {
				s.next()
			}
			took = append(took, time.Since(began))
			s.socket.Close()
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(took.at(0.5), "p50-ms")
		b.ReportMetric(took.at(0.95), "p95-ms≤50")
	})
}
