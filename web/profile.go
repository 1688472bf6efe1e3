package web

import (
	"net/http"
	"net/http/pprof"
)

// profile shows what the server itself is doing: heap, goroutine, profile (of its
// CPU), trace and the rest of runtime/pprof, for `go tool pprof`.
func (s *Server) profile(w http.ResponseWriter, r *http.Request) error {
	switch name := r.PathValue("profile"); name {
	case "profile":
		pprof.Profile(w, r)
	case "trace":
		pprof.Trace(w, r)
	case "cmdline":
		return s.missing(r) // its arguments may hold a secret
	default:
		pprof.Handler(name).ServeHTTP(w, r)
	}
	return nil
}
