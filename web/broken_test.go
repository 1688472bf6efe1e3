package web

import (
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"sysnerd/labs"
	"sysnerd/sandbox"
)

// badChecks are checks that break, each in another way. What they leave running
// sleeps for 31 and some seconds, so that it can be told from all else.
var badChecks = map[string]string{
	"hangs":                 "sleep 3101\n",
	"hangs-on-a-fifo":       "mkfifo /tmp/bad-fifo; read -r x </tmp/bad-fifo\n",
	"forks":                 "for i in 1 2 3 4 5 6 7 8; do sleep 3102 & done; sleep 3102\n",
	"double-forks":          "(setsid sleep 3103 </dev/null >/dev/null 2>&1 &)\n(env -i setsid bash -c 'sleep 3103 & sleep 3103' &)\nexit 9\n",
	"ignores-term":          "trap '' TERM HUP INT; while :; do sleep 3104; done\n",
	"prints-1-gb":           "head -c 1000000000 /dev/zero; exit 1\n",
	"prints-1-gb-of-errors": "head -c 1000000000 /dev/zero >&2; exit 1\n",
	"dies-of-a-signal":      "kill -SEGV $$\n",
	"exits-with-126":        "exit 126\n",
	"exits-with-127":        "no-such-command; exit\n",
	"exits-with-255":        "exit 255\n",
	"not-utf-8":             "printf 'a\\xff\\n'; exit 1\n",
	"says-nothing":          "exit 1\n",
	"does-not-parse":        "if true; fail x\n",
}

// TestBadChecksAreOursAndLeaveNothing runs them in a real guest: each is broken and
// never "not yet", is ended within its time with all that it started, is counted,
// and the next check is none the worse for it.
func TestBadChecksAreOursAndLeaveNothing(t *testing.T) {
	files := course()
	for name := range files {
		if !strings.Contains(name, "/labs/") && name != "os/module.yaml" || strings.Contains(name, "/tasks/") {
			delete(files, name)
		}
	}
	put := func(id, check string) {
		for _, lab := range []string{"01-one", "02-two"} {
			dir := "os/labs/" + lab + "/tasks/" + id
			for name, text := range map[string]string{
				"task.md": "---\nschema: 1\ntitle: Bad\nwhy: So.\n---\nDo it.\n", "check.sh": check, "solve.sh": "true\n", "solution.md": "None.\n",
			} {
				files[dir+"/"+name] = &fstest.MapFile{Data: []byte(text)}
			}
		}
	}
	for id, check := range badChecks {
		put(id, check)
	}
	put("leaves-a-daemon", "(setsid sleep 3105 </dev/null >/dev/null 2>&1 &)\npass 'Passed, and something runs on.'\n")
	put("good", "pass 'It is well.'\n")
	library, problems := labs.Load(files)
	for _, p := range problems {
		t.Fatal(p)
	}
	h := build(t, func(_ *sandbox.KeeperConfig, c *Config) { c.Library = func() *labs.Library { return library } })
	p := h.learner()
	box := p.claim("one")
	var at sync.WaitGroup
	for id := range badChecks {
		at.Go(func() {
			t.Run(id, func(t *testing.T) {
				got := p.call("POST", "/api/v1/sandboxes/"+box.ID+"/check", map[string]string{"task": id})
				r := p.one(got)
				if r.Status != labs.Broken || r.Attempted || r.Reference == "" || !strings.Contains(r.Message, "our fault") {
					t.Errorf("check = %s", got.body)
				}
				if len(got.body) > 1000 {
					t.Errorf("the learner gets %d bytes of it", len(got.body))
				}
				metrics := string(p.call("GET", "/metrics", nil).body)
				if want := `sysnerd_broken_checks_total{task="os/one/` + id + `"} 1`; !strings.Contains(metrics, want) {
					t.Errorf("metrics lack %s", want)
				}
			})
		})
	}
	at.Wait()
	if r := p.check(box, "leaves-a-daemon"); r.Status != labs.Pass {
		t.Errorf("leaves-a-daemon: %+v", r)
	}
	if r := p.check(box, "good"); r.Status != labs.Pass {
		t.Errorf("good: %+v", r)
	}
	inside, err := h.keeper.Get(box.ID)
	if err != nil {
		t.Fatal(err)
	}
	left, err := inside.Run(t.Context(), sandbox.Run{Script: []byte(`for f in /proc/[0-9]*/cmdline; do { tr '\0' ' ' <"$f"; echo; } 2>/dev/null; done | grep '^sleep 31'` + "\n")})
	if err != nil || left.Exit != 1 {
		t.Errorf("left running: %s%s, %v", left.Stdout, left.Stderr, err)
	}
	for _, task := range p.tasks() {
		if id := task.ID; badChecks[id] != "" && (task.Progress.Last != nil || task.Progress.Tries != 0) {
			t.Errorf("%s was counted: %+v", id, task.Progress)
		}
	}
}
