package web

import (
	"strings"
	"sync"
	"testing"
	"time"

	"sysnerd/labs"
	"sysnerd/sandbox"
)

// quickCourse is the tests' course without what is slow or broken on purpose.
func quickCourse(b *testing.B) option {
	b.Helper()
	files := course()
	for name := range files {
		if strings.Contains(name, "/40-slow/") || strings.Contains(name, "/50-broken/") {
			delete(files, name)
		}
	}
	library, problems := labs.Load(files)
	for _, p := range problems {
		b.Fatal(p)
	}
	return func(_ *sandbox.KeeperConfig, c *Config) { c.Library = func() *labs.Library { return library } }
}

// BenchmarkVerdict is the time from the end of a command, as its mark reaches the
// terminal's client, to the verdict on the event stream. Each command changes one
// task of six, so each verdict is written to disk first.
func BenchmarkVerdict(b *testing.B) {
	run := func(b *testing.B, h *house) {
		p := h.learner()
		box := p.claim("one")
		events := p.listen("/api/v1/sandboxes/" + box.ID + "/events")
		s := p.terminal(box, "")
		s.until("$ ")
		var took times
		for i := 0; b.Loop(); i++ {
			time.Sleep(checkPause + 50*time.Millisecond) // at most one round a second
			line, want := "touch ~/here\n", labs.Pass
			if i%2 == 1 {
				line, want = "rm ~/here\n", labs.Fail
			}
			s.seen.Reset()
			s.typed(line)
			s.until("\x1b]133;D")
			ended := time.Now()
			got := events.until("verdict", result("here", want))
			took = append(took, max(0, got.at.Sub(ended)))
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(took.at(0.5), "p50-ms")
		b.ReportMetric(took.at(0.95), "p95-ms≤100")
	}
	b.Run("fake", func(b *testing.B) { run(b, build(b, quickCourse(b))) })
	b.Run("docker", func(b *testing.B) { run(b, buildOnDocker(b, false, quickCourse(b))) })
}

// BenchmarkChecksASecond has every learner of a class check as fast as he can.
func BenchmarkChecksASecond(b *testing.B) {
	run := func(b *testing.B, h *house, learners int) {
		type seat struct {
			p   *person
			box sandboxJSON
		}
		var class []seat
		for range learners {
			p := h.learner()
			class = append(class, seat{p, p.claim("one")})
		}
		began, checks := time.Now(), 0
		for b.Loop() {
			var at sync.WaitGroup
			for _, one := range class {
				at.Go(func() {
					if r := one.p.check(one.box, "nothing"); r.Status != labs.Pass {
						b.Errorf("check = %+v", r)
					}
				})
			}
			at.Wait()
			checks += learners
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(checks)/time.Since(began).Seconds(), "checks/s")
	}
	b.Run("docker-1", func(b *testing.B) { run(b, buildOnDocker(b, false, quickCourse(b)), 1) })
	b.Run("fake-1", func(b *testing.B) { run(b, build(b, quickCourse(b)), 1) })
	b.Run("fake-60", func(b *testing.B) {
		run(b, build(b, quickCourse(b), func(k *sandbox.KeeperConfig, _ *Config) { k.Capacity = 64 }), 60)
	})
}
