package labs

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// Question is one of the interview gauntlet.
type Question struct {
	ID       string
	Number   int    // from 1
	Name     string // in a few words, or ""
	Question string
	Probing  string   // what is really asked
	Points   []string // what a good answer says, for the learner to mark himself
	Answer   string   // made to be said aloud
	Traps    []Trap
	See      []Place // where it can be seen
	Section  int
}

// Trap is a question that follows, and its answer.
type Trap struct{ Ask, Answer string }

type gauntletFile struct {
	Schema    int            `yaml:"schema"`
	Questions []questionFile `yaml:"questions"`
}

type questionFile struct {
	ID       string     `yaml:"id"`
	Name     string     `yaml:"name"`
	Question string     `yaml:"question"`
	Probing  string     `yaml:"probing"`
	Points   []string   `yaml:"points"`
	Answer   string     `yaml:"answer"`
	Traps    []trapFile `yaml:"traps"`
	See      []string   `yaml:"see"`
	Section  int        `yaml:"section"`
}

type trapFile struct {
	Ask    string `yaml:"ask"`
	Answer string `yaml:"answer"`
}

// Bounds of a question's list of points, and of the words in each: it is read while
// one marks oneself.
const (
	leastPoints    = 4
	mostPoints     = 7
	mostPointWords = 8
)

// gauntlet reads gauntlet.yaml. A question with a problem is left out; the number of
// each is its place in the file.
func (r *reader) gauntlet(dir string, titles map[int]string, known *known) (all []Question) {
	file := path.Join(dir, "gauntlet.yaml")
	text, ok := r.text(file)
	var f gauntletFile
	if !ok || !r.decode(file, text, 0, &f) {
		known.unreadable = true
		return nil
	}
	r.need(file, f.Schema, map[string]bool{"questions": len(f.Questions) > 0})
	ids := map[string]bool{}
	for i, q := range f.Questions {
		line := itemLines(text, "questions")(i)
		known.questions = append(known.questions, q.ID)
		out := Question{ID: q.ID, Number: i + 1, Name: q.Name, Question: q.Question, Probing: q.Probing, Points: q.Points, Answer: q.Answer, Section: q.Section}
		if !r.sound(func() {
			r.lack(file, line, fmt.Sprintf("question %d", i+1), "id", idPattern.MatchString(q.ID), "question", q.Question != "", "probing", q.Probing != "",
				"answer", q.Answer != "", "traps", len(q.Traps) > 0, "section", titles[q.Section] != "")
			if ids[q.ID] {
				r.problem(file, line, fmt.Sprintf("a question %q is there already", cut(q.ID, 80)), "give it another id")
			}
			ids[q.ID] = true
			if n := len(q.Points); n < leastPoints || n > mostPoints {
				r.problem(file, line, fmt.Sprintf("question %d has %d points", i+1, n), fmt.Sprintf("name %d to %d", leastPoints, mostPoints))
			}
			for _, point := range q.Points {
				if n := len(strings.Fields(point)); n == 0 || n > mostPointWords {
					r.problem(file, line, fmt.Sprintf("point %q has %d words", cut(point, 60), n), fmt.Sprintf("use 1 to %d", mostPointWords))
				}
			}
			for _, t := range q.Traps {
				if t.Ask == "" || t.Answer == "" {
					r.problem(file, line, fmt.Sprintf("a trap of question %d lacks ask or answer", i+1), "write both")
				}
				out.Traps = append(out.Traps, Trap(t))
			}
			for _, name := range q.See {
				place, reason := known.place(name)
				if reason != "" {
					r.problem(file, line, reason, known.labCure(name))
				}
				out.See = append(out.See, place)
			}
		}) {
			continue
		}
		all = append(all, out)
	}
	return all
}

// Question returns the question of that id.
func (m *Module) Question(id string) (*Question, bool) {
	for i := range m.Gauntlet {
		if m.Gauntlet[i].ID == id {
			return &m.Gauntlet[i], true
		}
	}
	return nil, false
}

// question finds the id in the place of a link: an id, or q and a number.
func (k *known) question(name string) (id string, ok bool) {
	for _, id := range k.questions {
		if id == name {
			return id, true
		}
	}
	number, isNumber := strings.CutPrefix(name, "q")
	n, err := strconv.Atoi(number)
	if !isNumber || err != nil || n < 1 || n > len(k.questions) {
		return "", false
	}
	return k.questions[n-1], true
}
