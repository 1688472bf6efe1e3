// The guest is PID 1 of every sandbox. Under the name `answer` it is the program
// with which a learner submits what he found out.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"sysnerd/sandbox/guest"
)

func main() {
	if filepath.Base(os.Args[0]) == "answer" {
		os.Exit(guest.Answer(os.Args[1:], os.Stdout))
	}
	if err := guest.Main(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(1)
	}
}
