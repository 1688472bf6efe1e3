package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"sysnerd/labs"
	"sysnerd/labs/classroom"
	"sysnerd/sandbox"
)

// Config is what a Server needs.
type Config struct {
	Keeper  *sandbox.Keeper
	Library func() *labs.Library // the present content
	Store   *classroom.Store
	// Programs are the sources that a task may show after its pass: NAME.c and the
	// headers beside it. May be nil when no task shows any.
	Programs fs.FS
	// Watch tells of content that changes while it is served; nil where it does not.
	Watch Watch
	// Ready tells what hinders the main job now: the engine, the image. Nothing
	// means that it can be done. It may block until its context ends.
	Ready     func(context.Context) []Fault
	PublicURL string // address that people type, when it is not Listen; may be empty
	Listen    string // address of the listener, host:port
	Log       *slog.Logger
}

const (
	headerTime  = 10 * time.Second // for a request's header to arrive
	bodyTime    = 15 * time.Second // for its body
	idleTime    = 2 * time.Minute  // between two requests of a connection
	headerBytes = 16 << 10
)

// Server answers HTTP. Its methods may be called by any number of goroutines.
type Server struct {
	Config
	pages   *pages
	origins origins
	signer  signer
	metrics *metrics
	slow    time.Duration // for a body to arrive
	mux     *http.ServeMux

	ctx    context.Context // ends at Close
	cancel context.CancelFunc
	http   *http.Server

	mu       sync.Mutex
	closed   bool
	sessions map[string]*session // sandbox id
	work     sync.WaitGroup      // sessions, streams, terminals
}

// New returns a Server, which Serve or any http.Server can run.
func New(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	s := &Server{Config: cfg, sessions: map[string]*session{}, slow: bodyTime}
	var err error
	if s.origins, err = newOrigins(cfg.Listen, cfg.PublicURL); err != nil {
		return nil, err
	}
	if s.pages, err = newPages(); err != nil {
		return nil, err
	}
	if cfg.Watch != nil {
		s.pages.watched = func() string { return cfg.Watch.Content().text() }
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	secret, err := cfg.Store.Secret(s.ctx)
	if err != nil {
		s.cancel()
		return nil, fmt.Errorf("get the key that signs cookies: %w", err)
	}
	s.signer = signer{key: secret, secure: s.origins.publicScheme == "https"}
	s.metrics = newMetrics(cfg.Keeper)
	s.route()
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// Serve answers requests on l until Close, and then returns nil.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close stops taking requests, lets those under way end until the context does,
// closes every stream and terminal, and waits for all goroutines. Sandboxes live on.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	s.work.Wait()
	return err
}

// begin counts a piece of work that Close has to wait for, and says whether it may begin.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.work.Add(1)
	return true
}

const contentSecurity = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; " +
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.survive(w, r)
	h := w.Header()
	h.Set("Content-Security-Policy", contentSecurity)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.slow))
	}
	if !s.origins.host(r.Host) {
		s.refuse(w, r, problemHost(r.Host))
		return
	}
	if !plainPath(r.URL) {
		s.refuse(w, r, s.missing(r))
		return
	}
	s.mux.ServeHTTP(w, r)
}

// plainPath says whether a path is what it seems. One that is not would be
// redirected by the mux, which tells more than "not found".
func plainPath(u *url.URL) bool {
	return u.Path != "" && u.Path == path.Clean(u.Path) && !strings.Contains(u.Path, "\x00")
}

// survive turns a panic of a handler into a problem, and a line in the log.
func (s *Server) survive(w http.ResponseWriter, r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if fault == http.ErrAbortHandler {
		panic(fault)
	}
	s.refuse(w, r, fmt.Errorf("panic: %v\n%s", fault, debug.Stack()))
}
