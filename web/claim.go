package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"sysnerd/labs"
	"sysnerd/labs/classroom"
	"sysnerd/sandbox"
)

const (
	claimTime   = 30 * time.Second // for a sandbox to be there
	changeTime  = 30 * time.Second // for it to be reset or removed
	rescueTime  = 5 * time.Second  // for its processes to be ended
	cleanupTime = 3 * time.Second  // for its lab to end what it has to
	extendBy    = 15 * time.Minute
)

// sandboxJSON is a sandbox as its learner sees it.
type sandboxJSON struct {
	ID        string        `json:"id"`
	State     sandbox.State `json:"state"`
	Module    string        `json:"module"`
	Lab       string        `json:"lab"`
	ExpiresAt time.Time     `json:"expires_at"`
	Terminal  string        `json:"terminal"` // path of the WebSocket
}

func sandboxOf(box *sandbox.Sandbox) sandboxJSON {
	module, lab, _ := strings.Cut(box.Lab(), "/")
	return sandboxJSON{
		ID: box.ID(), State: box.State(), Module: module, Lab: lab,
		ExpiresAt: box.Expires().UTC(),
		Terminal:  "/api/v1/sandboxes/" + box.ID() + "/terminal",
	}
}

// claim answers when the learner's sandbox of the lab is live.
func (s *Server) claim(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Module string `json:"module"`
		Lab    string `json:"lab"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	lab, err := s.findLab(body.Module, body.Lab)
	if err != nil {
		return err
	}
	// The Keeper goes on without us: who asks again finds what he asked for.
	ctx, cancel := context.WithTimeout(r.Context(), claimTime)
	defer cancel()
	began := time.Now()
	box, created, err := s.Keeper.Claim(ctx, s.claimOf(callerOf(r).learner, lab))
	s.metrics.claimed(created, err, time.Since(began))
	if err != nil {
		return err
	}
	e := s.session(box)
	status := http.StatusOK
	if created {
		if e != nil {
			e.claimed()
		}
		status = http.StatusCreated
		w.Header().Set("Location", "/api/v1/sandboxes/"+box.ID())
	}
	return reply(w, status, sandboxOf(box))
}

// claimOf is what the Keeper is asked for a learner and a lab.
func (s *Server) claimOf(who string, lab *labs.Lab) sandbox.Claim {
	return sandbox.Claim{
		Owner: who, Lab: lab.Module + "/" + lab.ID, Limits: lab.Limits, Lifetime: lab.Lifetime,
		Prepare: s.prepare(lab), Version: lab.SetupVersion(), Admit: s.enrol(who, lab),
	}
}

// Warm has sandboxes of these labs ready from now on, as many of each as the
// Keeper's pool holds.
func (s *Server) Warm(all []*labs.Lab) {
	var claims []sandbox.Claim
	for _, lab := range all {
		claims = append(claims, s.claimOf("", lab))
	}
	s.Keeper.Warm(claims)
}

// prepare brings a sandbox into the lab's initial state.
func (s *Server) prepare(lab *labs.Lab) func(context.Context, *sandbox.Sandbox) error {
	return func(ctx context.Context, box *sandbox.Sandbox) error {
		attempt, known, err := s.Store.Attempt(ctx, box.ID())
		if err != nil {
			return problemNotSaved.because(err)
		}
		if !known {
			attempt.Seed = s.signer.seed(box.ID())
		}
		as := lab // several are prepared at once
		if now, err := s.findLab(lab.Module, lab.ID); err == nil {
			as = now // it may have been read again since
		}
		return as.Prepare(ctx, box, labs.Attempt{Seed: attempt.Seed})
	}
}

// enrol writes down whose a sandbox is, before the learner is let in.
func (s *Server) enrol(who string, lab *labs.Lab) func(context.Context, *sandbox.Sandbox) error {
	return func(ctx context.Context, box *sandbox.Sandbox) error {
		attempt, known, err := s.Store.Attempt(ctx, box.ID())
		if err != nil {
			return problemNotSaved.because(err)
		}
		if !known {
			attempt = classroom.Attempt{Sandbox: box.ID(), Learner: who, Module: lab.Module, Lab: lab.ID, Seed: s.signer.seed(box.ID())}
		}
		return s.save(ctx, attempt, box)
	}
}

// save writes down what has changed of a sandbox.
func (s *Server) save(ctx context.Context, attempt classroom.Attempt, box *sandbox.Sandbox) error {
	attempt.Generation = box.Generation()
	attempt.Expires = box.Expires()
	attempt.Memory = box.Limits().Memory
	if err := s.Store.SaveAttempt(ctx, attempt); err != nil {
		return problemNotSaved.because(err)
	}
	return nil
}

// attempt is what was written down of a sandbox.
func (s *Server) attempt(ctx context.Context, box *sandbox.Sandbox) (classroom.Attempt, error) {
	attempt, ok, err := s.Store.Attempt(ctx, box.ID())
	if err == nil && !ok {
		err = fmt.Errorf("sandbox %s has no attempt", box.ID())
	}
	return attempt, err
}

// Recover finds again the sandboxes that an earlier server left running, and
// ends the attempts of those that are gone. Call it once, before Serve.
func (s *Server) Recover(ctx context.Context) error {
	attempts, err := s.Store.Attempts(ctx)
	if err != nil {
		return err
	}
	var known []sandbox.Known
	for _, a := range attempts {
		lab, err := s.findLab(a.Module, a.Lab)
		if err != nil {
			continue // the content has no such lab any more
		}
		limits := lab.Limits
		if limits == (sandbox.Limits{}) {
			limits = sandbox.DefaultLimits()
		}
		known = append(known, sandbox.Known{
			ID: a.Sandbox, Owner: a.Learner, Lab: a.Module + "/" + a.Lab, Expires: a.Expires, Limits: limits, Memory: a.Memory,
			Prepare: s.prepare(lab), Admit: s.enrol(a.Learner, lab),
		})
	}
	adopted, err := s.Keeper.Recover(ctx, known)
	if err != nil {
		return err
	}
	alive := map[string]bool{}
	for _, id := range adopted {
		alive[id] = true
		if box, err := s.Keeper.Get(id); err == nil {
			s.session(box)
		}
	}
	for _, a := range attempts {
		if !alive[a.Sandbox] {
			err = errors.Join(err, s.Store.EndAttempt(ctx, a.Sandbox))
		}
	}
	return err
}

func (s *Server) getSandbox(w http.ResponseWriter, r *http.Request) error {
	return reply(w, http.StatusOK, sandboxOf(callerOf(r).sandbox))
}

func (s *Server) endSandbox(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(s.ctx, changeTime)
	defer cancel()
	box := callerOf(r).sandbox
	s.cleanup(ctx, box)
	if err := s.Keeper.Remove(ctx, box.ID()); err != nil && !errors.Is(err, sandbox.ErrNotFound) {
		return err
	}
	if err := s.Store.EndAttempt(ctx, box.ID()); err != nil {
		return problemNotSaved.because(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// cleanup lets the lab end what it has to before the learner's sandbox goes. It is
// no reason to keep the sandbox, and one that ends by itself goes without it.
func (s *Server) cleanup(ctx context.Context, box *sandbox.Sandbox) {
	module, id, _ := strings.Cut(box.Lab(), "/")
	lab, err := s.findLab(module, id)
	if err != nil || box.State() != sandbox.Live {
		return
	}
	attempt, err := s.attempt(ctx, box)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, cleanupTime)
		defer cancel()
		err = lab.Cleanup(ctx, box, labs.Attempt{Seed: attempt.Seed})
	}
	if err != nil {
		s.Log.Warn("sandbox ends without its lab's cleanup", "sandbox", box.ID(), "error", err)
	}
}

func (s *Server) reset(w http.ResponseWriter, r *http.Request) error {
	if err := decodeNothing(w, r); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, changeTime)
	defer cancel()
	box := callerOf(r).sandbox
	if e := s.session(box); e != nil {
		defer e.reset()()
	}
	// The answers go first: should the reset fail, none is taken for one of the new state.
	if err := s.Store.ClearAnswers(ctx, box.ID()); err != nil {
		return problemNotSaved.because(err)
	}
	if err := s.Keeper.Reset(ctx, box.ID()); err != nil {
		return err
	}
	s.metrics.mended.WithLabelValues("reset").Inc()
	return reply(w, http.StatusOK, sandboxOf(box))
}

// rescue ends the learner's processes and keeps what he has in his home.
func (s *Server) rescue(w http.ResponseWriter, r *http.Request) error {
	if err := decodeNothing(w, r); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, rescueTime)
	defer cancel()
	box := callerOf(r).sandbox
	if err := box.Rescue(ctx); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return problemSilent.because(err)
		}
		return err
	}
	s.metrics.mended.WithLabelValues("rescue").Inc()
	return reply(w, http.StatusOK, sandboxOf(box))
}

func (s *Server) extend(w http.ResponseWriter, r *http.Request) error {
	if err := decodeNothing(w, r); err != nil {
		return err
	}
	box := callerOf(r).sandbox
	attempt, err := s.attempt(r.Context(), box)
	if err != nil {
		return err
	}
	expires, err := s.Keeper.Extend(r.Context(), box.ID(), extendBy)
	if errors.Is(err, sandbox.ErrMaxLife) {
		return newProblem(http.StatusConflict, "longest-life", "No more time",
			"This sandbox has reached its longest life.", "Results are kept: when it ends, start a new one.")
	}
	if err != nil {
		return err
	}
	if err := s.save(r.Context(), attempt, box); err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]time.Time{"expires_at": expires.UTC()})
}

// decodeNothing takes an empty body, or an empty object.
func decodeNothing(w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength == 0 {
		return nil
	}
	return decode(w, r, &struct{}{})
}
