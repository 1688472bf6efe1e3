package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sysnerd/labs"
	"sysnerd/sandbox"
)

// metrics are what an operator watches. None names a learner.
type metrics struct {
	handler   http.Handler
	claims    *prometheus.CounterVec
	start     prometheus.Histogram
	checks    *prometheus.CounterVec
	checking  prometheus.Histogram
	broken    *prometheus.CounterVec
	oom       prometheus.Counter
	mended    *prometheus.CounterVec
	skipped   prometheus.Counter
	terminals prometheus.Gauge
}

func newMetrics(keeper *sandbox.Keeper) *metrics {
	m := &metrics{
		claims: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sysnerd_claims_total", Help: "Claims of a sandbox, by outcome: started, found, full, error.",
		}, []string{"outcome"}),
		start: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sysnerd_start_seconds", Help: "Time from the claim of a new sandbox until it was live.",
			Buckets: []float64{0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 30},
		}),
		checks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sysnerd_checks_total", Help: "Checks, by verdict: pass, fail, broken, interrupted.",
		}, []string{"verdict"}),
		checking: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sysnerd_check_seconds", Help: "Time that a check's script took.",
			Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
		}),
		oom: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sysnerd_oom_kills_total", Help: "Processes of learners that the kernel ended for want of memory.",
		}),
		mended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sysnerd_sandboxes_mended_total", Help: "Sandboxes whose processes were ended at their learner's wish, by how: reset, rescue.",
		}, []string{"how"}),
		skipped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sysnerd_output_skipped_bytes_total", Help: "Bytes of output that a viewer came back too late for.",
		}),
		broken: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sysnerd_broken_checks_total", Help: "Checks that broke, by task.",
		}, []string{"task"}),
		terminals: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "sysnerd_terminals_attached", Help: "Terminals that somebody looks at, each viewer counted.",
		}),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.claims, m.start, m.checks, m.checking, m.broken, m.oom, m.mended, m.skipped, m.terminals,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, g := range []struct {
		name, help string
		of         func(sandbox.Stats) int
	}{
		{"sysnerd_sandboxes_live", "Sandboxes in use.", func(s sandbox.Stats) int { return s.InUse }},
		{"sysnerd_sandboxes_warm", "Sandboxes that wait for a claim.", func(s sandbox.Stats) int { return s.Warm }},
		{"sysnerd_sandboxes_capacity", "Sandboxes that fit.", func(s sandbox.Stats) int { return s.Capacity }},
		{"sysnerd_queue_length", "Learners who wait for a sandbox.", func(s sandbox.Stats) int { return s.Waiting }},
	} {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: g.name, Help: g.help},
			func() float64 { return float64(g.of(keeper.Stats())) }))
	}
	for _, c := range []struct {
		from string
		of   func(sandbox.Stats) int64
	}{
		{"pool", func(s sandbox.Stats) int64 { return s.FromPool }},
		{"engine", func(s sandbox.Stats) int64 { return s.Cold }},
		{"nowhere", func(s sandbox.Stats) int64 { return s.Failed }},
	} {
		registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "sysnerd_sandboxes_given_total", Help: "Sandboxes given to a claim, by where they came from.",
			ConstLabels: prometheus.Labels{"from": c.from},
		}, func() float64 { return float64(c.of(keeper.Stats())) }))
	}
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return m
}

func (m *metrics) claimed(created bool, err error, took time.Duration) {
	outcome := "found"
	switch {
	case errors.As(err, new(*sandbox.FullError)):
		outcome = "full"
	case err != nil:
		outcome = "error"
	case created:
		outcome = "started"
		m.start.Observe(took.Seconds())
	}
	m.claims.WithLabelValues(outcome).Inc()
}

func (m *metrics) checked(lab *labs.Lab, task *labs.Task, result labs.Result) {
	m.checks.WithLabelValues(string(result.Status)).Inc()
	if result.Status == labs.Interrupted {
		return // what it took is no check's time
	}
	m.checking.Observe(float64(result.Ms) / 1000)
	if result.Status == labs.Broken {
		m.broken.WithLabelValues(lab.Module + "/" + lab.ID + "/" + task.ID).Inc()
	}
}

func (s *Server) showMetrics(w http.ResponseWriter, r *http.Request) error {
	s.metrics.handler.ServeHTTP(w, r)
	return nil
}
