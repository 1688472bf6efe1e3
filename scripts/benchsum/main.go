// Command benchsum runs benchmarks and prints what they measured as a table. A
// metric whose name ends in ≤N or ≥N is held against N; missing one is told, and
// is no failure: how fast a machine is depends on what else it does.
//
//	go run ./scripts/benchsum go test -bench . ./...
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// result is "BenchmarkName-CPUS  N  VALUE UNIT  VALUE UNIT …".
var result = regexp.MustCompile(`^(Benchmark\S+?)(-\d+)?\s+\d+\s+(.+)$`)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: benchsum command args...")
		os.Exit(2)
	}
	c := exec.Command(os.Args[1], os.Args[2:]...)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchsum:", err)
		os.Exit(1)
	}
	fmt.Printf("%-36s %-28s %10s  %-8s %s\n", "BENCHMARK", "METRIC", "VALUE", "TARGET", "")
	missed, held := 0, 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		text := lines.Text()
		switch m := result.FindStringSubmatch(text); {
		case m != nil:
			for _, r := range rows(m[3]) {
				fmt.Printf("%-36s %-28s %10s  %-8s %s\n", strings.TrimPrefix(m[1], "Benchmark"), r.metric, r.value, r.target, r.verdict)
				if r.target != "" {
					held++
				}
				if r.verdict == "missed" {
					missed++
				}
			}
		case strings.HasPrefix(text, "ok "), strings.HasPrefix(text, "?"), strings.HasPrefix(text, "goos"), strings.HasPrefix(text, "goarch"),
			strings.HasPrefix(text, "pkg:"), text == "PASS", strings.Contains(text, "no test files"):
		default:
			fmt.Println(text)
		}
	}
	fmt.Printf("%d of %d targets met\n", held-missed, held)
	if err := c.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, "benchsum:", err)
		os.Exit(1)
	}
}

type row struct{ metric, value, target, verdict string }

// rows takes apart "VALUE UNIT VALUE UNIT …". Allocations count where time does.
func rows(text string) (all []row) {
	f := strings.Fields(text)
	for i := 0; i+1 < len(f); i += 2 {
		r := row{metric: f[i+1], value: f[i]}
		value, err := strconv.ParseFloat(f[i], 64)
		if err != nil || value == 0 && r.metric == "ns/op" {
			continue
		}
		for _, sign := range []string{"≤", "≥"} {
			name, bound, ok := strings.Cut(r.metric, sign)
			if !ok {
				continue
			}
			most, _ := strconv.ParseFloat(bound, 64)
			r.metric, r.target, r.verdict = name, sign+bound, "met"
			if sign == "≤" && value > most || sign == "≥" && value < most {
				r.verdict = "missed"
			}
		}
		all = append(all, r)
	}
	return all
}
