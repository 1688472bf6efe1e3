package local

import (
	"context"
	"sync"
)

// turns lets one caller at a time work on a sandbox.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{} // by id; closed when it is free again
}

// take waits for the turn of id. Whoever has it gives it back.
func (t *turns) take(ctx context.Context, id string) (giveBack func(), err error) {
	for {
		t.mu.Lock()
		busy, ok := t.taken[id]
		if !ok {
			free := make(chan struct{})
			if t.taken == nil {
				t.taken = map[string]chan struct{}{}
			}
			t.taken[id] = free
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				delete(t.taken, id)
				t.mu.Unlock()
				close(free)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
