package spelling

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"memory", "title", "minutes", "tmp"}
	for word, want := range map[string]string{
		"titel": "title", "memroy": "memory", "minute": "minutes", "tmp": "tmp", "": "tmp",
		strings.Repeat("title", 100_000): "title", // a long one costs no time
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", word, got, want)
		}
	}
	if got := Nearest("x", []string{"ab", "cd"}); got != "ab" {
		t.Errorf("of equals the first is nearest, got %q", got)
	}
	if got := Nearest("x", nil); got != "" {
		t.Errorf("nothing known, and yet %q", got)
	}
}
