package labs

import "testing"

func TestNumbersStayWithTheirUnits(t *testing.T) {
	for text, want := range map[string]string{
		"about 100 ns, 100 × L1":        "about 100\u00a0ns, 100\u00a0× L1",
		"It took 3 µs, then 1 s.":       "It took 3\u00a0µs, then 1\u00a0s.",
		"8 MiB of stack":                "8\u00a0MiB of stack",
		"section 5 says, 4 msgs, 2 sum": "section 5 says, 4 msgs, 2 sum",
		"`sleep 1 s` takes 1 s":         "`sleep 1 s` takes 1\u00a0s",
	} {
		if got := Unbroken(text); got != want {
			t.Errorf("Unbroken(%q) = %q, want %q", text, got, want)
		}
	}
	html, problems := renderMarkdown([]byte("It takes 10 ms  \nor `sleep 10 ms`.\n\n```sh\nsleep 10 ms\n```\n"))
	want := "<p>It takes 10\u00a0ms<br>\nor <code>sleep 10 ms</code>.</p>\n<pre><code>sleep 10 ms\n</code></pre>\n"
	if string(html) != want || len(problems) > 0 {
		t.Errorf("got %q, %v; want %q", html, problems, want)
	}
}
