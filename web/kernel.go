package web

import (
	"context"
	"net/http"
	"time"
)

// sampleEvery is the time between two looks into a sandbox's kernel.
const sampleEvery = time.Second

// kernel streams samples of processes and cgroup, and the limits that they are held against. All who listen share one look.
func (s *Server) kernel(w http.ResponseWriter, r *http.Request) error {
	e := s.session(callerOf(r).sandbox)
	if e == nil {
		return problemClosing
	}
	return s.stream(w, r, e, e.viewers, func() [][]byte {
		e.watch()
		return [][]byte{eventOf("limits", limitsOf(e.box.Limits()))}
	})
}

// watch has look run. The caller has joined the viewers already.
func (e *session) watch() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.looking || e.over {
		return
	}
	e.looking = true
	e.work.Add(1)
	go e.look()
}

// look takes a sample a second until nobody listens.
func (e *session) look() {
	defer e.work.Done()
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		ctx, cancel := context.WithTimeout(e.ctx, 2*sampleEvery)
		sample, err := e.box.Sample(ctx)
		cancel()
		if err == nil { // a sandbox that is lost for a moment leaves a gap
			e.viewers.tell("sample", sample)
		}
		select {
		case <-tick.C:
		case <-e.ctx.Done():
		}
		e.mu.Lock()
		if !e.viewers.any() || e.ctx.Err() != nil {
			e.looking = false
			e.mu.Unlock()
			return
		}
		e.mu.Unlock()
	}
}
