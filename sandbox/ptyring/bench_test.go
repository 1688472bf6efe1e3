package ptyring

import (
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkKey is a key to a program that gives it back, by the journaled read and by
// a plain one that blocks, in turn.
func BenchmarkKey(b *testing.B) {
	start := func(l *lent) {
		cat := exec.Command("cat")
		cat.Stdin, cat.Stdout = l.far, l.far
		if err := cat.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			_ = cat.Process.Kill()
			_ = cat.Wait()
		})
	}
	journaled, plain := lend(b, ""), lend(b, "")
	start(journaled)
	start(plain)
	if err := unix.SetNonblock(plain.master, false); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 4096)
	var own, bare []time.Duration
	pause := func() { time.Sleep(time.Millisecond) } // a tight loop hides wake-ups
	for b.Loop() {
		pause()
		began := time.Now()
		if _, err := journaled.pty.Write([]byte("k")); err != nil {
			b.Fatal(err)
		}
		for n := 0; n == 0; {
			r, err := journaled.pty.Wait(true, false, -1)
			if err == nil && r.Output {
				n, err = journaled.pty.Read(Space, func(int64, []byte) {})
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		own = append(own, time.Since(began))
		pause()
		began = time.Now()
		if _, err := unix.Write(plain.master, []byte("k")); err != nil {
			b.Fatal(err)
		}
		if _, err := unix.Read(plain.master, buf); err != nil {
			b.Fatal(err)
		}
		bare = append(bare, time.Since(began))
	}
	half := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2]) / float64(time.Microsecond)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(half(own), "p50-µs")
	b.ReportMetric(half(bare), "plain-p50-µs")
	b.ReportMetric(half(own)/half(bare), "p50/plain")
}
