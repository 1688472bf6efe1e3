package labs

import (
	"context"
	"fmt"
	"html/template"
	"time"

	"sysnerd/sandbox"
)

// Library is a set of modules, loaded and linted. It never changes once loaded.
type Library struct{ Modules []*Module }

// Module is a course: its sections and labs, in order.
type Module struct {
	ID, Title, Summary string
	Minutes            int
	Outline            []Promise  // its sections, also those whose text is not there
	Sections           []*Section // whose text is there and sound
	Gauntlet           []Question
	Terms              []Term
	Facts              []Fact
	Labs               []*Lab
	dir                string // folder, below the root of what was loaded
}

// Promise is a section as module.yaml names it.
type Promise struct {
	Number int
	ID     string // may be ""
	Title  string
}

// Lab is one lab of a module.
type Lab struct {
	ID, Module, Title, Level string // level: warm-up, core, debug
	Summary                  string
	Minutes, Section         int
	SectionTitle             string
	Intro                    template.HTML // lab.md, rendered; raw HTML off
	Tasks                    []*Task
	Limits                   sandbox.Limits
	Lifetime                 time.Duration // 0 means the server's
	setup, cleanup           []byte
	dir                      string // folder, below the root of what was loaded
}

// Task is one piece of a lab with its own check.
type Task struct {
	ID, Title string
	Mode      string        // once: a pass stays; while: true at the moment
	Needs     []string      // tasks that come first
	Goal      template.HTML // task.md's body, rendered
	Predict   *Predict
	Hints     []template.HTML
	Section   int
	Answer    bool          // the page shows a field for `answer`
	Solution  template.HTML // never in the page before it is asked for
	Why       template.HTML // the author's answer to "Why did it work?", shown after a pass
	Programs  []string      // in images/programs; the source of each may be read after a pass
	check     []byte
	solve     []byte
	wrong     []Wrong
}

// Modes of a task.
const (
	Once  = "once"
	While = "while"
)

// Predict is asked before the task is tried.
type Predict struct {
	Question string
	Options  []string
	Answer   string // "" when it depends on the sandbox: the check tells it as Outcome
}

// Wrong is an attempt that must fail with this message.
type Wrong struct{ Name, Message, Script string }

// Problem is a defect of the content, with its place and its cure.
type Problem struct {
	File, Cure, Reason string
	Line               int // from 1; 0 for the file as a whole
}

func (p Problem) String() string {
	place := p.File
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	if p.Cure == "" {
		return place + ": " + p.Reason
	}
	return place + ": " + p.Reason + "; " + p.Cure
}

// Status of a check.
type Status string

const (
	Pass   Status = "pass"
	Fail   Status = "fail"   // not yet
	Broken Status = "broken" // our fault and never the learner's
	// Interrupted says nothing of the task: the sandbox did not answer, or ended
	// meanwhile.
	Interrupted Status = "interrupted"
)

// Result is what a check found; the JSON is the API's.
type Result struct {
	Task      string `json:"task"`
	Status    Status `json:"status"`
	Attempted bool   `json:"attempted"`
	Message   string `json:"message"`
	Expected  string `json:"expected,omitempty"`
	Observed  string `json:"observed,omitempty"`
	Evidence  string `json:"evidence,omitempty"` // a harmless command
	Hint      string `json:"hint,omitempty"`
	Outcome   string `json:"outcome,omitempty"` // of what was to be predicted, when it depends on the sandbox
	Section   int    `json:"section,omitempty"`
	Ms        int64  `json:"ms"`
	Reference string `json:"reference,omitempty"` // of a broken check, as in the log
	// Fault is why a check broke or was interrupted, and what it printed. It is for
	// the lab's author; no learner ever gets it.
	Fault string `json:"-"`
}

// Target is the sandbox that a check looks into; *sandbox.Sandbox is one.
type Target interface {
	Run(ctx context.Context, r sandbox.Run) (sandbox.RunResult, error)
	Journal(since int64) []sandbox.Command
	UID() int          // the learner's
	Missing() []string // what the sandbox lacks: "accounting", "inotify"
}

var _ Target = (*sandbox.Sandbox)(nil)

// Attempt is what a check has to know beside the sandbox.
type Attempt struct {
	Seed    string            // hex, random per sandbox
	Answers map[string]string // task → what was submitted last
}

// Module returns the module of that id.
func (l *Library) Module(id string) (*Module, bool) {
	for _, m := range l.Modules {
		if m.ID == id {
			return m, true
		}
	}
	return nil, false
}

// Lab returns the lab of that id.
func (m *Module) Lab(id string) (*Lab, bool) {
	for _, l := range m.Labs {
		if l.ID == id {
			return l, true
		}
	}
	return nil, false
}

// Task returns the task of that id.
func (l *Lab) Task(id string) (*Task, bool) {
	for _, t := range l.Tasks {
		if t.ID == id {
			return t, true
		}
	}
	return nil, false
}
