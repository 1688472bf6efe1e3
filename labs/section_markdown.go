package labs

import (
	"bytes"
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"sysnerd/spelling"
)

// sectionMarkdown is Markdown with ids of headings, [^source] and concept blocks. Raw
// HTML is off.
var sectionMarkdown = goldmark.New(
	goldmark.WithExtensions(extension.Table),
	goldmark.WithParserOptions(
		parser.WithHeadingAttribute(),
		parser.WithInlineParsers(util.Prioritized(citeParser{}, 150)), // before links
	),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(codeRenderer{}, 100), util.Prioritized(readyRenderer{}, 100), util.Prioritized(textRenderer{}, 100))),
)

// inlineParser takes all for text: a value that begins with "0." is no list.
var inlineParser = parser.NewParser(
	parser.WithBlockParsers(util.Prioritized(parser.NewParagraphParser(), 100)),
	parser.WithInlineParsers(append(parser.DefaultInlineParsers(), util.Prioritized(citeParser{}, 150))...),
)

// languages are those of fences that are no concept block.
var languages = []string{"", "sh", "bash", "text", "c", "asm", "python", "ini", "diff"}

// sectionReader reads the text of one section.
type sectionReader struct {
	*reader
	*Section
	known   *known
	titles  map[int]string    // of sections, by number
	terms   map[string]Term   // of this section, by each of their forms in lower case
	sources map[string]Source // of the front matter
	front   string            // what stands before the Markdown
	source  []byte            // the Markdown
	skip    int               // lines of the file before it

	ids          map[string]string // what has taken an id of the page
	links        []sectionLink
	dangling     []Problem // links to labs and questions that are not there
	headingLines []int
	hookPredicts bool
	hookRuns     bool
	earlier      int      // recall questions of earlier sections
	open         bool     // a part of the page is
	cited        []string // of the block under way: sources named there for the first time
}

// sectionLink is one to be looked at when all sections are there.
type sectionLink struct {
	line            int
	section, anchor string
}

func (s *sectionReader) at(line int, reason, cure string) { s.problem(s.file, line, reason, cure) }

// body renders the Markdown.
func (s *sectionReader) body() {
	if len(s.source) > maxMarkdown {
		s.at(0, fmt.Sprintf("is larger than %d KiB", maxMarkdown>>10), "split it or shorten it")
		return
	}
	if deep := deepBlocks.FindIndex(s.source); deep != nil {
		s.at(s.skip+1+lines(s.source[:deep[0]]), "is nested too deep", "use at most 16 levels")
		return
	}
	doc := sectionMarkdown.Parser().Parse(text.NewReader(s.source))
	s.Parts = []Part{{Title: s.Title}}
	for n := doc.FirstChild(); n != nil; {
		next := n.NextSibling()
		s.cited = nil
		last := s.block(doc, n)
		if len(s.cited) > 0 {
			doc.InsertBefore(doc, last, newReady("<div class=\"sourced\">\n", ast.TypeBlock))
			doc.InsertAfter(doc, last, newReady(s.notes(), ast.TypeBlock))
		}
		n = next
	}
	if s.open {
		doc.AppendChild(doc, newReady("</section>\n", ast.TypeBlock))
	}
	for _, id := range slices.Sorted(maps.Keys(s.sources)) {
		if !slices.ContainsFunc(s.Sources, func(c Source) bool { return c.ID == id }) {
			s.at(lineHolding(s.front, id+":"), fmt.Sprintf("no sentence names source %q", id), fmt.Sprintf("write [^%s] behind its claim, or take it out", id))
		}
	}
	s.checkShape()
	var out bytes.Buffer
	if err := sectionMarkdown.Renderer().Render(&out, s.source, doc); err != nil {
		s.at(s.skip+1, err.Error(), "mend the Markdown")
	}
	s.Body = template.HTML(out.String())
	s.anchors = slices.Sorted(maps.Keys(s.ids))
}

// block looks at a block of the first level, and returns what stands in its place.
func (s *sectionReader) block(doc, n ast.Node) ast.Node {
	line := s.skip + lineOf(n, s.source)
	switch n := n.(type) {
	case *ast.Heading:
		s.heading(n, line)
		if n.Level == 2 {
			doc.InsertBefore(doc, n, newReady(s.begin(), ast.TypeBlock))
		}
	case *ast.FencedCodeBlock:
		if n.Info != nil { // it may have no line of its own
			line = s.skip + 2 + lines(s.source[:n.Info.Segment.Start])
		}
		language := string(n.Language(s.source))
		if kind, ok := concepts[language]; ok {
			if string(n.Info.Segment.Value(s.source)) != language {
				s.at(line-1, fmt.Sprintf("block %q", cut(string(n.Info.Segment.Value(s.source)), 60)), "write the word "+language+" alone")
			}
			s.hookPredicts = s.hookPredicts || language == "predict" && len(s.Headings) == 0
			b := &block{sectionReader: s, text: n.Lines().Value(s.source), line: line}
			ready := newReady(kind(b), ast.TypeBlock)
			doc.ReplaceChild(doc, n, ready)
			return ready
		}
		s.fence(n, line)
	}
	s.inlines(n, s.source, line)
	if n.Kind() != ast.KindFencedCodeBlock && n.Kind() != ast.KindHeading {
		part := &s.Parts[len(s.Parts)-1]
		part.Text = strings.TrimSpace(part.Text + " " + wordsOf(n, s.source))
	}
	return n
}

func (s *sectionReader) heading(n *ast.Heading, line int) {
	title := wordsOf(n, s.source)
	id := ""
	for _, a := range n.Attributes() {
		value, isText := a.Value.([]byte)
		if string(a.Name) != "id" || !isText || !idPattern.Match(value) {
			s.at(line, fmt.Sprintf("heading with {%s}", cut(string(a.Name), 60)), "use an id alone, as in {#model}")
			continue
		}
		id = string(value)
	}
	if n.Level != 2 && n.Level != 3 {
		s.at(line, fmt.Sprintf("heading of level %d", n.Level), "use ## and ###; the title is in the front matter")
	}
	if id == "" {
		id = slug(title)
	}
	n.SetAttributeString("id", []byte(id))
	if n.Level == 2 {
		n.SetAttributeString("id", []byte("h-"+id))
		s.ids["h-"+id] = "a heading"
	}
	s.take(id, line, "a heading")
	s.Headings = append(s.Headings, Heading{ID: id, Title: title, Level: n.Level})
	s.headingLines = append(s.headingLines, line)
	s.Parts = append(s.Parts, Part{Heading: id, Title: title})
}

// begin ends the part of the page under way, and begins that of the newest heading.
func (s *sectionReader) begin() template.HTML {
	id := template.HTMLEscapeString(s.Headings[len(s.Headings)-1].ID)
	html := template.HTML(`<section id="` + id + `" aria-labelledby="h-` + id + "\">\n")
	if s.open {
		html = "</section>\n" + html
	}
	s.open = true
	return html
}

// take reserves an id of the page.
func (s *sectionReader) take(id string, line int, what string) {
	if !idPattern.MatchString(id) {
		s.at(line, fmt.Sprintf("%q is no id", cut(id, 80)), "use 1 to 64 of a-z, 0-9 and -")
		return
	}
	if by := s.ids[id]; by != "" {
		s.at(line, fmt.Sprintf("the id %q is taken by %s", id, by), "give it another")
	}
	s.ids[id] = what
}

// fence looks at a block of code.
func (s *sectionReader) fence(n *ast.FencedCodeBlock, line int) {
	language := string(n.Language(s.source))
	word, _, _ := strings.Cut(language, "{")
	if !slices.Contains(languages, word) {
		s.at(line-1, fmt.Sprintf("unknown block %q", cut(word, 60)), fmt.Sprintf("the nearest that there is is %q", spelling.Nearest(word, append(slices.Clone(languages[1:]), conceptNames...))))
		return
	}
	f, err := parseFence(n, s.source)
	if err != nil {
		return // inlines tells
	}
	if f.run {
		s.hookRuns = s.hookRuns || len(s.Headings) == 0
		s.Runs = append(s.Runs, Run{Line: line, Commands: string(n.Lines().Value(s.source)), Status: f.status, Terminal: f.terminal})
	}
}

// inlines looks at all below n, a node of the Markdown source whose first line is line
// of the file, and puts what the page shows in the place of links, sources and terms.
func (s *sectionReader) inlines(n ast.Node, source []byte, line int) {
	first := lineOf(n, source)
	place := func(n ast.Node) int { return line + inlineLine(n, source, first) - first }
	var defined []*ast.Emphasis
	// The callback returns no error, so Walk has none either.
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.RawHTML, *ast.HTMLBlock:
			s.at(place(n), "HTML is not shown", "write Markdown; put < in code type")
		case *ast.Image:
			s.at(place(n), "pictures are not served", "draw it with a picture block")
		case *ast.AutoLink:
			if dest := string(n.URL(source)); !linkAllowed(dest) {
				s.at(place(n), fmt.Sprintf("link to %q", cut(dest, 80)), "use http or https")
			}
		case *ast.Link:
			n.Destination = []byte(s.link(string(n.Destination), place(n)))
		case *ast.FencedCodeBlock:
			if _, concept := concepts[string(n.Language(source))]; concept {
				s.at(line+lineOf(n, source)-first, "a concept block stands inside of something", "begin it at the left margin")
			}
			if _, err := parseFence(n, source); err != nil {
				s.at(line+lineOf(n, source)-first, err.Error(), "use {run}, {run status=1}, {copy} or {term=2}")
			}
		case *cite:
			n.number = s.cite(n.id, place(n))
		case *ast.Emphasis:
			if _, ok := s.terms[strings.ToLower(wordsOf(n, source))]; ok && n.Level == 1 {
				defined = append(defined, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, n := range defined {
		anchor := s.terms[strings.ToLower(wordsOf(n, source))].Anchor()
		if s.defines[anchor] {
			continue
		}
		s.defines[anchor] = true
		s.take(anchor, place(n), "a term")
		words := wordsOf(n, source)
		term := newReady(template.HTML(`<dfn id="`+anchor+`">`+template.HTMLEscapeString(words)+`</dfn>`), ast.TypeInline)
		term.words = words
		n.Parent().ReplaceChild(n.Parent(), n, term)
	}
}

// cite counts a source as named, and gives its number on the page.
func (s *sectionReader) cite(id string, line int) int {
	source, ok := s.sources[id]
	if !ok {
		s.at(line, fmt.Sprintf("source %q is not in the front matter", cut(id, 60)), nearest(id, slices.Sorted(maps.Keys(s.sources))))
		return 0
	}
	for i, c := range s.Sources {
		if c.ID == id {
			return i + 1
		}
	}
	s.Sources = append(s.Sources, source)
	s.cited = append(s.cited, id)
	return len(s.Sources)
}

// notes shows the sources that the block above names.
func (s *sectionReader) notes() template.HTML {
	var out strings.Builder
	out.WriteString("<ul class=\"sources\">")
	for _, id := range s.cited {
		number := 1 + slices.IndexFunc(s.Sources, func(c Source) bool { return c.ID == id })
		source := s.Sources[number-1]
		fmt.Fprintf(&out, `<li id="source-%d"><sup>%d</sup> <a href="%s">%s</a></li>`, number, number,
			template.HTMLEscapeString(source.URL), template.HTMLEscapeString(source.Text))
	}
	out.WriteString("</ul>\n</div>\n")
	return template.HTML(out.String())
}

// link turns the destination of a link into one of the page.
func (s *sectionReader) link(dest string, line int) string {
	scheme, rest, _ := strings.Cut(dest, ":")
	name, anchor, _ := strings.Cut(rest, "#")
	switch scheme {
	case "section":
		if name == "" {
			name = s.ID
		}
		s.links = append(s.links, sectionLink{line, name, anchor}) // a file that comes later may have it
		return sectionPath(s.Module, name, anchor)
	case "lab":
		place, reason := s.known.place(name)
		if reason != "" {
			s.dangling = append(s.dangling, Problem{Line: line, Reason: fmt.Sprintf("link to %q: %s", cut(dest, 80), reason), Cure: s.known.labCure(name)})
		}
		return place.path(s.Module)
	case "gauntlet":
		id, ok := s.known.question(name)
		if !ok && !s.known.unreadable {
			s.dangling = append(s.dangling, Problem{Line: line, Reason: fmt.Sprintf("link to %q: there is no such question", cut(dest, 80)), Cure: nearest(name, s.known.questions)})
		}
		return "/" + s.Module + "/gauntlet#" + id
	}
	if u, err := url.Parse(dest); err != nil || !linkAllowed(dest) || u.Host == "" {
		s.at(line, fmt.Sprintf("link to %q", cut(dest, 80)), "use http, https, section:, lab: or gauntlet:")
	}
	return dest
}

// checkLinks reports links that lead nowhere, which hide no section. A section that is promised
// in module.yaml and not written yet counts as there.
func (s *sectionReader) checkLinks(m *Module) {
	for _, p := range s.dangling {
		s.at(p.Line, p.Reason, p.Cure)
	}
	for _, l := range s.links {
		if _, ok := s.known.sections[l.section]; !ok {
			s.at(l.line, fmt.Sprintf("there is no section %q", cut(l.section, 80)), nearest(l.section, slices.Sorted(maps.Keys(s.known.sections))))
			continue
		}
		to, sound := m.Section(l.section)
		if !sound || l.anchor == "" {
			continue
		}
		if !slices.Contains(to.anchors, l.anchor) {
			s.at(l.line, fmt.Sprintf("section %s has no %q", to.ID, cut(l.anchor, 80)), nearest(l.anchor, to.anchors))
		}
	}
}

func sectionPath(module, section, anchor string) string {
	path := "/" + module + "/sections/" + section
	if anchor != "" {
		path += "#" + url.PathEscape(anchor)
	}
	return path
}

// path is the address of its page.
func (p Place) path(module string) string {
	if p.Task == "" {
		return "/" + module + "/labs/" + p.Lab
	}
	return "/" + module + "/labs/" + p.Lab + "#task-" + p.Task
}

// inline renders a value of a concept block: text without paragraphs. The value
// begins on that line of the file, or near it.
func (s *sectionReader) inline(value string, line int) template.HTML {
	source := []byte(strings.TrimSpace(value))
	doc := inlineParser.Parse(text.NewReader(source))
	n := doc.FirstChild()
	if n == nil {
		return ""
	}
	if n.NextSibling() != nil {
		s.at(line, fmt.Sprintf("%q is more than one paragraph", cut(string(source), 60)), "take out the blank line")
		return ""
	}
	s.inlines(n, source, line)
	var out bytes.Buffer
	if err := sectionMarkdown.Renderer().Render(&out, source, doc); err != nil {
		s.at(line, err.Error(), "mend the Markdown")
	}
	html := strings.TrimSuffix(strings.TrimSpace(out.String()), "</p>")
	return template.HTML(strings.TrimPrefix(html, "<p>"))
}

// wordsOf is the text of a node without markup.
func wordsOf(n ast.Node, source []byte) string {
	var out strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				out.Write(util.UnescapePunctuations(n.Value(source)))
				if n.SoftLineBreak() || n.HardLineBreak() {
					out.WriteByte(' ')
				}
			}
		case *ast.String:
			if entering {
				out.Write(n.Value)
			}
		case *ready:
			if entering && n.Type() == ast.TypeInline {
				out.WriteString(n.words)
			}
		default:
			if !entering && n.Type() == ast.TypeBlock {
				out.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(out.String()), " ")
}

// inlineLine is the line of source on which an inline node begins, or that of its block.
func inlineLine(n ast.Node, source []byte, otherwise int) int {
	line := otherwise
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			line = 1 + lines(source[:n.Segment.Start])
			return ast.WalkStop, nil
		case *cite:
			line = 1 + lines(source[:n.start])
			return ast.WalkStop, nil
		case *ast.HTMLBlock:
			line = lineOf(n, source)
			return ast.WalkStop, nil
		case *ast.RawHTML:
			if n.Segments.Len() > 0 {
				line = 1 + lines(source[:n.Segments.At(0).Start])
			}
			return ast.WalkStop, nil
		}
		return ast.WalkContinue, nil
	})
	return line
}

// cite is [^id] in a text.
type cite struct {
	ast.BaseInline
	id     string
	start  int // in the source
	number int // on the page, from 1
}

var kindCite = ast.NewNodeKind("Cite")

func (*cite) Kind() ast.NodeKind              { return kindCite }
func (n *cite) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

type citeParser struct{}

var citePattern = regexp.MustCompile(`^\[\^([^\]\s]{1,64})\]`)

func (citeParser) Trigger() []byte { return []byte{'['} }

func (citeParser) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, segment := block.PeekLine()
	found := citePattern.FindSubmatch(line)
	if found == nil {
		return nil
	}
	block.Advance(len(found[0]))
	return &cite{id: string(found[1]), start: segment.Start}
}

// ready is a node that was rendered already.
type ready struct {
	ast.BaseBlock
	html  template.HTML
	words string
	kind  ast.NodeType
}

var kindReady = ast.NewNodeKind("Ready")

func newReady(html template.HTML, kind ast.NodeType) *ready { return &ready{html: html, kind: kind} }

func (*ready) Kind() ast.NodeKind              { return kindReady }
func (n *ready) Type() ast.NodeType            { return n.kind }
func (n *ready) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

type readyRenderer struct{}

func (readyRenderer) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(kindReady, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			_, _ = w.WriteString(string(n.(*ready).html))
		}
		return ast.WalkSkipChildren, nil
	})
	r.Register(kindCite, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if number := n.(*cite).number; entering && number > 0 {
			fmt.Fprintf(w, `<sup class="cite"><a href="#source-%d" aria-label="Source %d">%d</a></sup>`, number, number, number)
		}
		return ast.WalkSkipChildren, nil
	})
}
