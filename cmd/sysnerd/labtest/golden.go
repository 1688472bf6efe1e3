package labtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// GoldenSeed is the seed of every sandbox when what learners read is compared: the
// values that differ between sandboxes are the same then.
const GoldenSeed = "5eed0000000000000000000000005eed"

// What differs from run to run all the same. After some hours of a machine an inode has
// eight digits, as the shortest address has; /proc/PID/maps pads those with zeros.
var (
	longNumber = regexp.MustCompile(`\b[1-9]\d{7,10}\b`)
	anyAddress = regexp.MustCompile(`0x[0-9a-f]+|\b[0-9a-f]{8,16}\b`)
	anyNumber  = regexp.MustCompile(`\d+`)
)

// withoutNumbers is a text with N for each number and A for each address.
func withoutNumbers(text string) string {
	text = longNumber.ReplaceAllString(text, "N")
	text = anyAddress.ReplaceAllString(text, "A")
	return anyNumber.ReplaceAllString(text, "N")
}

// Golden holds what learners read, all of each lab's first repetition, against
// DIR/LAB.golden, or rewrites these files. Numbers there are N, addresses A. It returns
// the files that differ, with their first line that does.
func (r *Report) Golden(dir string, rewrite bool) (differ []string, err error) {
	texts := map[string]*strings.Builder{}
	var labs []string
	for _, t := range r.Tasks {
		if t.Repetition > 1 {
			continue
		}
		if texts[t.Lab] == nil {
			texts[t.Lab] = new(strings.Builder)
			labs = append(labs, t.Lab)
		}
		for _, s := range t.Steps {
			text := fmt.Sprintf("== %s %s: %s\n%s\nexpected %s\nobserved %s\nevidence %s\nhint     %s\n\n",
				t.Task, s.Name, s.Result.Status, s.Result.Message, s.Result.Expected, s.Result.Observed, s.Result.Evidence, s.Result.Hint)
			texts[t.Lab].WriteString(withoutNumbers(text))
		}
	}
	for _, lab := range labs {
		file := filepath.Join(dir, lab+".golden")
		got := texts[lab].String()
		if rewrite {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				return nil, err
			}
			continue
		}
		want, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			differ = append(differ, file+": is not there; look at what learners read by --verbose, then add --update")
			continue
		} else if err != nil {
			return nil, err
		}
		if line, a, b := firstDifference(string(want), got); line > 0 {
			differ = append(differ, fmt.Sprintf("%s:%d: holds %q, and it is %q now; look at it, then add --update", file, line, a, b))
		}
	}
	return differ, nil
}

// firstDifference is the first line, from 1, in which two texts differ, and what it is
// in each; 0 when they are the same.
func firstDifference(want, got string) (line int, a, b string) {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b = "", ""
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return i + 1, a, b
		}
	}
	return 0, "", ""
}
