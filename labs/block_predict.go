package labs

import (
	"html/template"
	"slices"
)

// predictBlock asks before something is run.
type predictBlock struct {
	ID       string   `yaml:"id"`
	Question string   `yaml:"question"`
	Options  []string `yaml:"options"`
	Input    string   `yaml:"input"`  // number or text, in the place of options
	Answer   string   `yaml:"answer"` // "" when it depends on the sandbox
	Reply    string   `yaml:"reply"`
}

// inputs are what a predict block may ask for in the place of options.
var inputs = []string{"number", "text"}

type option struct {
	Value string
	Say   template.HTML
}

func readPredict(b *block) template.HTML {
	var f predictBlock
	if !b.decode(&f) || !b.needs("predict", "id", f.ID != "", "question", f.Question != "", "reply", f.Reply != "") {
		return ""
	}
	b.take("predict-"+f.ID, b.line, "another predict block")
	switch {
	case (len(f.Options) > 0) == (f.Input != ""):
		b.bad("options", "predict has options and input, or neither", "give two options or more, or input: number, or input: text")
	case f.Input != "":
		b.oneOf("input", f.Input, inputs)
	case len(f.Options) == 1:
		b.bad("options", "predict has one option", "give two or more")
	case f.Answer != "" && !slices.Contains(f.Options, f.Answer):
		b.bad("answer", "the answer is not among the options", nearest(f.Answer, f.Options))
	}
	view := struct {
		predictBlock
		Asks, Right, Replies template.HTML
		Choices              []option
	}{f, b.say(f.Question), "", b.say(f.Reply), nil}
	for _, o := range f.Options {
		view.Choices = append(view.Choices, option{Unbroken(o), b.say(o)})
	}
	if f.Answer != "" {
		view.Answer, view.Right = Unbroken(f.Answer), b.say(f.Answer)
	}
	return b.draw("predict", view)
}
