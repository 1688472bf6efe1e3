package web

import (
	_ "embed"
	"net/http"
)

//go:embed openapi.yaml
var openapi []byte

// describe serves the description of the API, which a test holds against the routes.
func (s *Server) describe(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(openapi)
	return nil
}
