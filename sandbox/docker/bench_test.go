package docker_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"sysnerd/sandbox"
	"sysnerd/sandbox/docker"
)

// Benchmarks measure against what they stand on, in turns and in the same run:
// trust the ratios, not the milliseconds.

func benchSpec(tb testing.TB, instance string, slot int) sandbox.Spec {
	return spec(tb, instance, strings.ToLower(rand.Text()[:16]), slot)
}

// openBench opens an engine and removes what a failed benchmark leaves.
func openBench(b *testing.B, instance string) *docker.Engine {
	b.Helper()
	e := open(b, instance)
	b.Cleanup(func() {
		left, err := e.List(context.Background())
		for _, l := range left {
			err = errors.Join(err, e.Remove(context.Background(), l.ID))
		}
		if err != nil {
			b.Error(err)
		}
	})
	return e
}

func timed(b *testing.B, f func() error) time.Duration {
	b.Helper()
	start := time.Now()
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func start(b *testing.B, e *docker.Engine, s sandbox.Spec) *sandbox.Sandbox {
	b.Helper()
	box, err := sandbox.Start(b.Context(), e, s, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	return box
}

func end(b *testing.B, e *docker.Engine, box *sandbox.Sandbox) {
	b.Helper()
	box.Detach()
	if err := e.Remove(context.Background(), box.ID()); err != nil {
		b.Error(err)
	}
}

// BenchmarkColdStart is a sandbox from nothing to the guest's welcome, against
// create and start of the same container alone.
func BenchmarkColdStart(b *testing.B) {
	const instance = "benchstart"
	e := openBench(b, instance)
	var whole, bare time.Duration
	once := func(f func(sandbox.Spec) error) time.Duration {
		s := benchSpec(b, instance, 0)
		took := timed(b, func() error { return f(s) })
		if err := e.Remove(b.Context(), s.ID); err != nil {
			b.Fatal(err)
		}
		return took
	}
	toHello := func(s sandbox.Spec) error {
		box, err := sandbox.Start(b.Context(), e, s, slog.New(slog.DiscardHandler))
		if err == nil {
			box.Detach()
		}
		return err
	}
	toStart := func(s sandbox.Spec) error { return e.Create(b.Context(), s) }
	for i := 0; b.Loop(); i++ {
		if i%2 == 0 { // another first each time
			whole += once(toHello)
			bare += once(toStart)
		} else {
			bare += once(toStart)
			whole += once(toHello)
		}
	}
	report(b, "hello", whole, "bare", bare)
}

// BenchmarkCheck is a script's way into a sandbox and its status back, through
// the guest and through the engine's exec.
func BenchmarkCheck(b *testing.B) {
	const instance = "benchcheck"
	e := openBench(b, instance)
	raw, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		b.Fatal(err)
	}
	defer raw.Close()
	s := benchSpec(b, instance, 0)
	box := start(b, e, s)
	defer end(b, e, box)
	var guest, exec time.Duration
	for b.Loop() {
		guest += timed(b, func() error {
			got, err := box.Run(b.Context(), sandbox.Run{Script: []byte("true")})
			if err == nil && got.Exit != 0 {
				err = fmt.Errorf("exit %d", got.Exit)
			}
			return err
		})
		exec += timed(b, func() error { return byExec(b.Context(), raw, "sysnerd-"+instance+"-"+s.ID) })
	}
	report(b, "guest", guest, "exec", exec)
}

func byExec(ctx context.Context, raw *client.Client, name string) error {
	made, err := raw.ContainerExecCreate(ctx, name, container.ExecOptions{
		Cmd: []string{"/bin/bash", "-c", "true"}, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return err
	}
	stream, err := raw.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, stream.Reader)
	stream.Close()
	got, err := raw.ContainerExecInspect(ctx, made.ID)
	if err == nil && (got.Running || got.ExitCode != 0) {
		err = fmt.Errorf("running %t, exit %d", got.Running, got.ExitCode)
	}
	return err
}

// BenchmarkIdle is what a sandbox costs that nobody uses: the guest's memory,
// and the server's.
func BenchmarkIdle(b *testing.B) {
	const (
		instance = "benchidle"
		n        = 20
	)
	e := openBench(b, instance)
	for b.Loop() {
		before := inUse()
		boxes := make([]*sandbox.Sandbox, n)
		for i := range boxes {
			boxes[i] = start(b, e, benchSpec(b, instance, i))
		}
		b.ReportMetric(float64(inUse()-before)/n/1024, "server-KiB/sandbox")

		var rss, anonymous int
		for _, box := range boxes {
			got, err := box.Run(b.Context(), sandbox.Run{Script: []byte(`while read -r k v _; do case $k in VmRSS:|RssAnon:) echo "$v";; esac; done </proc/1/status`)})
			if err != nil {
				b.Fatal(err)
			}
			f := strings.Fields(string(got.Stdout))
			if len(f) != 2 {
				b.Fatalf("memory of PID 1 = %q, want two numbers", got.Stdout)
			}
			all, _ := strconv.Atoi(f[0])
			own, _ := strconv.Atoi(f[1])
			rss, anonymous = rss+all, anonymous+own
		}
		b.ReportMetric(float64(rss)/n, "guest-KiB")
		b.ReportMetric(float64(anonymous)/n, "guest-anonymous-KiB")
		for _, box := range boxes {
			end(b, e, box)
		}
	}
}

// inUse is the memory that live objects and stacks take.
func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func report(b *testing.B, a string, aTook time.Duration, base string, baseTook time.Duration) {
	b.Helper()
	n := float64(b.N)
	b.ReportMetric(aTook.Seconds()*1000/n, a+"-ms")
	b.ReportMetric(baseTook.Seconds()*1000/n, base+"-ms")
	b.ReportMetric(aTook.Seconds()/baseTook.Seconds(), a+"/"+base)
}
