package labtest

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"sysnerd/labs"
)

// Report is what a run found.
type Report struct {
	Tasks   []*Task
	Untried int // tasks that the end of the run came before
	Took    time.Duration
}

// Task is one proof of one task.
type Task struct {
	Module, Lab, Task, Title string
	Repetition               int // from 1
	Steps                    []labs.Step
	Took                     time.Duration

	lab   *labs.Lab
	task  *labs.Task
	order int
}

// Name is how the task is called: LAB/TASK, and which time it is when not the first.
func (t *Task) Name() string {
	if t.Repetition > 1 {
		return fmt.Sprintf("%s/%s #%d", t.Lab, t.Task, t.Repetition)
	}
	return t.Lab + "/" + t.Task
}

// Held tells whether no step has a fault.
func (t *Task) Held() bool {
	for _, s := range t.Steps {
		if len(s.Faults) > 0 {
			return false
		}
	}
	return len(t.Steps) > 0
}

// Faults counts tasks that did not hold.
func (r *Report) Faults() (n int) {
	for _, t := range r.Tasks {
		if !t.Held() {
			n++
		}
	}
	return n
}

// JUnit's XML, as far as those who read it agree: a suite for each lab, a case for each
// step of each task.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
		seconds  float64
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
		Said    string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the report as JUnit's XML.
func (r *Report) WriteJUnit(w io.Writer) error {
	all := junitSuites{Name: "sysnerd lab test", Time: seconds(r.Took.Seconds())}
	at := map[string]int{}
	for _, t := range r.Tasks {
		name := t.Module + "/" + t.Lab
		i, ok := at[name]
		if !ok {
			i = len(all.Suites)
			at[name] = i
			all.Suites = append(all.Suites, junitSuite{Name: name})
		}
		suite := &all.Suites[i]
		for _, s := range t.Steps {
			c := junitCase{
				Class: t.Module + "." + t.Lab + "." + t.Task, Name: strings.TrimPrefix(t.Name(), t.Lab+"/") + " " + s.Name,
				Time: seconds(s.Took.Seconds()), Said: printable(s.Result.Message),
			}
			suite.Tests++
			suite.seconds += s.Took.Seconds()
			if len(s.Faults) > 0 {
				suite.Failures++
				c.Failure = &junitFailure{Message: printable(s.Faults[0]), Text: printable(strings.Join(s.Faults, "\n"))}
			}
			suite.Cases = append(suite.Cases, c)
		}
	}
	for i := range all.Suites {
		s := &all.Suites[i]
		s.Time = seconds(s.seconds)
		all.Tests += s.Tests
		all.Failures += s.Failures
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }

// printable takes out what XML cannot hold.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
