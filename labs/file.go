package labs

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sysnerd/sandbox"
)

// schemaVersion is what every YAML file says first.
const schemaVersion = 1

// moduleFile is module.yaml.
type moduleFile struct {
	Schema   int            `yaml:"schema"`
	ID       string         `yaml:"id"`
	Title    string         `yaml:"title"`
	Summary  string         `yaml:"summary"`
	Minutes  int            `yaml:"minutes"`
	Sections []sectionTitle `yaml:"sections"`
}

// sectionTitle names a section that labs point to.
type sectionTitle struct {
	Number int    `yaml:"number"`
	ID     string `yaml:"id"` // "" where it is never to be a text
	Title  string `yaml:"title"`
}

// outline are the sections that are promised, in their order.
func (f moduleFile) outline() (all []Promise) {
	for _, s := range f.Sections {
		all = append(all, Promise(s))
	}
	slices.SortStableFunc(all, func(a, b Promise) int { return a.Number - b.Number })
	return all
}

// labFile is lab.yaml.
type labFile struct {
	Schema   int        `yaml:"schema"`
	Title    string     `yaml:"title"`
	Summary  string     `yaml:"summary"`
	Level    string     `yaml:"level"`
	Minutes  int        `yaml:"minutes"`
	Section  int        `yaml:"section"`
	Lifetime string     `yaml:"lifetime"`
	Image    string     `yaml:"image"`   // "" or standard: there is no other yet
	Profile  string     `yaml:"profile"` // likewise
	Limits   limitsFile `yaml:"limits"`
}

// standard is the image and the profile that every lab has.
const standard = "standard"

// limitsFile is what a lab asks for instead of sandbox.DefaultLimits.
type limitsFile struct {
	Memory           string  `yaml:"memory"`      // "256 MiB"
	MemoryLow        string  `yaml:"memory-low"`  // the page may move memory down to this
	MemoryHigh       string  `yaml:"memory-high"` // and up to this; without both it is fixed
	CPUs             float64 `yaml:"cpus"`
	Processes        int     `yaml:"processes"`
	LearnerProcesses int     `yaml:"learner-processes"`
	Home             string  `yaml:"home"`
	Tmp              string  `yaml:"tmp"`
	Inodes           int     `yaml:"inodes"`
}

// taskFile is the front matter of task.md.
type taskFile struct {
	Schema   int          `yaml:"schema"`
	Title    string       `yaml:"title"`
	Mode     string       `yaml:"mode"`
	Needs    []string     `yaml:"needs"`
	Answer   bool         `yaml:"answer"`
	Predict  *predictFile `yaml:"predict"`
	Hints    []string     `yaml:"hints"` // Markdown
	Why      string       `yaml:"why"`   // Markdown
	Programs []string     `yaml:"programs"`
	Section  int          `yaml:"section"`
}

type predictFile struct {
	Question string   `yaml:"question"`
	Options  []string `yaml:"options"`
	Answer   string   `yaml:"answer"`
}

var levels = []string{"warm-up", "core", "debug"}

// limits fills in what the lab does not ask for.
func (f limitsFile) limits() (sandbox.Limits, error) {
	l := sandbox.DefaultLimits()
	for _, size := range []struct {
		key, text string
		to        *int64
	}{{"memory", f.Memory, &l.Memory}, {"memory-low", f.MemoryLow, &l.MemoryLow}, {"memory-high", f.MemoryHigh, &l.MemoryHigh}, {"home", f.Home, &l.Home}, {"tmp", f.Tmp, &l.Tmp}} {
		if size.text == "" {
			continue
		}
		n, err := parseSize(size.text)
		if err != nil {
			return l, fmt.Errorf("%s: %w", size.key, err)
		}
		*size.to = n
	}
	if f.CPUs != 0 {
		l.CPUs = f.CPUs
	}
	for _, count := range []struct {
		value int
		to    *int
	}{{f.Processes, &l.Processes}, {f.LearnerProcesses, &l.LearnerProcesses}, {f.Inodes, &l.Inodes}} {
		if count.value != 0 {
			*count.to = count.value
		}
	}
	if (l.MemoryLow == 0) != (l.MemoryHigh == 0) {
		return l, errors.New("memory-low and memory-high are the two ends of a range; name both or neither")
	}
	if err := l.Check(); err != nil {
		return l, err
	}
	return l, l.CheckTmpfs()
}

// parseSize reads "32 MiB".
func parseSize(text string) (int64, error) {
	number, unit, _ := strings.Cut(strings.TrimSpace(text), " ")
	shift, known := map[string]int{"KiB": 10, "MiB": 20, "GiB": 30}[unit]
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || n < 1 || !known {
		return 0, fmt.Errorf("%q is no size; write it like 32 MiB", text)
	}
	return n << shift, nil
}

// parseLifetime reads "90m"; "" is 0.
func parseLifetime(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Minute {
		return 0, fmt.Errorf("lifetime %q: want a time of a minute or more, like 90m", text)
	}
	return d, nil
}
