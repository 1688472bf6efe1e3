package labs

import (
	"bytes"
	"fmt"
	"html/template"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown leaves raw HTML out, which is goldmark's default.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.Table),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(codeRenderer{}, 100), util.Prioritized(textRenderer{}, 100))),
)

// Bounds of a Markdown text: the parser's time is quadratic in nesting, and in some
// unfinished links.
const maxMarkdown = 64 << 10

var deepBlocks = regexp.MustCompile(`(?m)^[ \t]*(?:(?:>|(?:[*+-]|\d{1,9}[.)])[ \t])[ \t]*){17}`)

// renderMarkdown turns Markdown into markup that is safe to put into a page.
// Problems carry the line within source.
func renderMarkdown(source []byte) (template.HTML, []Problem) {
	if len(source) > maxMarkdown {
		return "", []Problem{{Reason: fmt.Sprintf("is larger than %d KiB", maxMarkdown>>10), Cure: "split it or shorten it"}}
	}
	if deep := deepBlocks.FindIndex(source); deep != nil {
		return "", []Problem{{Line: 1 + bytes.Count(source[:deep[0]], []byte("\n")), Reason: "is nested too deep", Cure: "use at most 16 levels"}}
	}
	doc := markdown.Parser().Parse(text.NewReader(source))
	problems := lintMarkdown(doc, source)
	var out bytes.Buffer
	if err := markdown.Renderer().Render(&out, source, doc); err != nil {
		problems = append(problems, Problem{Line: 1, Reason: err.Error(), Cure: "mend the Markdown"})
	}
	return template.HTML(out.String()), problems
}

func lintMarkdown(doc ast.Node, source []byte) (problems []Problem) {
	add := func(n ast.Node, reason, cure string) {
		problems = append(problems, Problem{Line: lineOf(n, source), Reason: reason, Cure: cure})
	}
	// The callback returns no error, so Walk has none either.
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.RawHTML, *ast.HTMLBlock:
			add(n, "HTML is not shown", "write Markdown; put < in code type")
		case *ast.Image:
			add(n, "pictures are not served", "say it in words or in a code block")
		case *ast.Link:
			if dest := string(n.Destination); !linkAllowed(dest) {
				add(n, fmt.Sprintf("link to %q", cut(dest, 80)), "use http, https or a path below this page")
			}
		case *ast.AutoLink:
			if dest := string(n.URL(source)); !linkAllowed(dest) {
				add(n, fmt.Sprintf("link to %q", cut(dest, 80)), "use http or https")
			}
		case *ast.FencedCodeBlock:
			if _, err := parseFence(n, source); err != nil {
				add(n, err.Error(), "use {run}, {copy} or {term=2}")
			}
		}
		return ast.WalkContinue, nil
	})
	return problems
}

func linkAllowed(dest string) bool {
	u, err := url.Parse(dest)
	if err != nil || strings.ContainsAny(dest, "\\\x00") {
		return false
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		return u.Host != ""
	}
	return u.Scheme == "" && u.Host == "" && !strings.HasPrefix(u.Path, "/") && !slices.Contains(strings.Split(u.Path, "/"), "..")
}

// lineOf is the line at which the block around n begins.
func lineOf(n ast.Node, source []byte) int {
	for ; n != nil; n = n.Parent() {
		if n.Type() == ast.TypeInline || n.Lines().Len() == 0 {
			continue
		}
		return 1 + bytes.Count(source[:n.Lines().At(0).Start], []byte("\n"))
	}
	return 1
}

// fence is the info string of a code block: a language, then {run}, {run status=1},
// {copy}, {term=2}.
type fence struct {
	run, copy bool
	terminal  string // "" unless the block picks a tab
	status    int    // with which a block that is run has to end
}

var (
	fencePattern    = regexp.MustCompile(`^[A-Za-z0-9+_-]*((?:\s*\{[^{}]*\})*)\s*$`)
	terminalPattern = regexp.MustCompile(`^term=[1-9]$`)
	statusPattern   = regexp.MustCompile(`^status=([0-9]{1,3})$`)
)

func parseFence(n *ast.FencedCodeBlock, source []byte) (f fence, err error) {
	if n.Info == nil {
		return f, nil
	}
	info := string(n.Info.Segment.Value(source))
	parts := fencePattern.FindStringSubmatch(info)
	if parts == nil {
		return f, fmt.Errorf("code block %q", cut(info, 60))
	}
	for _, word := range strings.FieldsFunc(parts[1], func(r rune) bool { return strings.ContainsRune("{} \t", r) }) {
		switch {
		case word == "run":
			f.run = true
		case word == "copy":
			f.copy = true
		case terminalPattern.MatchString(word):
			f.terminal = strings.TrimPrefix(word, "term=")
		case f.run && statusPattern.MatchString(word):
			f.status, _ = strconv.Atoi(strings.TrimPrefix(word, "status=")) // digits alone
			if f.status > 255 {
				return f, fmt.Errorf("code block with {%s}: a status is at most 255", word)
			}
		default:
			return f, fmt.Errorf("code block with {%s}", cut(word, 60))
		}
	}
	return f, nil
}

// codeRenderer marks the code blocks that the page can type into a terminal. They
// are ordinary blocks as long as no script upgrades them.
type codeRenderer struct{}

func (codeRenderer) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindFencedCodeBlock, renderFence)
}

func renderFence(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.FencedCodeBlock)
	// A fence that does not parse was reported, and its lab is left out.
	f, _ := parseFence(n, source)
	open := "<pre>"
	switch {
	case f.run:
		open = `<pre class="run" data-run>`
	case f.copy:
		open = `<pre class="copy" data-copy>`
	}
	if f.terminal != "" {
		open = strings.TrimSuffix(open, ">") + ` data-term="` + f.terminal + `">`
	}
	if f.status != 0 {
		open = strings.TrimSuffix(open, ">") + fmt.Sprintf(` data-status="%d">`, f.status)
	}
	w.WriteString(open + "<code>")
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		w.Write(util.EscapeHTML(line.Value(source)))
	}
	w.WriteString("</code></pre>\n")
	return ast.WalkSkipChildren, nil
}
