package web

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"sysnerd/labs"
	"sysnerd/labs/classroom"
	"sysnerd/web/ui"
)

//go:embed pages/*.html
var pageFiles embed.FS

// pages renders what people read. Everything on a page is there without script;
// the custom elements of web/ui add what only a script can.
type pages struct {
	assets    fs.FS
	names     map[string]string // of the bundle, by plain name
	squeezed  squeezed
	templates *template.Template
	watched   func() string // version of the content, where it changes while it is served; else nil
}

// newPages fails when the bundle of web/ui was not built.
func newPages() (*pages, error) {
	assets, err := ui.Files()
	if err != nil {
		return nil, err
	}
	names, err := ui.Names(assets)
	if err != nil {
		return nil, err
	}
	asset := func(plain string) (string, error) {
		name, ok := names[plain]
		if !ok {
			return "", fmt.Errorf("the bundle has no %s; run make build", plain)
		}
		return "/assets/" + name, nil
	}
	p := &pages{assets: assets, names: names, squeezed: squeezed{files: assets}}
	watched := func() string {
		if p.watched == nil {
			return ""
		}
		return p.watched()
	}
	p.templates, err = template.New("").
		Funcs(template.FuncMap{"asset": asset, "inline": inline, "watched": watched}).
		ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return nil, err
	}
	return p, nil
}

// has tells whether the bundle has a file of that plain name.
func (p *pages) has(plain string) bool { return p.names[plain] != "" }

// write renders a page whole before it sends a byte, so that a fault in a
// template never leaves half a page.
func (p *pages) write(w http.ResponseWriter, r *http.Request, status int, name string, view any) error {
	var page bytes.Buffer
	if err := p.templates.ExecuteTemplate(&page, name, view); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	sendText(w, r, status, page.Bytes())
	return nil
}

// inline shows text in which `backticks` mark code, as checks write it.
func inline(text string) template.HTML {
	var out strings.Builder
	for i, part := range strings.Split(labs.Unbroken(text), "`") {
		switch {
		case part == "":
		case i%2 == 1:
			out.WriteString("<code>" + template.HTMLEscapeString(part) + "</code>")
		default:
			out.WriteString(template.HTMLEscapeString(part))
		}
	}
	return template.HTML(out.String())
}

// labPage is one lab: its text and its tasks beside a terminal.
func (s *Server) labPage(w http.ResponseWriter, r *http.Request) {
	module, ok := s.Library().Module(r.PathValue("module"))
	if !ok {
		s.nothing(w, r, "lab")
		return
	}
	lab, ok := module.Lab(r.PathValue("lab"))
	if !ok {
		s.nothing(w, r, "lab")
		return
	}
	progress, err := s.Store.Progress(r.Context(), callerOf(r).learner, module.ID, lab.ID)
	if err != nil {
		s.refuse(w, r, fmt.Errorf("read progress in %s: %w", lab.ID, err))
		return
	}
	view := viewLab(module, 1+slices.Index(module.Labs, lab), lab, progress)
	if err := s.recall(r.Context(), callerOf(r).learner, &view); err != nil {
		s.refuse(w, r, fmt.Errorf("read results in %s: %w", lab.ID, err))
		return
	}
	s.show(w, r, http.StatusOK, "lab", view)
}

// recall puts beside what each try was told what the tries before it were told.
func (s *Server) recall(ctx context.Context, learner string, view *labView) error {
	records, err := s.Store.Record(ctx, learner)
	if err != nil {
		return err
	}
	for _, record := range records {
		if record.Module != view.Module || record.Lab != view.ID {
			continue
		}
		for i := range view.Tasks {
			view.Tasks[i].recall(record.Tasks[view.Tasks[i].ID].Results)
		}
	}
	return nil
}

// nothing answers that what was looked for is not there: a page to a person, a problem
// to a program. what is "section", "lab" or "page".
func (s *Server) nothing(w http.ResponseWriter, r *http.Request, what string) {
	if strings.HasPrefix(r.URL.Path, "/api/") || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		s.refuse(w, r, s.missing(r))
		return
	}
	s.show(w, r, http.StatusNotFound, "missing", missingView{what})
}

// missingView is the page for an address that leads nowhere.
type missingView struct{ What string }

// Heading is the page's title in the browser.
func (v missingView) Heading() string { return "No such " + v.What + " · sysnerd" }

// Script is the page's entry in the bundle.
func (missingView) Script() string { return courseScript }

func (s *Server) show(w http.ResponseWriter, r *http.Request, status int, page string, view any) {
	if err := s.pages.write(w, r, status, page, view); err != nil {
		s.refuse(w, r, fmt.Errorf("show page %s: %w", page, err))
	}
}

type labView struct {
	*labs.Lab
	Number int
	Path   string
	Course string
	Text   string // address of its section's text; "" when there is none
	Tasks  []taskView
	Begun  bool
	Next   string // title of the first task left to do, of a lab that is begun
}

// Heading is the page's title in the browser.
func (v labView) Heading() string {
	return fmt.Sprintf("Lab %d %s · sysnerd", v.Number, v.Lab.Title)
}

// Script is the page's entry in the bundle.
func (labView) Script() string { return "lab.js" }

func viewLab(m *labs.Module, number int, lab *labs.Lab, progress map[string]classroom.Progress) labView {
	view := labView{
		Lab:    lab,
		Number: number,
		Path:   "/" + m.ID + "/labs/" + lab.ID,
		Course: m.Title,
		Begun:  len(progress) > 0,
	}
	for _, section := range m.Sections {
		if section.Number == lab.Section {
			view.Text = sectionPath(m, section.ID)
		}
	}
	for _, task := range lab.Tasks {
		tv := viewTask(m, lab, task, progress)
		if view.Begun && view.Next == "" && !tv.Done {
			view.Next = task.Title
		}
		view.Tasks = append(view.Tasks, tv)
	}
	return view
}

func (v labView) done() bool {
	for _, task := range v.Tasks {
		if !task.Done {
			return false
		}
	}
	return true
}

// taskView is a task as one learner sees it.
type taskView struct {
	*labs.Task
	Base     string // of its calls below /api/v1
	State    string // one of those in says
	Says     string
	Passed   bool // at the moment, for a task of mode while
	Done     bool // passed once
	Revealed bool
	LockedBy string // title of the task to do first
	Said     string // about the prediction
	WhyOwn   string // the learner's line on why it worked
	Fact     string // what the passing check found
	Opened   []template.HTML
	More     bool // another hint is there
	Result   *labs.Result
	Before   []string // messages of earlier tries, each once, oldest first; while it is not passed
}

// says is the word beside each state's glyph.
var says = map[string]string{
	"locked":    "locked",
	"open":      "open",
	"predicted": "predicted",
	"not-yet":   "not yet",
	"broken":    "check broke",
	"passed":    "passed",
	"revealed":  "passed, solution shown",
}

func viewTask(m *labs.Module, lab *labs.Lab, task *labs.Task, progress map[string]classroom.Progress) taskView {
	p := progress[task.ID]
	view := taskView{
		Task:     task,
		Base:     "/modules/" + m.ID + "/labs/" + lab.ID + "/tasks/" + task.ID,
		Passed:   passedNow(task, p),
		Done:     !p.Passed.IsZero(),
		Revealed: p.Revealed,
		WhyOwn:   p.Why,
		Opened:   task.Hints[:min(p.Hints, len(task.Hints))],
		More:     p.Hints < len(task.Hints),
		Result:   p.Last,
		State:    "open",
	}
	for _, need := range task.Needs {
		if first, ok := lab.Task(need); ok && progress[need].Passed.IsZero() {
			view.LockedBy = first.Title
			break
		}
	}
	switch {
	case view.Passed && p.ComesBack:
		view.State = "revealed"
	case view.Passed:
		view.State = "passed"
	case view.LockedBy != "":
		view.State = "locked"
	case p.Last != nil && p.Last.Status == labs.Broken:
		view.State = "broken"
	case p.Last != nil && p.Last.Status == labs.Fail:
		view.State = "not-yet"
	case p.Prediction != "":
		view.State = "predicted"
	}
	if view.Passed {
		view.LockedBy = ""
		if p.Last != nil && p.Last.Status == labs.Pass {
			view.Fact = p.Last.Message
		}
	}
	view.Said = said(p.Prediction, outcomeOf(task, p), view.Done)
	view.Says = says[view.State]
	return view
}

func (v *taskView) recall(results []classroom.Found) {
	if v.State != "not-yet" {
		return
	}
	for _, found := range results {
		message := found.Result.Message
		if found.Result.Status == labs.Fail && message != v.Result.Message && !slices.Contains(v.Before, message) {
			v.Before = append(v.Before, message)
		}
	}
}

// said is what the page answers to a prediction: what to do, then how it was.
func said(choice, outcome string, passed bool) string {
	switch {
	case choice == "":
		return ""
	case !passed:
		return "You said " + choice + ". Now run it."
	case outcome == "":
		return "You said " + choice + "."
	case outcome == choice:
		return "You said " + choice + ", and it was."
	default:
		return "You said " + choice + ", it was " + outcome + "."
	}
}
