package labs

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
)

// stepperBlock is a drawing that goes on when one has said what comes.
type stepperBlock struct {
	ID    string        `yaml:"id" json:"id"`
	Kind  string        `yaml:"kind" json:"kind"`
	Title string        `yaml:"title" json:"title"`
	Steps []stepperStep `yaml:"steps" json:"steps"`
}

type stepperStep struct {
	Title   string      `yaml:"title" json:"title"`
	Caption string      `yaml:"caption" json:"caption"`
	Draw    string      `yaml:"draw" json:"draw,omitempty"`
	Address string      `yaml:"address" json:"address,omitempty"` // with which translate begins
	Ask     *stepperAsk `yaml:"ask" json:"ask,omitempty"`
}

type stepperAsk struct {
	Question string   `yaml:"question" json:"question"`
	Options  []string `yaml:"options" json:"options"`
	Answer   string   `yaml:"answer" json:"answer"`
	Reply    string   `yaml:"reply" json:"reply"`
}

// scenes are what each kind of stepper can draw.
var scenes = map[string][]string{
	"birth":       {"fork", "exec", "map", "link", "fault", "call", "exit"},
	"translate":   {"split", "tlb", "walk", "fault", "physical"},
	"crossing":    {"user", "number", "syscall", "entry", "table", "work", "return"},
	"lost-update": {"start", "lose", "keep", "mutex"},
}

// maxCaption is in words.
const maxCaption = 40

type stepView struct {
	Number         int
	Title, Caption template.HTML
	Asks, Reply    template.HTML
	Options        []template.HTML
	Answer         template.HTML
}

func readStepper(b *block) template.HTML {
	var f stepperBlock
	if !b.decode(&f) || !b.needs("stepper", "id", f.ID != "", "title", f.Title != "", "steps", len(f.Steps) > 1) {
		return ""
	}
	b.take(f.ID, b.line, "a stepper")
	if !b.oneOf("kind", f.Kind, slices.Sorted(maps.Keys(scenes))) {
		return ""
	}
	view := struct {
		ID, Kind string
		Title    template.HTML
		Steps    []stepView
		Data     stepperBlock
	}{ID: f.ID, Kind: f.Kind, Title: b.say(f.Title), Data: f}
	b.tell(view.Title)
	asks := 0
	for i, s := range f.Steps {
		if s.Title == "" || s.Caption == "" {
			b.bad("steps", fmt.Sprintf("step %d lacks title or caption", i+1), "write both")
		}
		if n := len(strings.Fields(s.Caption)); n > maxCaption {
			b.bad(s.Caption, fmt.Sprintf("the caption has %d words", n), fmt.Sprintf("say it in %d", maxCaption))
		}
		b.oneOf("draw", s.Draw, scenes[f.Kind])
		if s.Address != "" {
			b.address(s.Address)
		}
		step := stepView{Number: i + 1, Title: b.say(s.Title), Caption: b.say(s.Caption)}
		b.tell(step.Title, step.Caption)
		if s.Ask != nil {
			asks++
			b.ask(i+1, *s.Ask, &step)
			view.Data.Steps[i].Ask = s.Ask.unbroken()
		}
		b.take(fmt.Sprintf("%s-step-%d", f.ID, i+1), b.lineOf(s.Title), "a step")
		view.Steps = append(view.Steps, step)
	}
	if asks == 0 {
		b.at(b.line, "the stepper asks nothing", "give ask: to one step or more")
	}
	return b.draw("stepper", view)
}

func (b *block) ask(step int, ask stepperAsk, view *stepView) {
	switch {
	case ask.Question == "" || ask.Reply == "" || len(ask.Options) < 2:
		b.bad("ask", fmt.Sprintf("ask of step %d needs a question, two options or more, and a reply", step), "add what is missing")
	case !slices.Contains(ask.Options, ask.Answer):
		b.bad(ask.Question, fmt.Sprintf("the answer of step %d is not among its options", step), nearest(ask.Answer, ask.Options))
	}
	view.Asks, view.Reply, view.Answer = b.say(ask.Question), b.say(ask.Reply), b.say(ask.Answer)
	for _, o := range ask.Options {
		view.Options = append(view.Options, b.say(o))
	}
}

// unbroken is the question as the script shows it.
func (a stepperAsk) unbroken() *stepperAsk {
	a.Question, a.Answer, a.Reply = Unbroken(a.Question), Unbroken(a.Answer), Unbroken(a.Reply)
	a.Options = slices.Clone(a.Options)
	for i, o := range a.Options {
		a.Options[i] = Unbroken(o)
	}
	return &a
}
