package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	runc "github.com/containerd/go-runc"
	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

// Create makes a sandbox's folder and has runc start it.
//
// A runc that is killed in the middle leaves more behind than one that is let be. So
// Create outwaits a cancelled context there, for 30 seconds at most, and then removes
// what it made.
func (e *Engine) Create(ctx context.Context, spec sandbox.Spec) error {
	if err := e.create(ctx, spec); err != nil {
		return fmt.Errorf("create sandbox %.40s: %w", spec.ID, err)
	}
	return nil
}

func (e *Engine) create(ctx context.Context, spec sandbox.Spec) error {
	if err := spec.Check(); err != nil {
		return err
	}
	if spec.Instance != e.cfg.Instance {
		return fmt.Errorf("instance is %q, this engine serves %q", spec.Instance, e.cfg.Instance)
	}
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	giveBack, err := e.turns.take(ctx, spec.ID)
	if err != nil {
		return err
	}
	defer giveBack()
	if err := e.holdImage(spec.Image); err != nil {
		return err
	}
	select {
	case e.start <- struct{}{}:
		defer func() { <-e.start }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}

	err = os.Mkdir(e.folder(spec.ID), 0o700)
	if errors.Is(err, fs.ErrExist) {
		return sandbox.ErrExists
	}
	outwait, stop := context.WithTimeout(context.WithoutCancel(ctx), changeDeadline)
	defer stop()
	if err == nil {
		err = e.run(outwait, spec)
	}
	if refused := unix.Errno(0); errors.As(err, &refused) { // for want of room, say
		err = fmt.Errorf("%w: %w", sandbox.ErrUnavailable, err)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		cleaning, stop := context.WithTimeout(context.WithoutCancel(ctx), changeDeadline)
		defer stop()
		if left := e.clear(cleaning, spec.ID); left != nil {
			return fmt.Errorf("%w; and what was made of it could not be removed: %v", err, left)
		}
	}
	return err
}

// run makes all of a sandbox in its new folder.
func (e *Engine) run(ctx context.Context, spec sandbox.Spec) error {
	folder := e.folder(spec.ID)
	text, err := json.Marshal(record{
		Instance: spec.Instance, ID: spec.ID, Lab: spec.Lab, Image: spec.Image, UID: spec.UID, Expires: spec.Expires.UTC(),
	})
	if err == nil {
		err = write(folder, recordName, text)
	}
	if err == nil {
		err = e.bundle(spec)
	}
	if err != nil {
		return err
	}
	ends, extra, err := e.guestEnds(folder)
	if err != nil {
		return err
	}
	defer func() { ends.close(extra) }()
	stderr, err := os.OpenFile(filepath.Join(folder, stderrName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	ends.err = stderr

	started := filepath.Join(folder, "runc.pid")
	_, err = e.runc.Run(runc.WithExtraEnv(ctx, "LISTEN_FDS="), spec.ID, folder, &runc.CreateOpts{
		IO:         ends,
		PidFile:    started,
		Detach:     true,
		ExtraFiles: extra,
	})
	if err != nil {
		return fmt.Errorf("%w: %v: %s", sandbox.ErrUnavailable, err, strings.TrimSpace(complaint(folder)))
	}
	pid, err := pidOf(started)
	if err != nil {
		return err
	}
	p := process{pid: pid, boot: e.booted}
	var ok bool
	if p.start, ok = startOf(pid); !ok {
		return fmt.Errorf("%w: PID 1 ended at once: %s", sandbox.ErrNotRunning, strings.TrimSpace(complaint(folder)))
	}
	return write(folder, pidName, []byte(p.String()))
}

func pidOf(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// guestEnds makes what the guest is reached by: a socket that it inherits, or, under
// gVisor, whose sockets are not the machine's, two FIFOs as its standard input and output.
func (e *Engine) guestEnds(folder string) (s stdio, extra []*os.File, err error) {
	if e.underGVisor() {
		s.in, s.out, err = makePipes(folder)
		return s, nil, err
	}
	socket, err := listen(folder)
	return s, []*os.File{socket}, err
}

// stdio is that of the runtime and of the guest. What they complain of goes to a file, so
// that neither needs this process.
type stdio struct{ in, out, err *os.File }

func (stdio) Stdin() io.WriteCloser { return nil }
func (stdio) Stdout() io.ReadCloser { return nil }
func (stdio) Stderr() io.ReadCloser { return nil }
func (stdio) Close() error          { return nil }

// Set gives a program those that there are; for the others it has /dev/null.
func (s stdio) Set(cmd *exec.Cmd) {
	if s.in != nil {
		cmd.Stdin, cmd.Stdout = s.in, s.out
	}
	cmd.Stderr = s.err
}

// close closes this process's copies.
func (s stdio) close(extra []*os.File) {
	for _, f := range append(extra, s.in, s.out, s.err) {
		_ = f.Close() // of those that there are
	}
}

// imageFolder is the root file system of an image, or "" if that can be none of ours.
func (e *Engine) imageFolder(image string) string {
	digest, ok := strings.CutPrefix(image, "sha256:")
	if !ok || len(digest) != 64 || strings.Trim(digest, "0123456789abcdef") != "" {
		return ""
	}
	return filepath.Join(e.cfg.Images, "sha256-"+digest)
}

// holdImage keeps an image from being removed until the engine is closed: whoever
// removes one locks its folder before, and looks who runs in it.
func (e *Engine) holdImage(image string) error {
	missing := fmt.Errorf("%w: there is no %.80s in %s; build it with: sysnerd image build --engine local", sandbox.ErrImageMissing, image, e.cfg.Images)
	folder := e.imageFolder(image)
	if folder == "" {
		return missing
	}
	e.holding.Lock()
	defer e.holding.Unlock()
	if e.held[folder] != nil {
		return nil
	}
	f, err := os.OpenFile(folder, unix.O_DIRECTORY|unix.O_NOFOLLOW|os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return missing
	}
	if err != nil {
		return err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return missing // it is going away
	}
	e.held[folder] = f
	return nil
}
