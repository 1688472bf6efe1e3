package sandbox

import (
	"context"
	"errors"
	"io"
	"time"
)

// Errors that an [Engine] wraps with %w, so that callers can act on them.
var (
	// ErrNotFound says that the engine has no sandbox of that id in this instance.
	ErrNotFound = errors.New("no such sandbox")
	// ErrExists says that a sandbox of that id is already there.
	ErrExists = errors.New("sandbox exists already")
	// ErrNotRunning says that the sandbox exists, but its PID 1 has ended.
	ErrNotRunning = errors.New("sandbox is not running")
	// ErrImageMissing says that the engine does not hold the image of the Spec.
	ErrImageMissing = errors.New("image is missing")
	// ErrUnavailable says that the engine itself does not answer.
	ErrUnavailable = errors.New("engine does not answer")
	// ErrLimitBelowUse says that a new memory limit is below what is in use now.
	ErrLimitBelowUse = errors.New("limit is below present use")
)

// Engine runs sandboxes: containers of one instance whose PID 1 is the guest.
// Everything that teaches goes over the attached stream, so five verbs suffice.
//
// All methods may be called by any number of goroutines at once, block until
// done, and honour their context. An Engine sees and touches only the sandboxes
// of the instance that it was opened for.
type Engine interface {
	// Create makes and starts the sandbox and returns once its PID 1 runs.
	// When it fails it leaves nothing behind.
	// Errors: ErrExists, ErrImageMissing, ErrUnavailable.
	Create(ctx context.Context, spec Spec) error
	// Attach connects to standard input and output of PID 1. Read returns
	// io.EOF when the sandbox ends or the engine drops the stream; closing the
	// stream leaves the sandbox running. The context bounds the dial only.
	// Errors: ErrNotFound, ErrNotRunning, ErrUnavailable.
	Attach(ctx context.Context, id string) (io.ReadWriteCloser, error)
	// Update changes memory, CPU and process limits of a running sandbox.
	// Errors: ErrNotFound, ErrNotRunning, ErrLimitBelowUse, ErrUnavailable, and
	// ErrLimitFixed from an engine that holds no memory to a limit.
	Update(ctx context.Context, id string, limits Limits) error
	// List reports every sandbox of this instance, dead ones too.
	// Errors: ErrUnavailable.
	List(ctx context.Context) ([]Listed, error)
	// Remove ends the sandbox at once and removes all of it. To remove one
	// that is not there is no error. Errors: ErrUnavailable.
	Remove(ctx context.Context, id string) error
}

// Listed is what an engine knows of one sandbox, from its labels.
type Listed struct {
	ID      string
	Lab     string // "<module>/<lab>"
	UID     int
	Expires time.Time
	Running bool
}
