package rehearse

import (
	"slices"
	"sync"
	"time"
)

// What learners feel, in the order of the report.
const (
	feltPage      = "page"
	feltClaim     = "claim"
	feltPrompt    = "claim to prompt"
	feltEcho      = "key to echo"
	feltInterrupt = "Ctrl-C to prompt under yes"
	feltCheck     = "check to verdict"
	feltReturn    = "socket back, up to date"
	feltQueue     = "time in the queue"
)

var allFelt = []string{feltPage, feltClaim, feltPrompt, feltEcho, feltInterrupt, feltCheck, feltReturn, feltQueue}

// Counts is what happened.
type Counts struct {
	Claimed  int   `json:"claimed"`
	Keys     int   `json:"keys"`
	Commands int   `json:"commands"`
	Lines    int   `json:"numbered_lines"`
	Bytes    int64 `json:"bytes"` // of output
	Checks   int   `json:"checks"`
	Events   int   `json:"events"`
	Dropped  int   `json:"sockets_dropped"` // by the learners
	Left     int   `json:"pages_left"`      // and opened again

	Lost     int64 `json:"bytes_lost"`
	Repeated int64 `json:"bytes_repeated"`
	Wrong    int   `json:"answers_of_the_terminal_wrong"` // echoes and numbered output that are not what they must be
	Cut      int   `json:"sockets_cut"`                   // not by the learners
	Broken   int   `json:"checks_broken"`
	Refused  int   `json:"requests_without_server"` // while outages are expected
	Kept     int   `json:"sandboxes_left"`          // that could not be given back
}

// record is what all learners write down.
type record struct {
	mu      sync.Mutex
	times   map[string][]time.Duration
	counts  Counts
	errors  map[string]int
	here    int
	waiting int
}

func newRecord() *record {
	return &record{times: map[string][]time.Duration{}, errors: map[string]int{}}
}

func (r *record) took(what string, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.times[what] = append(r.times[what], d)
}

func (r *record) count(f func(c *Counts)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.counts)
}

// maxErrors bounds how many different errors are kept.
const maxErrors = 50

func (r *record) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text := err.Error(); r.errors[text] > 0 || len(r.errors) < maxErrors {
		r.errors[text]++
	} else {
		r.errors["others"]++
	}
}

func (r *record) progress(elapsed time.Duration) Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := Progress{Elapsed: elapsed, Here: r.here, Waiting: r.waiting, Keys: r.counts.Keys}
	echoes := r.times[feltEcho]
	p.Echo = at(slices.Sorted(slices.Values(echoes[max(0, len(echoes)-1000):])), 0.95)
	for _, n := range r.errors {
		p.Faults += n
	}
	p.Faults += int(r.counts.Lost+r.counts.Repeated) + r.counts.Wrong
	return p
}

func (r *record) arrived(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.here += n
}

func (r *record) queued(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting += n
}

// at is a quantile of what is sorted.
func at(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
