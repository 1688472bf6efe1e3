package sandbox

import (
	"fmt"
	"hash/fnv"
	"time"
)

// uids hands out one uid per sandbox. Not safe for concurrent use.
type uids struct {
	first int
	used  map[int]bool
	rest  map[int]time.Time // when it was given back
}

// newUIDs begins at a place of its own for each instance: the kernel counts a uid
// over all instances of a host.
func newUIDs(instance string) uids {
	h := fnv.New32a()
	h.Write([]byte(instance))
	return uids{first: int(h.Sum32() % Slots), used: map[int]bool{}, rest: map[int]time.Time{}}
}

// take finds a uid that nobody used lately.
func (u *uids) take(now time.Time) (int, error) {
	for i := range Slots {
		uid := FirstUID + (u.first+i)%Slots
		at, resting := u.rest[uid]
		if u.used[uid] || (resting && now.Sub(at) < uidRest) {
			continue
		}
		delete(u.rest, uid)
		u.used[uid] = true
		return uid, nil
	}
	return 0, fmt.Errorf("none of %d uids has rested for %s", Slots, uidRest)
}

// adopt marks a uid as used.
func (u *uids) adopt(uid int) { u.used[uid] = true }

func (u *uids) giveBack(uid int, now time.Time) {
	if u.used[uid] {
		delete(u.used, uid)
		u.rest[uid] = now
	}
}
