package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sysnerd/images"
	"sysnerd/sandbox"
	"sysnerd/sandbox/docker"
)

// onDocker is a server whose sandboxes have limits of their own, and the option
// that gives another server the same ones.
func onDocker(t *testing.T, options ...option) (h *house, own option) {
	t.Helper()
	image, err := images.Tag()
	if err != nil {
		t.Fatalf("%v; build guest and image with: make image", err)
	}
	instance := "web" + strings.ToLower(rand.Text()[:8])
	own = func(k *sandbox.KeeperConfig, _ *Config) { k.Instance = instance }
	engine, err := docker.Open(t.Context(), docker.Config{Instance: instance})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		left, err := engine.List(context.Background())
		for _, l := range left {
			if err := engine.Remove(context.Background(), l.ID); err != nil {
				t.Error(err)
			}
		}
		if err != nil {
			t.Error(err)
		}
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return open(t, engine, image, t.TempDir(), append(options, own)...), own
}

// sampled waits for a sample for which is is true.
func sampled(s *stream, what string, is func(memory map[string]any, kills []any) bool) {
	s.tb.Helper()
	s.until(what, func(e event) bool {
		if e.name != "sample" {
			return false
		}
		memory, _ := e.data["memory"].(map[string]any)
		kills, _ := e.data["kills"].([]any)
		return is(memory, kills)
	})
}

func TestMovedLimitIsTheKernelsOwn(t *testing.T) {
	h, own := onDocker(t, movable(t))
	p, other := h.learner(), h.learner()
	box, bystander := p.claim("two"), other.claim("two")
	beside := other.terminal(bystander, "")
	beside.until("$ ")
	beside.typed("mine=4''2; echo rea''dy\n")
	beside.until("ready")

	kernel := p.listen("/api/v1/sandboxes/" + box.ID + "/kernel")
	events := p.listen("/api/v1/sandboxes/" + box.ID + "/events")
	limit := func(bytes int) func(map[string]any, []any) bool {
		return func(memory map[string]any, _ []any) bool { return memory["limit"] == float64(bytes) }
	}
	sampled(kernel, "256 MiB in the kernel", limit(256<<20))
	shell := p.terminal(box, "")
	shell.until("$ ")

	// The same program that dies at the wall runs to its end once that was moved.
	// It alone asks for memory, so that it alone is ended.
	const hog = "dd if=/dev/zero of=/dev/null bs=300M count=1 2>/dev/null; echo \"ended $?.\"\n"
	shell.typed(hog)
	shell.until("ended 137.")
	killed := events.until("the kill", func(e event) bool { return e.name == "oom" })
	if killed.data["count"] != 1.0 || killed.data["command"] != "dd" || killed.data["pid"] == 0.0 ||
		killed.data["rss"].(float64) < 200<<20 || killed.data["limit"] != float64(256<<20) {
		t.Errorf("told of %v", killed.data)
	}
	sampled(kernel, "the kill in a sample", func(_ map[string]any, kills []any) bool { return len(kills) == 1 })
	if got := p.moveLimit(box, fmt.Sprintf(`{"memory":%d}`, 512<<20)); got.status != http.StatusOK {
		t.Fatalf("raise = %d %s", got.status, got.body)
	}
	sampled(kernel, "512 MiB in the kernel", limit(512<<20))
	shell.typed(hog)
	shell.until("ended 0.")

	// What is held can't be taken back: refused with the figure, and nothing is changed.
	shell.typed("{ head -c 300M /dev/zero; sleep 60; } | tail >/dev/null &\n")
	sampled(kernel, "250 MiB in use", func(memory map[string]any, _ []any) bool { return memory["used"].(float64) > 290<<20 })
	got := p.moveLimit(box, fmt.Sprintf(`{"memory":%d}`, 224<<20))
	if got.status != http.StatusConflict || !strings.Contains(got.problem().Detail, "MiB are in use") || !strings.Contains(got.problem().Detail, "stays at 512 MiB") {
		t.Errorf("lower below use = %d %s", got.status, got.body)
	}
	sampled(kernel, "512 MiB still", limit(512<<20))

	// The truth is the container's: the store may know another number.
	attempt, _, err := h.store.Attempt(t.Context(), box.ID)
	if err != nil {
		t.Fatal(err)
	}
	attempt.Memory = 256 << 20
	if err := h.store.SaveAttempt(t.Context(), attempt); err != nil {
		t.Fatal(err)
	}
	h.stop()
	q := &person{open(t, h.engine, h.image, h.dir, movable(t), own), p.client}
	kernel = q.listen("/api/v1/sandboxes/" + box.ID + "/kernel")
	kernel.until("the limit after a restart", func(e event) bool { return e.name == "limits" && e.data["memory"] == float64(512<<20) })
	sampled(kernel, "the kill after a restart", func(_ map[string]any, kills []any) bool { return len(kills) == 1 })
	if got := q.call("POST", "/api/v1/sandboxes/"+box.ID+"/reset", nil); got.status != http.StatusOK {
		t.Fatalf("reset = %d %s", got.status, got.body)
	}
	sampled(kernel, "256 MiB after the reset, and no kill", func(memory map[string]any, kills []any) bool {
		return memory["limit"] == float64(256<<20) && len(kills) == 0
	})
	if got := q.moveLimit(box, fmt.Sprintf(`{"memory":%d}`, 224<<20)); got.status != http.StatusOK {
		t.Fatalf("lower = %d %s", got.status, got.body)
	}
	sampled(kernel, "224 MiB in the kernel", limit(224<<20))

	// Nobody else felt anything of it.
	r := &person{q.house, other.client}
	again := r.terminal(bystander, "")
	again.typed("echo $mine-stands\n")
	again.until("42-stands")
	sampled(r.listen("/api/v1/sandboxes/"+bystander.ID+"/kernel"), "no kill beside", func(memory map[string]any, kills []any) bool {
		return memory["oom_kills"] == 0.0 && len(kills) == 0 && memory["limit"] == float64(256<<20)
	})
}
