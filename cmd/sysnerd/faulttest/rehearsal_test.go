package faulttest

import (
	"context"
	"strings"
	"testing"
	"time"

	"sysnerd/cmd/sysnerd/rehearse"
)

// TestRehearsal plays a class of 20 while the server is killed, and then what runs the
// sandboxes: nothing that the learners' terminals showed was lost, came twice, or was wrong.
func TestRehearsal(t *testing.T) {
	t.Run("docker", func(t *testing.T) {
		testRehearsal(t, own, time.Minute, func(*server) {
			own.kill()
			time.Sleep(2 * time.Second)
			if err := own.start(true); err != nil {
				t.Fatal(err)
			}
		})
	})
	t.Run("local", func(t *testing.T) {
		testRehearsal(t, daemonless{}, 40*time.Second, func(s *server) {
			s.killHelper() // and so the server
			time.Sleep(2 * time.Second)
			s.start()
		})
	})
}

// testRehearsal has then follow the kill of the server, some seconds later.
func testRehearsal(t *testing.T, on runner, length time.Duration, then func(*server)) {
	s := newServer(t, on, "--sandbox-capacity", "20", "--sandbox-pool", "0")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	report := make(chan *rehearse.Report, 1)
	go func() {
		r, err := rehearse.Run(ctx, rehearse.Config{URL: "http://" + s.address, Learners: 20, Time: length, Arrive: 5 * time.Second, Haste: 2, Outages: true})
		if err != nil {
			t.Errorf("rehearse: %v", err)
		}
		report <- r
	}()
	if !eventually(30*time.Second, func() bool { return s.metric("sysnerd_terminals_attached") == 20 }) {
		t.Errorf("%v terminals are open, want 20", s.metric("sysnerd_terminals_attached"))
	}
	time.Sleep(5 * time.Second) // they work
	// Some leave and come back all the time: it is to hit most of them.
	if !eventually(20*time.Second, func() bool { return s.metric("sysnerd_terminals_attached") >= 18 }) {
		t.Errorf("%v terminals are open, want 18", s.metric("sysnerd_terminals_attached"))
	}
	s.kill()
	time.Sleep(2 * time.Second)
	s.start()
	time.Sleep(8 * time.Second)
	then(s)
	r := <-report
	if r == nil {
		return
	}
	var text strings.Builder
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())
	if c := r.Counts; c.Claimed != 20 || c.Cut < 15 || c.Lost != 0 || c.Repeated != 0 || c.Wrong != 0 || c.Broken != 0 || c.Kept != 0 || len(r.Errors) > 0 {
		t.Errorf("counts = %+v, errors %v", c, r.Errors)
	}
}
