// Package service takes a configuration and gives a running server: it puts
// the data directory, the engine, the keeper, the labs and the pages together,
// and takes them apart again in reverse.
//
// # Concurrency
//
// Run starts one goroutine, which answers HTTP and ends when the site is
// closed, and with watch one more, which reads changed labs and ends when Run does.
// The keeper's end when it is, after the last request.
package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"sysnerd/cmd/sysnerd/datadir"
	"sysnerd/config"
	"sysnerd/images"
	"sysnerd/labs/classroom"
	"sysnerd/sandbox"
	"sysnerd/web"
	"sysnerd/web/ui"
)

// Start is what a server begins with. Run closes all of it.
type Start struct {
	Config   *config.Config
	Engine   Engine
	Ended    <-chan struct{} // closed when Engine has ended for good; nil when it cannot
	Data     *datadir.Dir
	Place    string       // path of the data folder as the operator knows it
	Listener net.Listener // nil when Run is to listen
}

// A server that is told to end does so within 10 s, as service managers expect: requests
// have drainTime, the engine what they left of leaveTime, its helper the rest.
const (
	drainTime = 7 * time.Second
	leaveTime = 8 * time.Second
)

// Run serves until ctx is done, or the helper that runs the sandboxes has ended, and says
// on out where. Sandboxes live on after it. With watch, the folder of labs is read again
// whenever it changes.
func Run(ctx context.Context, s *Start, watch bool, out io.Writer, log *slog.Logger) (err error) {
	cfg := s.Config
	data := s.Data
	defer closing(&err, data.Close) // last: nobody else begins before the helper has ended
	defer closing(&err, s.Engine.Close)
	if s.Listener != nil {
		defer s.Listener.Close()
	}
	if _, err := ui.Files(); err != nil {
		return err
	}
	library, problems, err := LoadLabs(cfg.Labs)
	if err != nil {
		return err
	}
	for _, p := range problems {
		log.Warn("left out: " + p.String())
	}
	shelf := newShelf(library, problems)
	capacity, err := FindCapacity(cfg.Sandbox)
	if err != nil {
		return err
	}

	listener := s.Listener
	if listener == nil {
		if listener, err = Listen(cfg.Listen); err != nil {
			return err
		}
		defer listener.Close() // a second time, once it served
	}
	store, err := classroom.Open(ctx, data.Store())
	if err != nil {
		return err
	}
	defer closing(&err, store.Close)

	engine := s.Engine
	image, err := engine.Image(ctx)
	if err != nil {
		return err
	}
	keeper := sandbox.NewKeeper(sandbox.KeeperConfig{
		Engine:   engine,
		Instance: data.Instance,
		Image:    image,
		Capacity: capacity.Sandboxes,
		Budget:   capacity.promise(),
		Lifetime: cfg.Sandbox.Lifetime,
		MaxLife:  cfg.Sandbox.MaxLife,
		Idle:     cfg.Sandbox.Idle,
		Pool:     cfg.Sandbox.Pool,
		Log:      log,
	})
	leaving, cut := outlasting(ctx, leaveTime)
	defer cut()
	defer closing(&err, func() error { return leave(leaving, keeper, log) })

	var changes web.Watch // stays nil unless the content changes while it is served
	if watch {
		watching, stop := context.WithCancel(ctx)
		wait, err := watchLabs(watching, cfg.Labs, shelf, log)
		if err != nil {
			stop()
			return err
		}
		defer wait()
		defer stop()
		changes = shelf
	}
	site, err := web.New(web.Config{
		Keeper:    keeper,
		Library:   shelf.Library,
		Watch:     changes,
		Store:     store,
		Programs:  images.Programs(),
		Ready:     func(ctx context.Context) []web.Fault { return faults(ctx, engine, keeper) },
		PublicURL: cfg.URL,
		Listen:    listener.Addr().String(),
		Log:       log,
	})
	if err != nil {
		return err
	}
	defer closing(&err, func() error { return drain(site, log) })
	if err := site.Recover(ctx); err != nil {
		return fmt.Errorf("find the sandboxes of before: %w", err)
	}
	site.Warm(firstLabs(library))

	log.Info("serving", "listen", listener.Addr().String(), "data", s.Place, "instance", data.Instance,
		"capacity", capacity.Sandboxes, "image", image)
	failed := make(chan error, 1)
	go func() { failed <- site.Serve(listener) }()
	fmt.Fprintf(out, "sysnerd is at %s\n", address(listener))
	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
	case <-s.Ended:
		return errors.New("the helper that runs the sandboxes has ended; they live on: start the server again, and look at its log for the reason")
	case <-ctx.Done():
		log.Info("stopping; sandboxes live on")
		return nil
	}
}

// drain lets requests under way end, for a while.
func drain(site *web.Server, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err := site.Close(ctx)
	if ctx.Err() != nil {
		log.Warn("some requests did not end in time and were cut off", "after", drainTime)
		return nil
	}
	return err
}

// leave lets the engine end what is under way until ctx does.
func leave(ctx context.Context, keeper *sandbox.Keeper, log *slog.Logger) error {
	err := keeper.Close(ctx)
	if ctx.Err() != nil {
		log.Warn("the engine did not end its work in time; the next start cleans up", "after", leaveTime)
		return nil
	}
	return err
}

// outlasting returns a context that ends that long after ctx has.
func outlasting(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	after, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return after, cancel
}

// closing is for defer: it reports the error of a close unless there was one before.
func closing(err *error, close func() error) {
	if closed := close(); *err == nil {
		*err = closed
	}
}
