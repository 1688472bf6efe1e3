package images

import (
	_ "embed"
	"strings"
)

// commands.txt is written by a test, which holds it against the image itself.
//
//go:embed commands.txt
var commands string

// Commands are the programs that a learner finds in the image by their names. Packages
// differ between distributions: the list is that of the one in its first line.
func Commands() (names []string) {
	for line := range strings.Lines(commands) {
		if name := strings.TrimSpace(line); name != "" && !strings.HasPrefix(name, "#") {
			names = append(names, name)
		}
	}
	return names
}
