package labs

import (
	"fmt"
	"html/template"
	"slices"
)

// recallBlock asks for something that was read.
type recallBlock struct {
	ID       string         `yaml:"id"`
	From     int            `yaml:"from"` // an earlier section; 0 for this one
	Kind     string         `yaml:"kind"`
	Question string         `yaml:"question"`
	Options  []recallOption `yaml:"options"` // choice
	Accept   []string       `yaml:"accept"`  // text
	Replies  []recallReply  `yaml:"replies"` // text
	Points   []string       `yaml:"points"`  // aloud
	Answer   string         `yaml:"answer"`
}

type recallOption struct {
	Say   string `yaml:"say"`
	Right bool   `yaml:"right"`
	Reply string `yaml:"reply"`
}

type recallReply struct {
	When  string `yaml:"when"`
	Reply string `yaml:"reply"`
}

var recallKinds = []string{"choice", "text", "aloud"}

type recallView struct {
	recallBlock
	Asks, Model template.HTML
	Choices     []option
	Right       int // index in Choices
	Heard       []template.HTML
	Answers     []answered
	FromPath    string
	FromTitle   string
}

// answered is the reply to one wrong answer.
type answered struct {
	Index int
	When  string
	Reply template.HTML
}

func readRecall(b *block) template.HTML {
	var f recallBlock
	if !b.decode(&f) || !b.needs("recall", "id", f.ID != "", "question", f.Question != "", "answer", f.Answer != "") {
		return ""
	}
	if n := len(b.Headings); n == 0 || !slices.ContainsFunc(b.Headings, func(h Heading) bool { return h.ID == "recall" }) {
		b.at(b.line, "a recall block stands above {#recall}", "move it below that heading")
	}
	b.take("recall-"+f.ID, b.line, "another recall block")
	if !b.oneOf("kind", f.Kind, recallKinds) {
		return ""
	}
	if f.From != 0 {
		b.earlier++
		if f.From < 1 || f.From >= b.Number {
			b.bad("from:", fmt.Sprintf("from: %d is no earlier section", f.From), fmt.Sprintf("name one before %d, or leave it out", b.Number))
		}
	}
	view := recallView{recallBlock: f, Asks: b.say(f.Question), Model: b.say(f.Answer), Right: -1}
	for id, number := range b.known.sections {
		if number == f.From && f.From != 0 {
			view.FromPath, view.FromTitle = sectionPath(b.Module, id, ""), b.titles[number]
		}
	}
	b.Recalls = append(b.Recalls, f.ID)
	for _, other := range []struct {
		kind, key string
		has       bool
	}{{"choice", "options", len(f.Options) > 0}, {"text", "accept", len(f.Accept) > 0}, {"aloud", "points", len(f.Points) > 0}, {"text", "replies", len(f.Replies) > 0}} {
		switch {
		case other.has && other.kind != f.Kind:
			b.bad(other.key, fmt.Sprintf("%s belongs to kind: %s", other.key, other.kind), "take it out, or change the kind")
		case !other.has && other.kind == f.Kind:
			b.bad("kind", fmt.Sprintf("kind: %s lacks %s", f.Kind, other.key), "add them")
		}
	}
	for i, o := range f.Options {
		switch {
		case o.Say == "":
			b.bad("options", fmt.Sprintf("option %d says nothing", i+1), "add say:")
		case o.Right && view.Right >= 0:
			b.bad(o.Say, "two options are right", "leave one")
		case o.Right:
			view.Right = i
		case o.Reply == "":
			b.bad(o.Say, fmt.Sprintf("option %d is not right and has no reply", i+1), "say what is the case, for who believes that")
		}
		view.Choices = append(view.Choices, option{fmt.Sprint(i), b.say(o.Say)})
		if o.Reply != "" {
			view.Answers = append(view.Answers, answered{i, "", b.say(o.Reply)})
		}
	}
	if f.Kind == "choice" && (view.Right < 0 || len(f.Options) < 2) {
		b.bad("options", "no option is right, or there is one alone", "give two or more, one of them with right: true")
	}
	for i, reply := range f.Replies {
		if reply.When == "" || reply.Reply == "" {
			b.bad("replies", fmt.Sprintf("reply %d lacks when or reply", i+1), "write both")
		}
		view.Answers = append(view.Answers, answered{i, reply.When, b.say(reply.Reply)})
	}
	for _, p := range f.Points {
		view.Heard = append(view.Heard, b.say(p))
	}
	return b.draw("recall", view)
}
