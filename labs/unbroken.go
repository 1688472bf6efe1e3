package labs

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// quantity is a number and its unit, as authors write them.
var quantity = regexp.MustCompile(`([0-9]) ((?:ns|µs|ms|s|min|[KMGT]iB|[kMGT]B)\b|×)`)

// Unbroken keeps each number on the line of its unit, by a no-break space. What stands
// in `backticks` is left as it is: it may be typed.
func Unbroken(text string) string {
	parts := strings.Split(text, "`")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = quantity.ReplaceAllString(parts[i], "$1\u00a0$2")
	}
	return strings.Join(parts, "`")
}

// textRenderer writes running text, Unbroken. Code is not among it.
type textRenderer struct{}

func (textRenderer) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindText, func(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		n := node.(*ast.Text)
		if n.IsRaw() {
			html.DefaultWriter.RawWrite(w, n.Value(source))
			return ast.WalkContinue, nil
		}
		html.DefaultWriter.Write(w, []byte(Unbroken(string(n.Value(source)))))
		switch {
		case n.HardLineBreak():
			_, _ = w.WriteString("<br>\n")
		case n.SoftLineBreak():
			_ = w.WriteByte('\n')
		}
		return ast.WalkContinue, nil
	})
}
