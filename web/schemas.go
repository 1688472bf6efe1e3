package web

import (
	"net/http"

	"sysnerd/labs"
)

// schema answers the JSON Schema of a kind of file that authors write.
func (s *Server) schema(w http.ResponseWriter, r *http.Request) error {
	json, ok := labs.Schema(r.PathValue("schema"))
	if !ok {
		return s.missing(r)
	}
	w.Header().Set("Content-Type", "application/schema+json")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(json) // who asked may have gone
	return nil
}
