package labs

import (
	"fmt"
	"html/template"
)

// tableBlock is a table whose rows answer when they are opened.
type tableBlock struct {
	ID      string     `yaml:"id"`
	Title   string     `yaml:"title"`
	Columns []string   `yaml:"columns"`
	Rows    []tableRow `yaml:"rows"`
}

type tableRow struct {
	Key    string `yaml:"key"`
	Name   string `yaml:"name"`
	Text   string `yaml:"text"`
	Show   string `yaml:"show"` // commands that show it
	Colour string `yaml:"colour"`
}

// columns is how many a table has.
const columns = 2

func readTable(b *block) template.HTML {
	var f tableBlock
	if !b.decode(&f) || !b.needs("table", "id", f.ID != "", "title", f.Title != "", "rows", len(f.Rows) > 1) {
		return ""
	}
	b.take("table-"+f.ID, b.line, "another table")
	if n := len(f.Columns); n != 0 && n != columns {
		b.bad("columns", fmt.Sprintf("table has %d columns", n), "name two, or leave them out")
	}
	type row struct {
		tableRow
		Letter       string // in front of the name: a key that the name doesn't say
		Called, Says template.HTML
	}
	view := struct {
		ID    string
		Title template.HTML
		Heads []template.HTML
		Rows  []row
	}{ID: f.ID, Title: b.say(f.Title)}
	b.tell(view.Title)
	for _, c := range f.Columns {
		view.Heads = append(view.Heads, b.say(c))
	}
	for i, r := range f.Rows {
		if r.Name == "" || r.Text == "" {
			b.bad("rows", fmt.Sprintf("row %d lacks name or text", i+1), "write both")
		}
		b.colour(r.Colour)
		if r.Show != "" {
			b.Runs = append(b.Runs, Run{Line: b.lineOf(r.Show), Commands: r.Show})
		}
		answers := row{tableRow: r, Called: b.say(r.Name), Says: b.say(r.Text)}
		if len(r.Key) <= 2 {
			answers.Letter = r.Key
		}
		b.tell(answers.Called, answers.Says)
		view.Rows = append(view.Rows, answers)
	}
	return b.draw("table", view)
}
