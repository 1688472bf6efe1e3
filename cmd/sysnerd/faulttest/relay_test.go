package faulttest

import (
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// relay is a line between a client and a server that can be spoilt.
type relay struct {
	listener        net.Listener
	network, target string // of the far side
	work            sync.WaitGroup

	mu     sync.Mutex
	moving *sync.Cond
	frozen bool // takes what comes, and passes nothing on
	delay  time.Duration
	closed bool
	conns  map[net.Conn]bool
}

// newRelay listens on one kind of network and stands before target, on another or the same.
func newRelay(t *testing.T, near, network, target string) *relay {
	t.Helper()
	at := "127.0.0.1:0"
	if near == "unix" {
		at = filepath.Join(t.TempDir(), "relay.sock")
	}
	l, err := net.Listen(near, at)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l, network: network, target: target, conns: map[net.Conn]bool{}}
	r.moving = sync.NewCond(&r.mu)
	r.work.Go(r.accept)
	t.Cleanup(r.close)
	return r
}

func (r *relay) address() string { return r.listener.Addr().String() }

func (r *relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial(r.network, r.target)
		if err != nil {
			near.Close()
			continue
		}
		r.mu.Lock()
		if r.closed {
			near.Close()
			far.Close()
		}
		r.conns[near], r.conns[far] = true, true
		r.mu.Unlock()
		r.work.Go(func() { r.pump(near, far) })
		r.work.Go(func() { r.pump(far, near) })
	}
}

func (r *relay) pump(from, to net.Conn) {
	defer func() {
		from.Close()
		to.Close()
		r.mu.Lock()
		delete(r.conns, from)
		r.mu.Unlock()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		r.mu.Lock()
		for r.frozen && r.conns[from] && !r.closed {
			r.moving.Wait()
		}
		delay, alive := r.delay, r.conns[from]
		r.mu.Unlock()
		if !alive {
			return
		}
		if n > 0 {
			time.Sleep(delay) // the fault itself
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut resets every connection.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		c.Close()
		delete(r.conns, c)
	}
	r.moving.Broadcast()
}

// freeze makes a black hole of it, or ends that.
func (r *relay) freeze(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frozen = yes
	r.moving.Broadcast()
}

// slow has every piece wait.
func (r *relay) slow(by time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = by
}

func (r *relay) close() {
	r.listener.Close()
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cut()
	r.work.Wait()
}
