package labs

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"regexp"
	"slices"
	"strings"
)

// concepts are the fenced blocks of YAML that a section may hold, by the word behind
// the fence. Each returns the block's markup, or reports what is not right.
var concepts map[string]func(*block) template.HTML

// conceptNames are their words.
var conceptNames = []string{"predict", "recall", "table", "picture", "stepper"}

func init() { // a reader of one of them asks for all
	concepts = map[string]func(*block) template.HTML{
		"predict": readPredict, "recall": readRecall, "table": readTable, "picture": readPicture, "stepper": readStepper,
	}
}

// block is a concept block under way.
type block struct {
	*sectionReader
	text []byte
	line int // of the file, on which text begins
}

//go:embed block.html
var blockMarkup string

var blockTemplates = template.Must(template.New("").Funcs(template.FuncMap{"took": took, "code": inlineCode, "json": asJSON}).Parse(blockMarkup))

// decode reads the YAML into file.
func (b *block) decode(file any) bool {
	if len(bytes.TrimSpace(b.text)) == 0 {
		b.at(b.line, "is empty", "write its keys between the two fences")
		return false
	}
	return b.sectionReader.decode(b.file, b.text, b.line-1, file)
}

// bad reports a problem at the line that holds a value, or at the block's first.
func (b *block) bad(holds, reason, cure string) {
	b.at(b.lineOf(holds), reason, cure)
}

func (b *block) lineOf(value string) int { return b.line - 1 + lineHolding(string(b.text), value) }

// say renders a text of the block.
func (b *block) say(value string) template.HTML { return b.inline(value, b.lineOf(value)) }

// tell adds texts of the block to what a search finds in the section.
func (b *block) tell(texts ...template.HTML) {
	part := &b.Parts[len(b.Parts)-1]
	for _, text := range texts {
		plain := html.UnescapeString(tags.ReplaceAllString(string(text), ""))
		part.Text = strings.TrimSpace(part.Text + " " + plain)
	}
}

// tags are those that a renderer of Markdown makes: no value in one holds a >.
var tags = regexp.MustCompile(`<sup class="cite">.*?</sup>|<[^>]*>`)

// inlineCode shows a text that a drawing holds as it was written: `backticks` mark code.
func inlineCode(text string) template.HTML {
	var out strings.Builder
	for i, part := range strings.Split(Unbroken(text), "`") {
		if i%2 == 1 {
			part = "<code>" + html.EscapeString(part) + "</code>"
		} else {
			part = html.EscapeString(part)
		}
		out.WriteString(part)
	}
	return template.HTML(out.String())
}

func asJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// needs reports each key without a value: pairs of a key and whether it has one.
func (b *block) needs(what string, pairs ...any) bool {
	return b.sound(func() { b.lack(b.file, b.line, what, pairs...) })
}

// oneOf reports a word that is none of the valid ones.
func (b *block) oneOf(what, word string, valid []string) bool {
	if slices.Contains(valid, word) {
		return true
	}
	b.bad(word, fmt.Sprintf("%s %q", what, cut(word, 60)), nearest(word, valid))
	return false
}

// draw fills in the markup of a block.
func (b *block) draw(name string, view any) template.HTML {
	var out bytes.Buffer
	if err := blockTemplates.ExecuteTemplate(&out, name, view); err != nil {
		b.at(b.line, err.Error(), "tell who looks after this program")
	}
	return template.HTML(out.String())
}

// colours are words for a hue: a drawing uses them and nothing else.
var colours = []string{"", "user", "kernel", "memory", "cpu", "io", "alert"}

// colour reports a hue that is not there.
func (b *block) colour(word string) { b.oneOf("colour", word, colours) }
