package service

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sysnerd/config"
	"sysnerd/sandbox"
)

// Benchmarks of the local engine against Docker, in turns and in the same run: trust
// the ratios, not the milliseconds.

// rival is one of the engines that are compared.
type rival struct {
	Engine
	kind, image string
	slots       int
	started     []time.Duration
	removed     []time.Duration
}

const benchInstance = "benchengines"

// rivals opens both engines: Docker, then the local one.
func rivals(b *testing.B) [2]*rival {
	b.Helper()
	bin, err := filepath.Abs("../../../bin") // where make build puts runc
	if err != nil {
		b.Fatal(err)
	}
	b.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	var both [2]*rival
	for i, kind := range []string{Docker, Local} {
		e, err := OpenEngine(b.Context(), kind, new(config.Config), benchInstance, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		image, err := e.Image(b.Context())
		if err != nil {
			_ = e.Close()
			b.Fatal(err)
		}
		r := &rival{Engine: e, kind: kind, image: image}
		b.Cleanup(func() {
			left, err := e.List(context.Background())
			for _, l := range left {
				err = errors.Join(err, e.Remove(context.Background(), l.ID))
			}
			if err := errors.Join(err, e.Close()); err != nil {
				b.Error(err)
			}
		})
		both[i] = r
	}
	return both
}

func (r *rival) spec() sandbox.Spec {
	r.slots++
	return sandbox.Spec{
		ID: strings.ToLower(rand.Text()[:16]), Instance: benchInstance, Lab: "bench/bench", Image: r.image,
		UID:     sandbox.FirstUID + sandbox.Slots - 1 - r.slots%1000,
		Expires: time.Now().Add(time.Hour), Limits: sandbox.DefaultLimits(),
	}
}

// start takes a sandbox from nothing to the guest's welcome.
func (r *rival) start(ctx context.Context, s sandbox.Spec) (*sandbox.Sandbox, error) {
	return sandbox.Start(ctx, r, s, slog.New(slog.DiscardHandler))
}

// once starts a sandbox and removes it, and notes how long each took.
func (r *rival) once(b *testing.B) {
	b.Helper()
	s := r.spec()
	began := time.Now()
	box, err := r.start(b.Context(), s)
	if err != nil {
		b.Fatal(err)
	}
	r.started = append(r.started, time.Since(began))
	box.Detach()
	began = time.Now()
	if err := r.Remove(b.Context(), s.ID); err != nil {
		b.Fatal(err)
	}
	r.removed = append(r.removed, time.Since(began))
}

func quantile(times []time.Duration, q float64) float64 {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Seconds() * 1000
}

// BenchmarkEngineStart is a sandbox from nothing to the guest's welcome, and its removal.
func BenchmarkEngineStart(b *testing.B) {
	both := rivals(b)
	for i := 0; b.Loop(); i++ {
		both[i%2].once(b) // another first each time
		both[1-i%2].once(b)
	}
	docker, local := both[0], both[1]
	for _, r := range both {
		b.ReportMetric(quantile(r.started, 0.5), r.kind+"-start-p50-ms")
		b.ReportMetric(quantile(r.removed, 0.5), r.kind+"-remove-p50-ms")
	}
	b.ReportMetric(quantile(local.started, 0.5)/quantile(docker.started, 0.5), "start-local/docker≤0.4")
	b.ReportMetric(quantile(local.started, 0.95)/quantile(docker.started, 0.95), "start-p95-local/docker")
	b.ReportMetric(quantile(local.removed, 0.5)/quantile(docker.removed, 0.5), "remove-local/docker≤0.3")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkEngineCrowd is a class that comes at once: thirty sandboxes, each to its welcome.
func BenchmarkEngineCrowd(b *testing.B) {
	const crowd = 30
	both := rivals(b)
	var rate [2]float64
	for i := 0; b.Loop(); i++ {
		for _, k := range []int{i % 2, 1 - i%2} {
			r := both[k]
			specs := make([]sandbox.Spec, crowd)
			for j := range specs {
				specs[j] = r.spec()
			}
			began := time.Now()
			var all sync.WaitGroup
			for _, s := range specs {
				all.Go(func() {
					box, err := r.start(b.Context(), s)
					if err != nil {
						b.Error(err)
						return
					}
					box.Detach()
				})
			}
			all.Wait()
			rate[k] += crowd / time.Since(began).Seconds()
			for _, s := range specs {
				if err := r.Remove(b.Context(), s.ID); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	n := float64(b.N)
	b.ReportMetric(rate[0]/n, "docker-a-second")
	b.ReportMetric(rate[1]/n, "local-a-second")
	b.ReportMetric(rate[1]/rate[0], "rate-local/docker≥2.5")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkEngineIdle is what a sandbox costs the host that nobody uses: what its cgroup
// counts, beside which the local engine leaves no process, and all that the machine has
// less then, which other work on it blurs.
func BenchmarkEngineIdle(b *testing.B) {
	const idle = 30
	both := rivals(b)
	for _, r := range both {
		r.once(b) // what only the first one needs is there
	}
	var all, counted [2]float64
	for i := 0; b.Loop(); i++ {
		for _, k := range []int{i % 2, 1 - i%2} {
			r := both[k]
			before := available(b)
			boxes := make([]*sandbox.Sandbox, idle)
			for j := range boxes {
				var err error
				if boxes[j], err = r.start(b.Context(), r.spec()); err != nil {
					b.Fatal(err)
				}
			}
			all[k] += (before - available(b)) / idle
			for _, box := range boxes {
				sample, err := box.Sample(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				counted[k] += float64(sample.Memory.Used) / (1 << 20) / idle
				box.Detach()
				if err := r.Remove(b.Context(), box.ID()); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	n := float64(b.N)
	b.ReportMetric(all[0]/n, "docker-MiB/idle")
	b.ReportMetric(all[1]/n, "local-MiB/idle")
	b.ReportMetric(counted[0]/n, "docker-cgroup-MiB/idle")
	b.ReportMetric(counted[1]/n, "local-cgroup-MiB/idle≤4")
	b.ReportMetric(0, "ns/op")
}

// available is the memory that the host could give away, in MiB.
func available(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		b.Fatal(err)
	}
	var kib int64
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			if _, err := fmt.Sscan(rest, &kib); err != nil {
				b.Fatal(err)
			}
		}
	}
	return float64(kib) / 1024
}
