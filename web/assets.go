package web

import (
	"io/fs"
	"net/http"
	"regexp"
)

// hashed is the name of a file that never changes: it carries a hash of its content.
var hashed = regexp.MustCompile(`-[A-Z0-9]{8}\.[a-z0-9]+$`)

// asset serves a file of the bundle.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if info, err := fs.Stat(s.pages.assets, name); err != nil || !info.Mode().IsRegular() || !hashed.MatchString(name) {
		return problemNoPage
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	if !s.pages.squeezed.send(w, r, name) {
		http.ServeFileFS(w, r, s.pages.assets, name)
	}
	return nil
}
