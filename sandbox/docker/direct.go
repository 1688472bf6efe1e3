package docker

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"

	"sysnerd/sandbox/pidlink"
)

// direct is what became of the tries to reach guests past the engine.
type direct struct {
	worked atomic.Bool
	given  atomic.Bool // up: none ever worked
}

// dial connects to the guest of a container past the engine, or returns nil. When the
// first try fails there is no other: it would cost each start the time of waiting.
func (e *Engine) dial(ctx context.Context, c found) *net.UnixConn {
	if e.cfg.Relayed || e.direct.given.Load() || !strings.HasPrefix(e.api.DaemonHost(), "unix://") {
		return nil
	}
	conn, err := dial(ctx, c)
	switch {
	case err == nil:
		e.direct.worked.Store(true)
		return conn
	case ctx.Err() == nil && !e.direct.worked.Load():
		e.direct.given.Store(true)
		e.cfg.Log.Info("terminals go through the engine, which is slower: no other way to a sandbox", "reason", err)
	}
	return nil
}

func dial(ctx context.Context, c found) (*net.UnixConn, error) {
	p, err := pidlink.Open(c.pid)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	if err := inContainer(c); err != nil {
		return nil, err
	}
	if !p.Alive() { // then the number may have come to mean another
		return nil, fmt.Errorf("%w: it has ended", pidlink.ErrCannot)
	}
	return p.Dial(ctx)
}

// inContainer says whether the process of that number is the container's on this
// kernel: an engine may be on another machine though its socket is here. The path of
// a container's cgroup has its id in it.
func inContainer(c found) error {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", c.pid))
	if err != nil {
		return fmt.Errorf("%w: %w", pidlink.ErrCannot, err)
	}
	if len(c.container) < 64 || !bytes.Contains(text, []byte(c.container)) {
		return fmt.Errorf("%w: the engine's process %d is another one here", pidlink.ErrCannot, c.pid)
	}
	return nil
}
