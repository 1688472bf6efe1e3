package web

import (
	"context"
	"net/http"
	"time"
)

// Fault hinders the main job.
type Fault struct {
	Part   string `json:"part"` // "engine", "image", …
	Reason string `json:"reason"`
	Cure   string `json:"cure"`
}

// readyTime is for the engine to say whether it is well.
const readyTime = 5 * time.Second

// healthz says that the server runs.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) error {
	return reply(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz says whether a learner who comes now gets a sandbox, and if not, why.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	faults := append([]Fault{}, s.Ready(ctx)...)
	if len(s.Library().Modules) == 0 {
		faults = append(faults, Fault{"content", "no module could be loaded", "run sysnerd lab lint"})
	}
	status := http.StatusOK
	if len(faults) > 0 {
		status = http.StatusServiceUnavailable
	}
	return reply(w, status, map[string]any{"ready": len(faults) == 0, "reasons": faults})
}
