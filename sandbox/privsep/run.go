package privsep

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"sysnerd/sandbox"
)

// HelperEnd is the descriptor at which a helper's process finds its end of a Pair.
const HelperEnd = 3

// Opened is an engine that knows its image.
type Opened interface {
	sandbox.Engine
	// Image names the image that sandboxes run. Errors: sandbox.ErrImageMissing.
	Image(ctx context.Context) (string, error)
	// Close drops what the engine holds. Sandboxes live on.
	Close() error
}

// Run is the whole of a helper's process. It opens the engine, or tells the server why
// that cannot be, and serves it until the server closes its end. A signal that is meant
// for all processes (a terminal's Ctrl-C, a machine's SIGTERM) is the server's alone,
// which may need sandboxes until its last request has ended.
func Run(instance string, log *slog.Logger, open func(ctx context.Context) (Opened, error)) (err error) {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	conn, err := Conn(os.NewFile(HelperEnd, "the server's socket"))
	if err != nil {
		return err
	}
	engine, err := open(context.Background())
	if err != nil {
		return errors.Join(Refuse(conn, instance, err), conn.Close())
	}
	h := &Helper{Engine: engine, Instance: instance, Image: engine.Image, Log: log}
	return errors.Join(h.Serve(conn), engine.Close())
}
