package web

import (
	"encoding/json"
	"fmt"
	"sync"
)

// maxWaiting is how many messages a listener may be behind before it is let go.
// A browser comes back by itself, and is told the present state.
const maxWaiting = 64

// audience is all who listen to one thing. Telling them never blocks.
type audience struct {
	joined chan struct{} // holds one when somebody came; room for one

	mu     sync.Mutex
	all    map[*listener]bool
	closed bool
}

// listener gets messages until the channel is closed: it left, was too slow, or
// there is nothing more to tell.
type listener struct {
	messages chan []byte
}

func newAudience() *audience {
	return &audience{joined: make(chan struct{}, 1), all: map[*listener]bool{}}
}

func (a *audience) join() *listener {
	l := &listener{messages: make(chan []byte, maxWaiting)}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		close(l.messages)
		return l
	}
	a.all[l] = true
	select {
	case a.joined <- struct{}{}:
	default:
	}
	return l
}

func (a *audience) leave(l *listener) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop(l)
}

// drop is called with mu held.
func (a *audience) drop(l *listener) {
	if a.all[l] {
		delete(a.all, l)
		close(l.messages)
	}
}

// tell sends an event to all.
func (a *audience) tell(name string, data any) {
	message := eventOf(name, data)
	a.mu.Lock()
	defer a.mu.Unlock()
	for l := range a.all {
		select {
		case l.messages <- message:
		default:
			a.drop(l)
		}
	}
}

func (a *audience) any() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.all) > 0
}

func (a *audience) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for l := range a.all {
		a.drop(l)
	}
}

// eventOf is an event as it goes over the wire. JSON has no line breaks of its own.
func eventOf(name string, data any) []byte {
	body, err := json.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("encode event %s: %v", name, err)) // our own plain types
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, body)
}
