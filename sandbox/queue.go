package sandbox

import (
	"fmt"
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

// waiter is somebody who found all sandboxes in use.
type waiter struct {
	key  ownership
	seen time.Time // when he last asked
}

// admit lets a claim in, or gives it its place in the queue. Under mu.
func (k *Keeper) admit(key ownership, now time.Time) error {
	k.queue = slices.DeleteFunc(k.queue, func(w *waiter) bool { return now.Sub(w.seen) > queuePatience })
	free := k.cfg.Capacity - len(k.owned)
	at := slices.IndexFunc(k.queue, func(w *waiter) bool { return w.key == key })
	switch {
	case at < 0 && len(k.queue) < free:
		return nil
	case at >= 0 && at < free:
		k.queue = slices.Delete(k.queue, at, at+1)
		return nil
	case at < 0:
		at = len(k.queue)
		k.queue = append(k.queue, &waiter{key: key})
	}
	k.queue[at].seen = now
	place := at - max(0, free) + 1
	wait := k.turn(place, now)
	return &FullError{Capacity: k.cfg.Capacity, Place: place, Wait: wait, Retry: max(time.Second, min(wait, askAgain))}
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
