package rehearse

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"sysnerd/cmd/sysnerd/service"
	"sysnerd/config"
	"sysnerd/images"
	"sysnerd/sandbox"
	"sysnerd/sandbox/fake"
)

// Each server runs in a process of its own, and what is compared takes turns in one
// run: trust the ratios. Behind a metric's name stands what it should be; a
// benchmark fails when something is wrong, never because it was slow.

// program is the server that make build builds.
const program = "../../../bin/sysnerd"

// child starts this program again, as what, and returns its address and pid.
func child(b *testing.B, what string, env ...string) (address string, pid int) {
	b.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), append(env, childVariable+"="+what, childDir+"="+b.TempDir())...)
	c.Stderr = os.Stderr
	return begin(b, c)
}

// begin starts a server that says where it is, and ends it after the benchmark.
func begin(b *testing.B, c *exec.Cmd) (address string, pid int) {
	b.Helper()
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_, _ = io.Copy(io.Discard, out)
		if err := c.Wait(); err != nil {
			b.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(line), " is at ")
	if err != nil || !ok {
		b.Fatalf("server said %q, %v", line, err)
	}
	return address, c.Process.Pid
}

// onDocker starts a server on Docker.
func onDocker(b *testing.B, pool int) *Server {
	b.Helper()
	return on(b, service.Docker, pool)
}

// on starts a server on that engine.
func on(b *testing.B, engine string, pool int) *Server {
	b.Helper()
	s, err := Serve(b.Context(), program, pool, "--engine="+engine, "--sandbox-capacity=64")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_, err := s.Close(func(instance string) (int, error) {
			e := openEngine(b, engine, instance)
			defer e.Close()
			return removeAll(e)
		})
		if err != nil {
			b.Error(err)
		}
	})
	return s
}

func openEngine(b *testing.B, kind, instance string) service.Engine {
	b.Helper()
	bin, err := filepath.Abs(filepath.Dir(program)) // where make build puts runc
	if err != nil {
		b.Fatal(err)
	}
	b.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	e, err := service.OpenEngine(context.Background(), kind, new(config.Config), instance, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	return e
}

func removeAll(e service.Engine) (int, error) {
	all, err := e.List(context.Background())
	for _, l := range all {
		if err := e.Remove(context.Background(), l.ID); err != nil {
			return 0, err
		}
	}
	return len(all), err
}

func courseOf(b *testing.B, address string) *course {
	b.Helper()
	c, err := openCourse(b.Context(), address, "")
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// come makes n learners arrive within the time given, each to the prompt.
func come(b *testing.B, address string, n int, within time.Duration) (all []*learner, asked, prompted []time.Time, r *record) {
	b.Helper()
	c := courseOf(b, address)
	r = newRecord()
	all, asked, prompted = make([]*learner, n), make([]time.Time, n), make([]time.Time, n)
	began := time.Now()
	var class sync.WaitGroup
	for i := range n {
		all[i] = newLearner(Config{URL: address, Haste: 1}, c, r, i)
		class.Go(func() {
			l := all[i]
			if err := l.page(b.Context()); err != nil {
				b.Error(err)
				return
			}
			time.Sleep(time.Until(began.Add(500*time.Millisecond + time.Duration(i)*within/time.Duration(n))))
			var err error
			if asked[i], err = l.claim(b.Context()); err == nil {
				if err = l.screen.attach(b.Context(), l.who, l.box); err == nil {
					prompted[i], err = l.prompt(b.Context())
				}
			}
			if err != nil {
				b.Error(err)
			}
		})
	}
	class.Wait()
	b.Cleanup(func() {
		for _, l := range all {
			l.screen.drop()
			l.who.close()
		}
	})
	if b.Failed() {
		b.FailNow()
	}
	return all, asked, prompted, r
}

func leaveAll(all []*learner) {
	var leaving sync.WaitGroup
	for _, l := range all {
		leaving.Go(func() {
			l.part(context.Background())
			l.who.close()
		})
	}
	leaving.Wait()
}

func quantile(d []time.Duration, q float64) float64 {
	return ms(at(slices.Sorted(slices.Values(d)), q))
}

func between(from, to []time.Time) (d []time.Duration) {
	for i := range from {
		d = append(d, to[i].Sub(from[i]))
	}
	return d
}

// BenchmarkClassFromPool is 30 learners within one second, a warm sandbox for each.
func BenchmarkClassFromPool(b *testing.B) {
	const n = 30
	s := onDocker(b, n)
	var took []time.Duration
	for b.Loop() {
		if err := s.Warm(b.Context(), n, func(int) {}); err != nil {
			b.Fatal(err)
		}
		all, asked, prompted, _ := come(b, s.URL, n, time.Second)
		took = append(took, between(asked, prompted)...)
		leaveAll(all)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(quantile(took, 0.5), "prompt-p50-ms")
	b.ReportMetric(quantile(took, 0.95), "prompt-p95-ms≤250")
}

// BenchmarkClassFromNothing is 30 learners at once without a pool, against 30 times
// create and start of the same container, at the best of four concurrencies.
func BenchmarkClassFromNothing(b *testing.B) {
	const (
		n        = 30
		instance = "benchclass"
	)
	builder, err := images.New(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer builder.Close()
	image, ok, err := builder.Current(b.Context())
	if err != nil || !ok {
		b.Fatalf("sandbox image: built %v, %v; build it with: make image", ok, err)
	}
	e := openEngine(b, service.Docker, instance)
	defer e.Close()
	bare := func(atOnce int) time.Duration {
		turns := make(chan struct{}, atOnce)
		var starts sync.WaitGroup
		began := time.Now()
		for i := range n {
			turns <- struct{}{}
			starts.Go(func() {
				err := e.Create(b.Context(), sandbox.Spec{
					ID: newName(), Instance: instance, Lab: "bench/class", Image: image, UID: sandbox.FirstUID + i,
					Expires: time.Now().Add(time.Hour), Limits: sandbox.DefaultLimits(),
				})
				if err != nil {
					b.Error(err)
				}
				<-turns
			})
		}
		starts.Wait()
		took := time.Since(began)
		if _, err := removeAll(e); err != nil {
			b.Error(err)
		}
		return took
	}
	s := onDocker(b, 0)
	var ours, best []time.Duration
	overtaken := 0
	for b.Loop() {
		least := time.Hour
		for _, atOnce := range []int{2, 4, 6, 8} {
			least = min(least, bare(atOnce))
		}
		best = append(best, least)
		all, asked, prompted, _ := come(b, s.URL, n, 0)
		ours = append(ours, slices.MaxFunc(prompted, time.Time.Compare).Sub(slices.MinFunc(asked, time.Time.Compare)))
		leaveAll(all)
		all, asked, prompted, _ = come(b, s.URL, n, time.Second)
		overtaken = max(overtaken, overtaking(asked, prompted))
		leaveAll(all)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(quantile(ours, 0.5), "30-prompts-ms")
	b.ReportMetric(quantile(best, 0.5), "30-bare-starts-ms")
	b.ReportMetric(quantile(ours, 0.5)/quantile(best, 0.5), "prompts/bare≤1.2")
	b.ReportMetric(float64(overtaken), "overtaken-by≤4")
}

func newName() string { return strings.ToLower(rand.Text()[:16]) }

// overtaking is by how many who came later somebody was overtaken at most.
func overtaking(asked, prompted []time.Time) (most int) {
	for i := range asked {
		before := 0
		for j := range asked {
			if asked[j].After(asked[i]) && prompted[j].Before(prompted[i]) {
				before++
			}
		}
		most = max(most, before)
	}
	return most
}

// BenchmarkPrinting is 200 sessions that print 40 KB/s each, and somebody who types
// beside them. The shells fork nothing: the server is what is measured.
func BenchmarkPrinting(b *testing.B) {
	const (
		n    = 200
		keys = 200
	)
	address, _ := child(b, "site", childGuest+"="+fake.BuildGuest(b), childPlaces+"="+strconv.Itoa(n+1))
	all, _, _, r := come(b, address, n+1, 30*time.Second)
	for _, l := range all[:n] {
		const line = `printf -v x '%%3998s' %s; while :; do echo "$x"; read -rt 0.1; done` + "\r"
		if err := l.screen.typed(fmt.Sprintf(line, l.name)); err != nil {
			b.Fatal(err)
		}
	}
	typist := all[n]
	who := newPerson(address)
	defer who.close()
	for b.Loop() {
		var took []time.Duration
		r.count(func(c *Counts) { c.Bytes = 0 })
		began := time.Now()
		for i := range keys {
			time.Sleep(50 * time.Millisecond)
			key := string(rune('a' + i%26))
			typed := time.Now()
			if err := typist.screen.typed(key); err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(b.Context(), echoTime)
			got, at, err := typist.screen.take(ctx, 1)
			cancel()
			if err != nil || string(got) != key {
				b.Fatalf("key %d: typed %q, %q came back, %v", i, key, got, err)
			}
			took = append(took, at.Sub(typed))
			if i%100 == 99 { // before the line is full
				if err := typist.freshPrompt(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		}
		values, err := metrics(b.Context(), who)
		if err != nil {
			b.Fatal(err)
		}
		r.mu.Lock()
		counts := r.counts
		r.mu.Unlock()
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(quantile(took, 0.5), "echo-p50-ms")
		b.ReportMetric(quantile(took, 0.95), "echo-p95-ms≤100")
		b.ReportMetric(float64(counts.Bytes)/1000/n/time.Since(began).Seconds(), "KB/s/session≥30")
		b.ReportMetric(values["process_resident_memory_bytes"]/(1<<20), "server-MiB≤300")
		b.ReportMetric(float64(counts.Cut), "disconnects≤0")
		b.ReportMetric(float64(counts.Lost+counts.Repeated), "lost-bytes≤0")
	}
	leaveAll(all)
}

// BenchmarkStalledReader is somebody who stops reading under yes, and reads on.
func BenchmarkStalledReader(b *testing.B) {
	const stall = 60 * time.Second
	address, _ := child(b, "site", childGuest+"="+fake.BuildGuest(b), childPlaces+"=3")
	all, _, _, _ := come(b, address, 2, 0)
	stalled, other := all[0], all[1]
	who := newPerson(address)
	defer who.close()
	// Counted right behind a collection of garbage, before the answer is made.
	memory := func() float64 {
		text, err := who.text(b.Context(), "/debug/pprof/heap?gc=1&debug=1")
		if err != nil {
			b.Fatal(err)
		}
		var heap, stack float64
		for line := range strings.Lines(text) {
			_, _ = fmt.Sscanf(line, "# HeapAlloc = %f", &heap)
			_, _ = fmt.Sscanf(line, "# Stack = %f", &stack)
		}
		if heap == 0 || stack == 0 {
			b.Fatal("the heap profile tells no sizes")
		}
		return heap + stack
	}
	echo := func(d time.Duration) (took []time.Duration) {
		for end := time.Now().Add(d); time.Now().Before(end); {
			if err := other.keys(b.Context(), "x"); err != nil {
				b.Fatal(err)
			}
		}
		other.r.mu.Lock()
		defer other.r.mu.Unlock()
		took = other.r.times[feltEcho]
		other.r.times[feltEcho] = nil
		return took
	}
	for b.Loop() {
		quiet := echo(5 * time.Second)
		stalled.screen.drop()
		// Our own socket, since a screen reads always.
		dialer := websocket.Dialer{Jar: stalled.who.client.Jar, Subprotocols: []string{subprotocol}}
		socket, _, err := dialer.Dial("ws"+strings.TrimPrefix(address, "http")+stalled.box.Terminal+"?tab=1&cols=200&rows=40", http.Header{"Origin": {address}})
		if err != nil {
			b.Fatal(err)
		}
		if err := socket.WriteMessage(websocket.BinaryMessage, []byte("yes\r")); err != nil {
			b.Fatal(err)
		}
		before := memory()
		beside := echo(stall)
		grown := (memory() - before) / (1 << 20)

		// What is newest now another viewer is told.
		began := time.Now()
		if err := stalled.screen.attach(b.Context(), stalled.who, stalled.box); err != nil {
			b.Fatal(err)
		}
		stalled.screen.mu.Lock()
		newest := stalled.screen.head
		stalled.screen.mu.Unlock()
		stalled.screen.drop()
		// Whoever does not acknowledge is sent no more, the prompt included.
		_ = socket.SetReadDeadline(time.Now().Add(time.Minute))
		var offset int64
		var tail []byte
		take := func() {
			kind, p, err := socket.ReadMessage()
			if err != nil {
				b.Fatalf("the stalled reader was cut off: %v", err)
			}
			if kind == websocket.BinaryMessage {
				tail = append(tail[max(0, len(tail)-len(promptDrawn)):], p...)
				offset += int64(len(p))
				err = socket.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"type":"ack","offset":%d}`, offset))
			} else if at, ok := offsetIn(p); ok {
				offset = at
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		for offset < newest {
			take()
		}
		caughtUp := time.Since(began)
		if err := socket.WriteMessage(websocket.BinaryMessage, []byte{3}); err != nil {
			b.Fatal(err)
		}
		for tail = nil; !bytes.Contains(tail, promptDrawn); {
			take()
		}
		socket.Close()
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(grown, "server-MiB-more≤0.5")
		b.ReportMetric(ms(caughtUp), "newest-screen-ms≤2000")
		b.ReportMetric(quantile(beside, 0.95), "others-echo-p95-ms")
		b.ReportMetric(quantile(beside, 0.5)/quantile(quiet, 0.5), "others-p50/quiet")
	}
	leaveAll(all)
}

// offsetIn is where output goes on, when a control message says so.
func offsetIn(text []byte) (int64, bool) {
	_, after, ok := bytes.Cut(text, []byte(`"offset":`))
	end := bytes.IndexAny(after, ",}")
	if !ok || end < 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(after[:end]), 10, 64)
	return n, err == nil
}
