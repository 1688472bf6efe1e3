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
	"fmt"
	"io"
	"log/slog"
	"time"

	"sysnerd/cmd/sysnerd/datadir"
	"sysnerd/config"
	"sysnerd/images"
	"sysnerd/labs/classroom"
	"sysnerd/sandbox"
	"sysnerd/web"
	"sysnerd/web/ui"
)

// drainTime is how long requests may take to end once the server is told to. The
// whole has to end within 10 s, as service managers expect.
const drainTime = 8 * time.Second

// Run serves until ctx is done, and says on out where. Sandboxes live on after it. With
// watch, the folder of labs is read again whenever it changes.
func Run(ctx context.Context, cfg *config.Config, watch bool, out io.Writer, log *slog.Logger) (err error) {
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

	data, err := datadir.Open(cfg.Data)
	if err != nil {
		return err
	}
	defer closing(&err, data.Close)
	listener, err := Listen(cfg.Listen)
	if err != nil {
		return err
	}
	defer listener.Close() // a second time, once it served
	store, err := classroom.Open(ctx, data.Store())
	if err != nil {
		return err
	}
	defer closing(&err, store.Close)

	engine, err := OpenEngine(ctx, cfg, data.Instance, log)
	if err != nil {
		return err
	}
	defer closing(&err, engine.Close)
	image, err := FindImage(ctx)
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
		Warm:     firstLabs(library),
		Log:      log,
	})
	defer closing(&err, keeper.Close)

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

	log.Info("serving", "listen", listener.Addr().String(), "data", data.Path, "instance", data.Instance,
		"capacity", capacity.Sandboxes, "image", image)
	failed := make(chan error, 1)
	go func() { failed <- site.Serve(listener) }()
	fmt.Fprintf(out, "sysnerd is at %s\n", address(listener))
	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
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

// closing is for defer: it reports the error of a close unless there was one before.
func closing(err *error, close func() error) {
	if closed := close(); *err == nil {
		*err = closed
	}
}
