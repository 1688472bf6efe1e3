package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"sysnerd/sandbox"
)

type limitsJSON struct {
	Memory           int64   `json:"memory"`                // bytes
	MemoryLow        int64   `json:"memory_low,omitempty"`  // it may be moved from this
	MemoryHigh       int64   `json:"memory_high,omitempty"` // to this; neither: it is fixed
	CPUs             float64 `json:"cpus"`
	Processes        int     `json:"processes"`
	LearnerProcesses int     `json:"learner_processes"`
	Home             int64   `json:"home"` // bytes
	Tmp              int64   `json:"tmp"`  // bytes
}

func limitsOf(l sandbox.Limits) limitsJSON {
	return limitsJSON{
		Memory: l.Memory, MemoryLow: l.MemoryLow, MemoryHigh: l.MemoryHigh,
		CPUs: l.CPUs, Processes: l.Processes, LearnerProcesses: l.LearnerProcesses, Home: l.Home, Tmp: l.Tmp,
	}
}

// changeLimits moves the memory limit of a running sandbox, as far as its lab allows.
func (s *Server) changeLimits(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Memory *int64 `json:"memory"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	if body.Memory == nil {
		return problemRequest("The body names no limit to change.", `Send the memory limit in bytes, as in {"memory": 268435456}.`)
	}
	// A change that has begun ends, though nobody waits for it any more.
	ctx, cancel := context.WithTimeout(s.ctx, changeTime)
	defer cancel()
	box := callerOf(r).sandbox
	attempt, err := s.attempt(ctx, box)
	if err != nil {
		return err
	}
	if err := s.Keeper.SetMemory(ctx, box.ID(), *body.Memory); err != nil {
		return s.limitRefused(ctx, box, *body.Memory, err)
	}
	if err := s.save(ctx, attempt, box); err != nil {
		return err
	}
	return reply(w, http.StatusOK, limitsOf(box.Limits()))
}

// limitRefused says which limits could be had instead.
func (s *Server) limitRefused(ctx context.Context, box *sandbox.Sandbox, asked int64, err error) error {
	l := box.Limits()
	switch {
	case errors.Is(err, sandbox.ErrLimitFixed):
		return newProblem(http.StatusForbidden, "limits-fixed", "Limits are fixed",
			fmt.Sprintf("The lab %s doesn't let its limits be changed.", box.Lab()), "Work within them; the page shows them.")
	case errors.Is(err, sandbox.ErrLimitRange):
		return newProblem(http.StatusUnprocessableEntity, "limit-range", "Outside of the range",
			fmt.Sprintf("The memory limit of this lab moves between %s and %s; %s lies outside.", size(l.MemoryLow), size(l.MemoryHigh), size(asked)),
			fmt.Sprintf("Send %d to %d bytes.", l.MemoryLow, l.MemoryHigh))
	case errors.Is(err, sandbox.ErrLimitBelowUse):
		used := ""
		if sample, err := box.Sample(ctx); err == nil {
			used = fmt.Sprintf(": %s are in use", size(max(0, sample.Memory.Used-sample.Memory.Cache)))
		}
		return newProblem(http.StatusConflict, "limit-below-use", "Below what is in use",
			fmt.Sprintf("The limit can't go down to %s%s, and the kernel can't take them back. It stays at %s.", size(asked), used, size(l.Memory)),
			"End a program that holds memory, or choose a higher limit.")
	}
	return err
}

// size is a number of bytes as a person reads it.
func size(bytes int64) string {
	switch {
	case bytes < 0, bytes > 0 && bytes < 1<<10:
		return fmt.Sprintf("%d bytes", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}
