package labs

import (
	"slices"
	"strings"
	"testing"
)

func TestMovesSayWhatALearnerDoes(t *testing.T) {
	all, err := moves("#@ tab 2\n#@ start sleep 100\n#@ interrupt\necho a\n#@ memory 512 MiB\n#@ evidence-differs it moves on\n")
	want := []move{{"tab", "2"}, {"start", "sleep 100"}, {"interrupt", ""}, {"", "echo a"}, {"memory", "512 MiB"}, {"evidence-differs", "it moves on"}}
	if err != nil || !slices.Equal(all, want) {
		t.Errorf("moves = %q, %v; want %q", all, err, want)
	}
	for _, bad := range []string{"#@ tab 10", "#@ tab", "#@ memory lots", "#@ start", "#@ evidence-differs", "#@ interrupt now", "#@ wait 3", "#@ "} {
		if _, err := moves(bad); err == nil || !strings.HasPrefix(err.Error(), `"#@ `) {
			t.Errorf("moves(%q): %v, want an error that holds it", bad, err)
		}
	}
}

func TestCommentsAreNotTyped(t *testing.T) {
	if got, want := typed([]byte("#!/bin/bash\n# A word.\n\necho '# b'\n  # c\n#@ tab 2\n")), "echo '# b'\n#@ tab 2\n"; got != want {
		t.Errorf("typed = %q, want %q", got, want)
	}
	if message, _ := wrongMessage("#!/bin/bash\n# shellcheck disable=SC1\n#@ tab 2\n# It is so.\nx\n"); message != "It is so." {
		t.Errorf("message = %q", message)
	}
}

func TestObservedValues(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"no table in what the command printed", nil},
		{"61 single lines", []string{"61"}},
		{"`/etc/hosts`, 2 times 1,024 bytes, 0.5 s", []string{"/etc/hosts", "0.5", "1024", "2"}},
		{"status 3 of `ls -l 5`", []string{"3", "ls -l 5"}},
	} {
		if got := observedValues(c.text); !slices.Equal(got, c.want) {
			t.Errorf("observedValues(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestAValueIsAWordOfItsOwn(t *testing.T) {
	for _, c := range []struct {
		text, value string
		want        bool
	}{
		{"142 422 42", "42", true}, {"142 422", "42", false}, {"pid=42,", "42", true}, {"a42", "42", false},
		{"/etc/hosts.allow", "/etc/hosts", true}, {"x /etc/hosts", "/etc/hosts", true}, {"", "a", false},
	} {
		if got := holds(c.text, c.value); got != c.want {
			t.Errorf("holds(%q, %q) = %v, want %v", c.text, c.value, got, c.want)
		}
	}
}
