package fake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"sysnerd/sandbox"
)

// Image is the one image that this engine holds: the host's own files.
const Image = "fake"

// Config says what to run.
type Config struct {
	Instance string
	Guest    string // path of the guest's binary
	Bashrc   string // path of a file to be /etc/bash.bashrc; empty means the host's
	Relayed  bool   // attach to stdio, over which no terminal can be handed over
	Log      *slog.Logger
}

// Engine is a [sandbox.Engine] of child processes.
type Engine struct {
	cfg   Config
	start chan func()
	ended chan struct{} // spawn has

	mu        sync.Mutex
	closed    bool
	processes map[string]*process // nil while one is being made
}

var _ sandbox.Engine = (*Engine)(nil)

// Open returns an engine without sandboxes.
func Open(cfg Config) (*Engine, error) {
	if err := sandbox.CheckInstance(cfg.Instance); err != nil {
		return nil, fmt.Errorf("open fake engine: %w", err)
	}
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("open fake engine: %w: it makes namespaces, which needs root; run with sudo", sandbox.ErrUnavailable)
	}
	if _, err := os.Stat(cfg.Guest); err != nil {
		return nil, fmt.Errorf("open fake engine: %w: no guest: %v; build it with: go build ./cmd/guest", sandbox.ErrUnavailable, err)
	}
	cfg.Log = cmp.Or(cfg.Log, slog.Default())
	e := &Engine{
		cfg:       cfg,
		start:     make(chan func()),
		ended:     make(chan struct{}),
		processes: map[string]*process{},
	}
	go e.spawn()
	return e, nil
}

// spawn starts all processes, from one thread that lives as long as the
// engine: the kernel ends a child with Pdeathsig when the thread that made it ends.
func (e *Engine) spawn() {
	runtime.LockOSThread()
	defer close(e.ended)
	for start := range e.start {
		start()
	}
}

// Close ends every sandbox and waits for all goroutines. No other engine does
// that; but here nothing could find the sandboxes again.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	var all []*process
	for _, p := range e.processes {
		if p != nil {
			all = append(all, p)
		}
	}
	e.processes = map[string]*process{}
	e.mu.Unlock()
	for _, p := range all {
		p.kill()
	}
	close(e.start)
	<-e.ended
	return nil
}

var errClosed = fmt.Errorf("%w: it is closed", sandbox.ErrUnavailable)

// Create starts the guest in namespaces of its own.
func (e *Engine) Create(ctx context.Context, spec sandbox.Spec) error {
	if err := e.create(ctx, spec); err != nil {
		return fmt.Errorf("create sandbox %.40s: %w", spec.ID, err)
	}
	return nil
}

func (e *Engine) create(ctx context.Context, spec sandbox.Spec) error {
	if err := cmp.Or(ctx.Err(), spec.Check()); err != nil {
		return err
	}
	if spec.Instance != e.cfg.Instance {
		return fmt.Errorf("instance is %q, this engine serves %q", spec.Instance, e.cfg.Instance)
	}
	if spec.Image != Image {
		return fmt.Errorf("%w: this engine has %s only, not %s", sandbox.ErrImageMissing, Image, spec.Image)
	}
	e.mu.Lock()
	_, exists := e.processes[spec.ID]
	switch {
	case e.closed:
		e.mu.Unlock()
		return errClosed
	case exists:
		e.mu.Unlock()
		return sandbox.ErrExists
	}
	e.processes[spec.ID] = nil // the name is taken
	e.mu.Unlock()

	p, err := e.run(ctx, spec)

	e.mu.Lock()
	closed := e.closed
	if err == nil && !closed {
		e.processes[spec.ID] = p
	} else {
		delete(e.processes, spec.ID)
	}
	e.mu.Unlock()
	if err == nil && closed {
		p.kill()
		return errClosed
	}
	return err
}

func (e *Engine) find(id string) (*process, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	p := e.processes[id]
	if p == nil {
		return nil, sandbox.ErrNotFound
	}
	return p, nil
}

// Attach connects to the guest's stdio. An older stream of the same sandbox
// reads io.EOF from then on.
func (e *Engine) Attach(ctx context.Context, id string) (io.ReadWriteCloser, error) {
	p, err := e.find(id)
	if err = cmp.Or(ctx.Err(), err); err == nil {
		var s io.ReadWriteCloser
		if e.cfg.Relayed {
			s, err = p.attach()
		} else {
			s, err = p.dial(ctx)
		}
		if err == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("attach to sandbox %.40s: %w", id, err)
}

// Update checks the limits and changes nothing: there are none here.
func (e *Engine) Update(ctx context.Context, id string, limits sandbox.Limits) error {
	p, err := e.find(id)
	if err = cmp.Or(ctx.Err(), limits.Check(), err); err == nil && !p.running() {
		err = sandbox.ErrNotRunning
	}
	if err != nil {
		return fmt.Errorf("update sandbox %.40s: %w", id, err)
	}
	return nil
}

// List reports every sandbox, by id.
func (e *Engine) List(ctx context.Context) ([]sandbox.Listed, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, fmt.Errorf("list sandboxes: %w", errClosed)
	}
	var list []sandbox.Listed
	for id, p := range e.processes {
		if p == nil {
			continue
		}
		list = append(list, sandbox.Listed{ID: id, Lab: p.spec.Lab, UID: p.spec.UID, Expires: p.spec.Expires, Running: p.running()})
	}
	slices.SortFunc(list, func(a, b sandbox.Listed) int { return strings.Compare(a.ID, b.ID) })
	return list, ctx.Err()
}

// Remove ends the guest and all below it.
func (e *Engine) Remove(ctx context.Context, id string) error {
	p, err := e.find(id)
	switch {
	case errors.Is(err, sandbox.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("remove sandbox %.40s: %w", id, err)
	}
	p.kill()
	e.mu.Lock()
	if e.processes[id] == p {
		delete(e.processes, id)
	}
	e.mu.Unlock()
	return nil
}
