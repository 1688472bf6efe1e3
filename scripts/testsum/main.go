// Command testsum runs go test and prints, instead of what each test says, one line for
// each: "PASS package Test", "FAIL …", "SKIP …". Of a test that failed it prints all.
// It exits with 1 if any failed or was skipped: a test that did not run proved nothing.
//
//	testsum -- -race ./...
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// event is one line of go test -json (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string
	Output     string
	Elapsed    float64 // seconds
}

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	bad, err := run(args, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
	}
	if err != nil || bad > 0 {
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) (bad int, err error) {
	cmd := exec.Command("go", slices.Concat([]string{"test", "-json"}, args)...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	bad, err = summarize(events, out)
	if err != nil {
		_, _ = io.Copy(io.Discard, events) // else go test blocks
	}
	// Its status says no more than the events did, unless there were none.
	if failed := cmd.Wait(); failed != nil && bad == 0 && err == nil {
		err = failed
	}
	return bad, err
}

// summarize turns events into lines and counts those that are not passes.
func summarize(events io.Reader, out io.Writer) (bad int, err error) {
	said := map[string]*strings.Builder{} // by package and test; "" is the package's own
	in := bufio.NewReader(events)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				// What go test prints outside of the stream, such as a broken go.mod.
				fmt.Fprint(out, string(line))
				continue
			}
			bad += e.print(said, out)
		}
		if err == io.EOF {
			return bad, nil
		}
		if err != nil {
			return bad, fmt.Errorf("read from go test: %w", err)
		}
	}
}

// print adds e to what was said, or, if it ends a test, prints it. It returns 1 for a
// test or a package that did not pass.
func (e event) print(said map[string]*strings.Builder, out io.Writer) int {
	key := e.Package + " " + e.Test
	name := strings.TrimSpace(key)
	switch e.Action {
	case "output", "build-output":
		if e.Action == "build-output" {
			fmt.Fprint(out, e.Output)
			return 0
		}
		if said[key] == nil {
			said[key] = &strings.Builder{}
		}
		said[key].WriteString(e.Output)
	case "pass":
		delete(said, key)
		if e.Test != "" {
			fmt.Fprintf(out, "PASS %s (%.2f s)\n", name, e.Elapsed)
		}
	case "skip":
		if e.Test == "" {
			return 0 // a package without tests
		}
		e.tell(said, key, out)
		fmt.Fprintf(out, "SKIP %s\n", name)
		return 1
	case "fail":
		e.tell(said, key, out)
		fmt.Fprintf(out, "FAIL %s (%.2f s)\n", name, e.Elapsed)
		return 1
	}
	return 0
}

func (e event) tell(said map[string]*strings.Builder, key string, out io.Writer) {
	if text := said[key]; text != nil {
		fmt.Fprint(out, text.String())
	}
	delete(said, key)
}
