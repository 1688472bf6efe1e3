package rehearse

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// What learners may be asked to bear; at the 95th percentile where it is a time.
const (
	mostPrompt     = 250 * time.Millisecond // from the pool
	mostColdPrompt = 10 * time.Second       // when sandboxes had to be started
	mostEcho       = 200 * time.Millisecond
	mostInterrupt  = time.Second
	mostVerdict    = time.Second
	mostReturn     = time.Second
	mostServer     = 300 << 20 // bytes of memory
)

// Report is what came of a rehearsal.
type Report struct {
	URL      string  `json:"url"`
	Lab      string  `json:"lab"`
	Learners int     `json:"learners"`
	Seconds  float64 `json:"seconds"`
	Cut      bool    `json:"ended_early"`
	Felt     []Felt  `json:"felt"`
	Counts   Counts  `json:"counts"`
	Errors   []Error `json:"errors"`
	Machine  Machine `json:"machine"`
	Limits   []Limit `json:"limits"`
}

// Felt is how long something took, in milliseconds.
type Felt struct {
	What string  `json:"what"`
	N    int     `json:"n"`
	P50  float64 `json:"p50_ms"`
	P95  float64 `json:"p95_ms"`
	Max  float64 `json:"max_ms"`
}

// Error is something that must not happen, and how often it did.
type Error struct {
	Text string `json:"text"`
	N    int    `json:"n"`
}

// Limit is one that a workshop needs, and whether it was kept.
type Limit struct {
	What string `json:"what"`
	Most string `json:"most"`
	Got  string `json:"got"`
	Met  bool   `json:"met"`
}

// Met says whether every limit was kept.
func (r *Report) Met() bool {
	return !slices.ContainsFunc(r.Limits, func(l Limit) bool { return !l.Met })
}

// Missed adds a limit of "none" that n things broke.
func (r *Report) Missed(what string, n int) {
	r.Limits = append(r.Limits, Limit{what, "0", fmt.Sprint(n), n == 0})
}

func (r *record) report(cfg Config, c *course, m *machine, took time.Duration, cut bool) *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := &Report{
		URL: cfg.URL, Lab: c.module + "/" + c.lab, Learners: cfg.Learners, Seconds: took.Seconds(), Cut: cut,
		Counts: r.counts, Machine: m.Machine, Errors: []Error{},
	}
	p95 := map[string]time.Duration{}
	for _, what := range allFelt {
		all := slices.Sorted(slices.Values(r.times[what]))
		if len(all) > 0 {
			p95[what] = at(all, 0.95)
			out.Felt = append(out.Felt, Felt{what, len(all), ms(at(all, 0.5)), ms(p95[what]), ms(all[len(all)-1])})
		}
	}
	errors := 0
	for _, text := range slices.Sorted(maps.Keys(r.errors)) {
		out.Errors = append(out.Errors, Error{text, r.errors[text]})
		errors += r.errors[text]
	}

	within := func(what string, most time.Duration, must bool) {
		got, known := p95[what]
		l := Limit{what + ", p95", most.String(), "not seen", !must}
		if known {
			l.Got, l.Met = fmt.Sprintf("%.1fms", ms(got)), got <= most
		}
		out.Limits = append(out.Limits, l)
	}
	prompt := mostPrompt
	if m.Cold > 0 || !m.Known {
		prompt = mostColdPrompt
	}
	within(feltPrompt, prompt, true)
	within(feltEcho, mostEcho, true)
	within(feltInterrupt, mostInterrupt, false)
	within(feltCheck, mostVerdict, false)
	within(feltReturn, mostReturn, false)
	if m.Known {
		out.Limits = append(out.Limits, Limit{"server's memory", mib(mostServer), mib(m.ServerRSS), m.ServerRSS <= mostServer})
	}
	out.Missed("learners without a sandbox", cfg.Learners-r.counts.Claimed)
	out.Missed("bytes lost", int(r.counts.Lost))
	out.Missed("bytes repeated", int(r.counts.Repeated))
	out.Missed("wrong echoes and lines", r.counts.Wrong)
	if !cfg.Outages {
		out.Missed("sockets cut by the server", r.counts.Cut)
	}
	out.Missed("errors", errors)
	out.Missed("sandboxes left behind", r.counts.Kept)
	return out
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func mib(bytes int64) string { return fmt.Sprintf("%.1fMiB", float64(bytes)/(1<<20)) }

// Print writes the report for a person.
func (r *Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(t, strings.Join(cells, "\t")) }
	early := ""
	if r.Cut {
		early = ", ended early"
	}
	fmt.Fprintf(w, "%d learners, %.0f s, lab %s at %s%s\n\n", r.Learners, r.Seconds, r.Lab, r.URL, early)

	row("WHAT THEY FELT", "TIMES", "P50 ms", "P95 ms", "MAX ms")
	for _, f := range r.Felt {
		row(f.What, fmt.Sprint(f.N), fmt.Sprintf("%.1f", f.P50), fmt.Sprintf("%.1f", f.P95), fmt.Sprintf("%.1f", f.Max))
	}
	row()
	c := r.Counts
	row("WHAT THEY DID", "")
	for _, n := range []struct {
		what string
		n    int64
	}{
		{"keys typed", int64(c.Keys)}, {"commands run", int64(c.Commands)}, {"numbered lines read", int64(c.Lines)},
		{"bytes of output", c.Bytes}, {"checks", int64(c.Checks)}, {"events heard", int64(c.Events)},
		{"sockets dropped", int64(c.Dropped)}, {"pages left and opened again", int64(c.Left)},
		{"sockets cut by the server", int64(c.Cut)}, {"requests without a server", int64(c.Refused)},
	} {
		row(n.what, fmt.Sprint(n.n))
	}
	row()
	if m := r.Machine; m.Known {
		row("WHAT IT COST", "")
		row("server's memory, at most", mib(m.ServerRSS))
		row("server's CPU", fmt.Sprintf("%.1fs", m.ServerCPU))
		for _, name := range slices.Sorted(maps.Keys(m.Engine)) {
			row(name+": memory at most, CPU", fmt.Sprintf("%s, %.1fs", mib(m.Engine[name]), m.EngineCPU[name]))
		}
		row(fmt.Sprintf("machine (%d CPUs, learners included)", m.CPUs), fmt.Sprintf("%.0f%% busy, load at most %.1f, %s free at least", 100*m.Busy, m.Load, mib(m.FreeMin)))
		row("sandboxes", fmt.Sprintf("%d from the pool, %d started for a claim, %d at once", m.FromPool, m.Cold, m.LiveMax))
		if m.QueueMax > 0 {
			row("queue, at most", fmt.Sprint(m.QueueMax))
		}
		row()
	}
	row("LIMIT", "MOST", "GOT", "")
	for _, l := range r.Limits {
		verdict := "met"
		if !l.Met {
			verdict = "MISSED"
		}
		row(l.What, l.Most, l.Got, verdict)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i, e := range r.Errors {
		if i == 0 {
			fmt.Fprintln(w, "\nERRORS")
		}
		fmt.Fprintf(w, "%5d  %s\n", e.N, e.Text)
	}
	return nil
}
