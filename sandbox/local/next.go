package local

import (
	"context"
	"errors"
	"time"
)

const (
	// closingTime is how long an engine may take to close whose server was killed: it
	// gives up what is under way, and leaves nothing of that.
	closingTime = 20 * time.Second
	askAgain    = 50 * time.Millisecond
)

// OpenNext is Open, but for that it waits for another that is just closing, as that of
// a server which was killed a moment ago. Errors: those of Open.
func OpenNext(ctx context.Context, cfg Config) (*Engine, error) {
	late := time.NewTimer(closingTime)
	defer late.Stop()
	for {
		e, err := Open(ctx, cfg)
		if !errors.Is(err, ErrHeld) {
			return e, err
		}
		select {
		case <-time.After(askAgain):
		case <-late.C:
			return nil, err
		case <-ctx.Done():
			return nil, err
		}
	}
}
