package images

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLinesAreToldWholeHoweverTheyArrive(t *testing.T) {
	const text = "one\r\ntwo\n\nthree"
	for size := 1; size <= len(text); size++ {
		var told []string
		l := &lines{tell: func(line string) { told = append(told, line) }}
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			if _, err := l.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if diff := cmp.Diff([]string{"one", "two"}, told); diff != "" {
			t.Errorf("in pieces of %d (-want +got):\n%s", size, diff)
		}
		if got, want := l.tail(), "one\ntwo\nthree"; got != want {
			t.Errorf("tail() = %q, want %q", got, want)
		}
	}
}

func TestLinesKeepTheLastAndAreBounded(t *testing.T) {
	l := &lines{tell: func(string) {}}
	for i := range 100 {
		fmt.Fprintf(l, "line %d\n", i)
	}
	if got := l.tail(); !strings.HasPrefix(got, "line 85\n") || !strings.HasSuffix(got, "line 99") {
		t.Errorf("tail() = %q, want lines 85 to 99", got)
	}
	fmt.Fprint(l, strings.Repeat("x", 10*longestLine))
	if got := len(l.rest); got > longestLine {
		t.Errorf("after an endless line %d bytes wait, want at most %d", got, longestLine)
	}
}

func TestFollowReturnsTheEnginesError(t *testing.T) {
	var told []string
	err := follow(strings.NewReader(`{"stream":"Step 1/2\n"}{"status":"pulling"}{"error":"no space left on device"}`),
		func(line string) { told = append(told, line) })
	if err == nil || err.Error() != "no space left on device" {
		t.Errorf("follow = %v, want the engine's error", err)
	}
	if diff := cmp.Diff([]string{"Step 1/2"}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if err := follow(strings.NewReader(`{"stream":"cut o`), func(string) {}); err == nil {
		t.Error("follow of a report that was cut off: no error")
	}
}
