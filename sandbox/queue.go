package sandbox

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// queuePatience is how long a place is kept for somebody who does not ask again.
const queuePatience = 45 * time.Second

// askAgain bounds when somebody in the queue should ask again.
const askAgain = 5 * time.Second

// FullError says that every sandbox is in use, and who is before you. Asking again
// within Retry keeps the place.
type FullError struct {
	Capacity int
	Place    int           // in the queue, from 1
	Wait     time.Duration // estimate until it is your turn
	Retry    time.Duration // ask again after this
}

func (e *FullError) Error() string {
	return fmt.Sprintf("all %d sandboxes are in use; you are number %d, about %s", e.Capacity, e.Place, e.Wait.Round(time.Second))
}

// ErrTooLarge says that a sandbox may take more memory than all together shall.
var ErrTooLarge = errors.New("sandbox needs more memory than all may take together")

// waiter is somebody who found all sandboxes in use.
type waiter struct {
	key  ownership
	most int64     // bytes that his sandbox may ever take
	seen time.Time // when he last asked
}

// promised is the memory that those in use may ever take. Under mu.
func (k *Keeper) promised() (bytes int64) {
	for _, e := range k.owned {
		bytes += e.claim.Limits.most()
	}
	return bytes
}

// over says whether the sandboxes in use and warm are more than fit. Under mu.
func (k *Keeper) over() bool {
	return len(k.owned)+k.pool.size() > k.cfg.Capacity ||
		k.cfg.Budget > 0 && k.promised()+k.pool.most() > k.cfg.Budget
}

// fits says whether one more that may take that much fits beside them. Under mu.
func (k *Keeper) fits(most int64) bool {
	return len(k.owned)+k.pool.size() < k.cfg.Capacity &&
		(k.cfg.Budget == 0 || k.promised()+k.pool.most()+most <= k.cfg.Budget)
}

// admit lets a claim in, or gives it its place in the queue. Nobody passes those
// before him, though what he needs be less. Under mu.
func (k *Keeper) admit(key ownership, most int64, now time.Time) error {
	budget := k.cfg.Budget
	if budget == 0 {
		budget = math.MaxInt64
	}
	if most > budget {
		return fmt.Errorf("%w: it may take %d bytes, all together %d", ErrTooLarge, most, budget)
	}
	k.queue = slices.DeleteFunc(k.queue, func(w *waiter) bool { return now.Sub(w.seen) > queuePatience })
	free, memory := k.cfg.Capacity-len(k.owned), budget-k.promised()
	at := slices.IndexFunc(k.queue, func(w *waiter) bool { return w.key == key })
	known := at >= 0
	if !known {
		at = len(k.queue)
	}
	before := 0 // how many of those before him could come in now
	for before < min(at, free) && k.queue[before].most <= memory {
		memory -= k.queue[before].most
		before++
	}
	in := before == at && at < free && most <= memory
	switch {
	case in && known:
		k.queue = slices.Delete(k.queue, at, at+1)
		return nil
	case in:
		return nil
	case !known:
		k.queue = append(k.queue, &waiter{key: key, most: most})
	}
	k.queue[at].seen = now
	place := at - before + 1
	wait := k.turn(place, now)
	capacity := k.cfg.Capacity
	if before < free { // the memory is promised before all places are taken
		capacity = len(k.owned)
	}
	return &FullError{Capacity: capacity, Place: place, Wait: wait, Retry: max(time.Second, min(wait, askAgain))}
}

// turn estimates how long it takes until that many sandboxes have ended by
// themselves. Under mu.
func (k *Keeper) turn(place int, now time.Time) time.Duration {
	var ends []time.Duration
	for _, e := range k.entries {
		if e.ended.IsZero() {
			ends = append(ends, max(time.Second, e.s.Expires().Sub(now)))
		}
	}
	if len(ends) == 0 {
		return time.Minute
	}
	slices.Sort(ends)
	return ends[min(place, len(ends))-1]
}
