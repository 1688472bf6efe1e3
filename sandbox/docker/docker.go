package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"

	"sysnerd/sandbox"
)

// oldestAPI is that of Engine 20.10, the first with a private cgroup namespace.
const oldestAPI = "1.41"

// Deadlines of calls whose context has none.
const (
	askDeadline    = 10 * time.Second // ping, inspect, list, attach
	changeDeadline = 30 * time.Second // create, start, update, remove
)

// Config says which engine to use, and for whom.
type Config struct {
	Instance string // whose sandboxes these are, [a-z0-9]{1,32}
	Host     string // "unix:///run/docker.sock"; empty means DOCKER_HOST or the usual socket
	AppArmor string // profile; empty leaves it to the engine, which takes docker-default where there is one
	Runtime  string // OCI runtime by the engine's name for it; empty means the engine's default
	Relayed  bool   // always attach to stdio, over which no terminal can be handed over
	Log      *slog.Logger
}

// Engine is a [sandbox.Engine] on a Docker Engine.
type Engine struct {
	cfg    Config
	api    *client.Client
	direct direct
}

var _ sandbox.Engine = (*Engine)(nil)

// Open connects to the engine and agrees with it on an API version.
// Errors: [sandbox.ErrUnavailable].
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if err := sandbox.CheckInstance(cfg.Instance); err != nil {
		return nil, fmt.Errorf("open docker engine: %w", err)
	}
	cfg.Log = cmp.Or(cfg.Log, slog.Default())
	ctx, cancel := withDeadline(ctx, askDeadline)
	defer cancel()

	api, err := newClient(cfg.Host)
	if err != nil {
		return nil, fmt.Errorf("open docker engine: %w: %v; name a valid one with --docker-host or DOCKER_HOST", sandbox.ErrUnavailable, err)
	}
	e := &Engine{cfg: cfg, api: api}
	if err := e.greet(ctx); err != nil {
		_ = api.Close()
		return nil, fmt.Errorf("open docker engine at %s: %w", api.DaemonHost(), err)
	}
	return e, nil
}

func (e *Engine) greet(ctx context.Context) error {
	ping, err := e.api.Ping(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("%w; is it installed (apt install docker.io) and running (systemctl start docker), and may you use it (usermod -aG docker $USER, then log in anew)?", explain(ctx, err))
	case ping.APIVersion == "":
		return fmt.Errorf("%w: what listens there is no Docker Engine", sandbox.ErrUnavailable)
	case versions.LessThan(ping.APIVersion, oldestAPI):
		return fmt.Errorf("%w: it speaks API %s, sysnerd needs %s; install Docker Engine 20.10 or newer", sandbox.ErrUnavailable, ping.APIVersion, oldestAPI)
	case ping.OSType != "linux":
		return fmt.Errorf("%w: it runs %s containers; switch it to Linux containers", sandbox.ErrUnavailable, ping.OSType)
	}
	e.api.NegotiateAPIVersionPing(ping)
	return nil
}

// Ping says where the engine of that host would be, as in [Config], and whether it
// answers there. Errors: [sandbox.ErrUnavailable].
func Ping(ctx context.Context, host string) (at string, err error) {
	e, err := Open(ctx, Config{Instance: "ping", Host: host})
	if err == nil {
		defer e.Close()
		return e.api.DaemonHost(), nil
	}
	if c, err := newClient(host); err == nil {
		defer c.Close()
		at = c.DaemonHost()
	}
	return at, err
}

// Close drops idle connections. Sandboxes and attached streams live on.
func (e *Engine) Close() error { return e.api.Close() }

// newClient returns a client whose dials can be cut short by [dialBound].
func newClient(host string) (*client.Client, error) {
	opts := []client.Opt{client.FromEnv}
	if host != "" {
		opts = append(opts, client.WithHost(host))
	}
	found, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, err
	}
	at, err := client.ParseHostURL(found.DaemonHost())
	if err != nil {
		return nil, err
	}
	return client.NewClientWithOpts(append(opts, client.WithDialContext(dialer(at)))...)
}

type boundKey struct{}

// bound holds what takes the bound from a connection again.
type bound struct{ release func() bool }

// dialBound returns a context for a call that takes its connection over. The
// client lets such a call wait for the engine's answer without end; here the
// connection is cut when ctx ends before release is called.
func dialBound(ctx context.Context) (_ context.Context, release func()) {
	b := &bound{release: func() bool { return true }}
	return context.WithValue(ctx, boundKey{}, b), func() { b.release() }
}

func dialer(at *url.URL) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if at.Scheme == "unix" {
			network, addr = at.Scheme, cmp.Or(at.Host, at.Path)
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if b, ok := ctx.Value(boundKey{}).(*bound); ok {
			b.release = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
		}
		return conn, nil
	}
}

// withDeadline gives a context that has no deadline one.
func withDeadline(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}

// explain turns an error of the client into one of package sandbox, where it
// is one that a caller acts on.
func explain(ctx context.Context, err error) error {
	var netErr net.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled // the caller gave up; that says nothing of the engine
	case client.IsErrConnectionFailed(err), errdefs.IsUnavailable(err),
		errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, http.ErrServerClosed):
		return fmt.Errorf("%w: %w", sandbox.ErrUnavailable, cmp.Or(ctx.Err(), err))
	}
	return err
}
