// Command sysnerd-engine is the helper that runs the sandboxes of the local engine. It
// stays root, and so is no more than that: `sysnerd serve` starts it and speaks with it
// over a socket (package privsep); a person has nothing to type here.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"sysnerd/images/folders"
	"sysnerd/sandbox/local"
	"sysnerd/sandbox/privsep"
)

func main() {
	var level slog.Level
	instance := flag.String("instance", "", "whose sandboxes it runs")
	image := flag.String("image", "", "tag of the image that they run")
	runtime := flag.String("runtime", "", "OCI runtime of the sandboxes; empty means runc")
	format := flag.String("log-format", "text", "how it logs: text or json")
	flag.TextVar(&level, "log-level", level, "what it logs")
	flag.Parse()

	options := &slog.HandlerOptions{Level: level}
	log := slog.New(slog.NewTextHandler(os.Stderr, options))
	if *format == "json" {
		log = slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	err := privsep.Run(*instance, log, func(ctx context.Context) (privsep.Opened, error) {
		e, err := local.OpenNext(ctx, local.Config{Instance: *instance, Dir: local.Sandboxes, Images: folders.Dir, Runtime: *runtime, Log: log})
		if err != nil {
			return nil, err
		}
		return &engine{e, *image}, nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "sysnerd-engine:", err)
		os.Exit(1)
	}
}

// engine is the local engine with the image of the server's build.
type engine struct {
	*local.Engine
	tag string
}

func (e *engine) Image(context.Context) (string, error) {
	id, ok, err := folders.Find(folders.Dir, e.tag)
	if err == nil && !ok {
		err = fmt.Errorf("sandbox image %s is not built; run: sysnerd image build --engine local", e.tag)
	}
	return id, err
}
