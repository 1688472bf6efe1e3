package service

import (
	"strings"
	"testing"

	"sysnerd/sandbox"
)

// Who runs sandboxes as an ordinary user reads what is lost, and no more than that.
func TestNotice(t *testing.T) {
	if lines := notice(nil); len(lines) > 0 {
		t.Errorf("without gaps it says %q", lines)
	}
	limited := strings.Join(notice([]sandbox.Gap{{Name: "accounting"}}), "\n")
	unlimited := strings.Join(notice([]sandbox.Gap{{Name: "accounting"}, {Name: "limit-memory"}, {Name: "oom-child"}, {Name: "limit-pids"}}), "\n")
	for text, want := range map[string]bool{
		"for you alone": true, "Not for a class": true, "one process of yours": true, "No record of processes": true,
		"No limit of memory, processes: ": false, "running out of memory does not start": false,
	} {
		if strings.Contains(limited, text) != want || !strings.Contains(unlimited, text) {
			t.Errorf("%q, and without a cgroup %q; want %q in the latter, and in the former: %t", limited, unlimited, text, want)
		}
	}
}
