package images

import (
	"context"
	"fmt"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"
)

// Repositories of the images we make. Both are local names; nothing is pushed.
const (
	sandboxRepository = "sysnerd/sandbox"
	baseRepository    = "sysnerd/base"
)

// labelKind marks images and working containers as ours; labelFor says which
// sandbox image they are, or are to become.
const (
	labelKind = "sysnerd.image"
	labelFor  = "sysnerd.image.for"
)

// Values of labelKind.
const (
	kindSandbox = "sandbox" // what sandboxes run
	kindBase    = "base"    // packages only, below every sandbox image
	kindWork    = "work"    // a container in which an image is being made
)

// answerTime is how long the engine may take for a question. Building, which
// takes as long as it takes, is bounded by the caller's context alone.
const answerTime = 30 * time.Second

// Builder makes sure that an image is there.
type Builder struct {
	docker *client.Client
}

// Progress is told what is being done, a line at a time.
type Progress func(line string)

// New opens the engine at DOCKER_HOST or its default socket.
func New(ctx context.Context) (*Builder, error) {
	docker, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, fmt.Errorf("open the Docker engine: %w; check DOCKER_HOST", err)
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if _, err := docker.Ping(ctx); err != nil {
		docker.Close()
		return nil, fmt.Errorf("reach the Docker engine at %s: %w; start it (make engine) or set DOCKER_HOST", docker.DaemonHost(), err)
	}
	return &Builder{docker: docker}, nil
}

// Close gives the connection to the engine back.
func (b *Builder) Close() error { return b.docker.Close() }

// Tag is the reference of the current image: "sysnerd/sandbox:<hash of all that goes in>".
// It is [ErrNoGuest] if this binary holds no guest.
func Tag() (string, error) {
	r, err := current()
	if err != nil {
		return "", err
	}
	return r.sandboxTag(), nil
}

// Current returns the id of the image that Tag names; ok is false if it is not built yet.
func (b *Builder) Current(ctx context.Context) (id string, ok bool, err error) {
	tag, err := Tag()
	if err != nil {
		return "", false, err
	}
	return b.find(ctx, tag)
}

// Build builds it if need be, and returns its id.
func (b *Builder) Build(ctx context.Context, p Progress) (id string, err error) {
	r, err := current()
	if err != nil {
		return "", err
	}
	return b.build(ctx, r, p)
}

func (b *Builder) build(ctx context.Context, r recipe, p Progress) (id string, err error) {
	if id, ok, err := b.find(ctx, r.sandboxTag()); err != nil || ok {
		if ok {
			p(r.sandboxTag() + " is up to date")
		}
		return id, err
	}
	unlock, err := lock(ctx, p)
	if err != nil {
		return "", err
	}
	defer unlock()
	// Another process may have built it while this one waited.
	if id, ok, err := b.find(ctx, r.sandboxTag()); err != nil || ok {
		return id, err
	}

	start := time.Now()
	base, ok, err := b.find(ctx, r.baseTag())
	if err != nil {
		return "", err
	}
	if !ok {
		if base, err = b.buildBase(ctx, r, p); err != nil {
			return "", err
		}
	}
	if id, err = b.buildTop(ctx, r, base, p); err != nil {
		return "", err
	}
	p(fmt.Sprintf("%s is ready after %.0f s", r.sandboxTag(), time.Since(start).Seconds()))
	return id, nil
}

// find returns the id of the image called reference, if the engine has it.
func (b *Builder) find(ctx context.Context, reference string) (id string, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	image, err := b.docker.ImageInspect(ctx, reference)
	if cerrdefs.IsNotFound(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("ask the engine for image %s: %w", reference, err)
	}
	return image.ID, true, nil
}
