package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lock lets one build at a time go on, so that two do not do the same work and
// leave one result without a name. The kernel drops it with the process.
func lock(ctx context.Context, p Progress) (unlock func(), err error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find a place for the build's lock: %w", err)
	}
	dir = filepath.Join(dir, "sysnerd")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a place for the build's lock: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "image.lock"), os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the build's lock: %w", err)
	}
	unlock = func() { f.Close() }

	// flock cannot be cancelled while it blocks, so ask again and again.
	for told := false; ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return unlock, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			unlock()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		if !told {
			p("another build is going on; waiting for it")
			told = true
		}
		select {
		case <-ctx.Done():
			unlock()
			return nil, context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
