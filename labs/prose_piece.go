package labs

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// piece is a run of lines of a Markdown text that belong together.
type piece struct {
	line int // from 0, of the text
	kind pieceKind
	text string // without the lines of a fence itself
	info string // what stands behind a fence
}

type pieceKind int

const (
	pieceWords   pieceKind = iota // a paragraph, or an item of a list
	pieceHeading                  // one line
	pieceRow                      // one line of a table
	pieceFence                    // a block of code, or a concept block
)

// pieces cuts a Markdown text.
func pieces(source string) (all []piece) {
	var now *piece
	end := func() {
		if now != nil {
			all = append(all, *now)
		}
		now = nil
	}
	fenced := false
	n := -1
	for line := range strings.Lines(source) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if fenceLine.MatchString(line) {
			end()
			if fenced = !fenced; fenced {
				now = &piece{line: n, kind: pieceFence, info: strings.TrimLeft(strings.TrimSpace(line), "`~")}
			}
			continue
		}
		if fenced {
			now.text += line + "\n"
			continue
		}
		alone := aloneLine.MatchString(line)
		if strings.TrimSpace(line) == "" || alone || itemLine.MatchString(line) {
			end()
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if now == nil {
			now = &piece{line: n, text: line}
			switch {
			case strings.HasPrefix(line, "|"):
				now.kind = pieceRow
			case alone:
				now.kind = pieceHeading
			}
		} else {
			now.text += "\n" + line
		}
		if alone {
			end()
		}
	}
	end()
	return all
}

// saidText is a text that a YAML document holds for a reader.
type saidText struct {
	line int // of the document, from 0
	key  string
	text string
}

// unsaid are keys whose values are no prose: names, code, and what is compared.
var unsaid = []string{"id", "ids", "kind", "schema", "draw", "show", "when", "accept", "from", "to", "fd", "colour", "address",
	"high", "low", "flags", "key", "see", "section", "sections", "url", "labs", "layer", "grows", "term", "also", "value"}

// saidTexts finds what a YAML document says to a reader, in order. A document that
// cannot be read says nothing: [Load] tells why.
func saidTexts(source string) (all []saidText) {
	if checkBounds([]byte(source)) != nil {
		return nil
	}
	file, err := parser.ParseBytes([]byte(source), 0)
	if err != nil {
		return nil
	}
	var walk func(n ast.Node, key string)
	walk = func(n ast.Node, key string) {
		switch n := n.(type) {
		case *ast.MappingNode:
			for _, v := range n.Values {
				walk(v, key)
			}
		case *ast.MappingValueNode:
			if name := n.Key.GetToken().Value; !slices.Contains(unsaid, name) {
				walk(n.Value, name)
			}
		case *ast.SequenceNode:
			for _, v := range n.Values {
				walk(v, key)
			}
		case *ast.LiteralNode:
			all = append(all, saidText{n.GetToken().Position.Line, key, n.Value.Value})
		case *ast.StringNode:
			all = append(all, saidText{n.GetToken().Position.Line - 1, key, n.Value})
		}
	}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			walk(doc.Body, "")
		}
	}
	return all
}
