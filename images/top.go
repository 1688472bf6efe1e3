package images

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// work unpacks the build context from standard input into /tmp, which is in memory and
// so leaves nothing in the image, runs top.sh there and says that it is done. Then it
// waits to be committed; when standard input ends, because the builder died or is
// through, the container is gone.
const work = `set -euo pipefail
umask 022
cd /tmp
head -c "$0" | tar --extract --no-same-owner
/bin/bash top.sh
echo ` + workDone + `
cat >/dev/null`

const workDone = "sysnerd: done"

// buildTop runs top.sh in a container of the image base and commits the result.
func (b *Builder) buildTop(ctx context.Context, r recipe, base string, p Progress) (id string, err error) {
	p("lay the lab programs and the guest over the base image")
	parts := r.tar(topParts)
	id, err = b.commitWork(ctx, r, base, parts, p)
	if err != nil {
		return "", fmt.Errorf("make %s: %w", r.sandboxTag(), err)
	}
	return id, nil
}

func (b *Builder) commitWork(ctx context.Context, r recipe, base string, parts []byte, p Progress) (id string, err error) {
	created, err := b.docker.ContainerCreate(ctx, &container.Config{
		Image:        base,
		Cmd:          []string{"/bin/bash", "-c", work, fmt.Sprint(len(parts))},
		Labels:       map[string]string{labelKind: kindWork, labelFor: r.sandboxTag()},
		AttachStdin:  true,
		AttachStdout: true,
		AttachStderr: true,
		OpenStdin:    true,
		StdinOnce:    true,
	}, &container.HostConfig{
		NetworkMode: "none",
		AutoRemove:  true,
		LogConfig:   container.LogConfig{Type: "none"},
		Tmpfs:       map[string]string{"/tmp": "exec,mode=1777"},
	}, nil, nil, "")
	if err != nil {
		return "", err
	}
	defer func() {
		// Also after a cancelled context; removing what is gone already is no fault.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
		defer cancel()
		gone := b.docker.ContainerRemove(ctx, created.ID, container.RemoveOptions{Force: true})
		if gone != nil && !cerrdefs.IsNotFound(gone) && !cerrdefs.IsConflict(gone) {
			err = errors.Join(err, fmt.Errorf("remove the working container: %w", gone))
		}
	}()

	attached, err := b.docker.ContainerAttach(ctx, created.ID, container.AttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		return "", err
	}
	defer attached.Close()
	// The connection does not know of the context.
	defer context.AfterFunc(ctx, attached.Close)()
	if err := b.docker.ContainerStart(ctx, created.ID, container.StartOptions{}); err != nil {
		return "", err
	}

	sent := make(chan error, 1)
	go func() {
		_, err := attached.Conn.Write(parts)
		sent <- err
	}()
	done := errors.New("done")
	said := &stopAt{lines: lines{tell: func(line string) { p("  " + line) }}, stop: done}
	_, err = stdcopy.StdCopy(said, said, attached.Reader)
	if ctx.Err() != nil {
		attached.Close()
		<-sent
		return "", context.Cause(ctx)
	}
	if !errors.Is(err, done) {
		attached.Close()
		<-sent
		return "", fmt.Errorf("top.sh ended early:\n%s", said.tail())
	}
	if err := <-sent; err != nil {
		return "", err
	}

	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	committed, err := b.docker.ContainerCommit(ctx, created.ID, container.CommitOptions{
		Reference: r.sandboxTag(),
		Comment:   "lab programs and guest",
		Config: &container.Config{
			Cmd:    []string{"/usr/lib/sysnerd/guest"},
			Labels: map[string]string{labelKind: kindSandbox, labelFor: r.sandboxTag()},
			Env:    []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		},
	})
	if err != nil {
		return "", err
	}
	return committed.ID, nil
}

// stopAt ends the copying when the work says that it is done; standard output stays open then.
type stopAt struct {
	lines
	stop error
}

func (s *stopAt) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(workDone)) {
		return 0, s.stop
	}
	return s.lines.Write(b)
}
