package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"sysnerd/sandbox"
)

// access says who may call a route.
type access string

const (
	anyone  access = "anyone"
	visitor access = "visitor" // anyone; who is nobody yet becomes somebody
	learner access = "learner" // who has an identity
	owner   access = "owner"   // the learner whose sandbox {id} is; all others find nothing
	machine access = "machine" // programs on this machine, when the listener is for it alone
)

// route is a row of the table. Methods other than GET, and upgrades, are taken
// from our own pages only.
type route struct {
	method, pattern string
	who             access
	upgrade         bool // a GET that opens a WebSocket
	handle          func(w http.ResponseWriter, r *http.Request) error
}

func (s *Server) table() []route {
	const (
		one  = "/api/v1/sandboxes/{id}"
		lab  = "/api/v1/modules/{module}/labs/{lab}"
		task = lab + "/tasks/{task}"
		text = "/api/v1/modules/{module}/sections/{section}"
	)
	return []route{
		{method: "GET", pattern: "/{$}", who: visitor, handle: page(s.home)},
		{method: "GET", pattern: "/{module}/labs/{lab}", who: visitor, handle: page(s.labPage)},
		{method: "GET", pattern: "/{module}", who: visitor, handle: page(s.modulePage)},
		{method: "GET", pattern: "/{module}/sections/{section}", who: visitor, handle: page(s.sectionPage)},
		// One row for all: /{module}/gauntlet would be at odds with /assets/{name}.
		{method: "GET", pattern: "/{module}/{page}", who: visitor, handle: s.coursePage},
		{method: "GET", pattern: "/gallery", who: anyone, handle: page(s.gallery)},
		{method: "GET", pattern: "/progress", who: visitor, handle: page(s.progressPage)},
		{method: "GET", pattern: "/assets/{name}", who: anyone, handle: s.asset},

		{method: "GET", pattern: "/api/v1/openapi.yaml", who: anyone, handle: s.describe},
		{method: "GET", pattern: "/api/v1/schemas/{schema}", who: anyone, handle: s.schema},
		{method: "GET", pattern: "/api/v1/content/events", who: anyone, handle: s.contentEvents},
		{method: "GET", pattern: "/api/v1/modules", who: anyone, handle: s.getModules},
		{method: "GET", pattern: "/api/v1/modules/{module}", who: anyone, handle: s.getModule},
		{method: "GET", pattern: lab, who: anyone, handle: s.getLab},
		{method: "POST", pattern: task + "/predict", who: learner, handle: s.predict},
		{method: "POST", pattern: task + "/hint", who: learner, handle: s.hint},
		{method: "POST", pattern: task + "/solution", who: learner, handle: s.solution},
		{method: "POST", pattern: task + "/why", who: learner, handle: s.why},
		{method: "GET", pattern: task + "/programs/{name}", who: learner, handle: s.program},
		{method: "PUT", pattern: text + "/read", who: learner, handle: s.putRead},
		{method: "POST", pattern: text + "/recall", who: learner, handle: s.postRecall},
		{method: "GET", pattern: "/api/v1/modules/{module}/reading", who: learner, handle: s.getReading},
		{method: "GET", pattern: "/api/v1/modules/{module}/gauntlet", who: learner, handle: s.getGauntlet},
		{method: "PUT", pattern: "/api/v1/modules/{module}/gauntlet", who: learner, handle: s.putGauntlet},
		{method: "GET", pattern: "/api/v1/progress", who: learner, handle: s.getProgress},

		{method: "POST", pattern: "/api/v1/sandboxes", who: learner, handle: s.claim},
		{method: "GET", pattern: one, who: owner, handle: s.getSandbox},
		{method: "DELETE", pattern: one, who: owner, handle: s.endSandbox},
		{method: "POST", pattern: one + "/check", who: owner, handle: s.check},
		{method: "POST", pattern: one + "/answer", who: owner, handle: s.answer},
		{method: "POST", pattern: one + "/reset", who: owner, handle: s.reset},
		{method: "POST", pattern: one + "/rescue", who: owner, handle: s.rescue},
		{method: "POST", pattern: one + "/extend", who: owner, handle: s.extend},
		{method: "PATCH", pattern: one + "/limits", who: owner, handle: s.changeLimits},
		{method: "GET", pattern: one + "/terminal", who: owner, upgrade: true, handle: s.terminal},
		{method: "GET", pattern: one + "/events", who: owner, handle: s.events},
		{method: "GET", pattern: one + "/kernel", who: owner, handle: s.kernel},

		{method: "GET", pattern: "/healthz", who: anyone, handle: s.healthz},
		{method: "GET", pattern: "/readyz", who: anyone, handle: s.readyz},
		{method: "GET", pattern: "/metrics", who: machine, handle: s.showMetrics},
		{method: "GET", pattern: "/debug/pprof/{profile}", who: machine, handle: s.profile},
	}
}

// page is a handler that answers its own errors.
func page(show http.HandlerFunc) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		show(w, r)
		return nil
	}
}

// route builds the mux. Methods are told apart here and not by the mux, whose
// answer to a wrong one is not a problem document.
func (s *Server) route() {
	s.mux = http.NewServeMux()
	methods := map[string]map[string]route{}
	for _, row := range s.table() {
		if methods[row.pattern] == nil {
			methods[row.pattern] = map[string]route{}
		}
		methods[row.pattern][row.method] = row
	}
	for pattern, rows := range methods {
		var allow []string
		for method := range rows {
			allow = append(allow, method)
		}
		slices.Sort(allow)
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			method := r.Method
			if method == http.MethodHead {
				method = http.MethodGet
			}
			row, ok := rows[method]
			if !ok {
				w.Header().Set("Allow", strings.Join(allow, ", "))
				s.refuse(w, r, problemMethod(r.Method, allow))
				return
			}
			s.serve(w, r, row)
		})
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.nothing(w, r, "page")
	})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, row route) {
	if row.upgrade || row.method != http.MethodGet {
		if err := s.origins.check(r); err != nil {
			s.refuse(w, r, err)
			return
		}
	}
	r, err := s.admit(w, r, row.who)
	if err == nil {
		err = row.handle(w, r)
	}
	if err != nil {
		s.refuse(w, r, err)
	}
}

// caller is who called, and for a route of an owner the sandbox.
type caller struct {
	learner string
	sandbox *sandbox.Sandbox
}

type callerKey struct{}

// callerOf is who called. The learner is "" where the route lets anyone in.
func callerOf(r *http.Request) caller {
	c, _ := r.Context().Value(callerKey{}).(caller)
	return c
}

// admit finds out who calls, and refuses whom the route is not for.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, who access) (*http.Request, error) {
	var c caller
	c.learner, _ = s.signer.read(r)
	switch who {
	case visitor:
		if c.learner == "" {
			c.learner = s.signer.issue(w)
		}
	case learner, owner:
		if c.learner == "" {
			return r, problemNobody
		}
	case machine:
		if !s.origins.local(r) {
			return r, s.missing(r)
		}
	}
	if who == owner {
		box, err := s.Keeper.Get(r.PathValue("id"))
		if err != nil || box.Owner() != c.learner {
			return r, problemNoSandbox
		}
		c.sandbox = box
	}
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, c)), nil
}

// missing is the answer for a path that leads nowhere; below a sandbox it is the
// same as for another learner's, so that nothing can be told from it.
func (s *Server) missing(r *http.Request) error {
	if strings.HasPrefix(r.URL.Path, "/api/v1/sandboxes/") {
		return problemNoSandbox
	}
	return problemNoPage
}
