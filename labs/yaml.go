package labs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"sysnerd/spelling"
)

// Bounds of a YAML file, checked before it is decoded: the library takes aliases
// lazily, needs hundreds of MiB for deep nesting, and time that is quadratic in
// blank lines.
const (
	maxFile    = 256 << 10
	maxLines   = 4096
	maxNesting = 32
	maxColumn  = 2 * maxNesting // a block that starts further right lies too deep
)

// decodeYAML decodes one strict document into v, a pointer to a struct. The text
// starts after line skip of the file.
func decodeYAML(text []byte, skip int, v any) *Problem {
	if p := checkBounds(text); p != nil {
		if p.Line > 0 {
			p.Line += skip
		}
		return p
	}
	d := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	err := d.Decode(v)
	if err == nil {
		var more any
		if err := d.Decode(&more); !errors.Is(err, io.EOF) {
			return &Problem{Line: skip + 1, Reason: "holds more than one document", Cure: "take out all after the second ---"}
		}
		return nil
	}
	if errors.Is(err, io.EOF) {
		return &Problem{Line: skip + 1, Reason: "is empty", Cure: fmt.Sprintf("begin with schema: %d", schemaVersion)}
	}
	return explainYAML(err, skip, v)
}

// checkBounds looks at tokens only.
func checkBounds(text []byte) *Problem {
	if len(text) > maxFile {
		return &Problem{Reason: fmt.Sprintf("is larger than %d KiB", maxFile>>10), Cure: "split it or shorten it"}
	}
	if n := bytes.Count(text, []byte("\n")); n > maxLines {
		return &Problem{Reason: fmt.Sprintf("has more than %d lines of YAML", maxLines), Cure: "split it or shorten it"}
	}
	depth := 0
	for _, t := range lexer.Tokenize(string(text)) {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType:
			return &Problem{Line: t.Position.Line, Reason: fmt.Sprintf("%q: anchors, aliases, tags and directives are not taken", cut(t.Value, 20)), Cure: "write the value out, in quotes if it is text"}
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType:
			if t.Position.Column > maxColumn {
				depth = maxNesting + 1
			}
		}
		if depth > maxNesting {
			return &Problem{Line: t.Position.Line, Reason: "is nested too deep", Cure: fmt.Sprintf("use at most %d levels", maxNesting)}
		}
	}
	return nil
}

func explainYAML(err error, skip int, v any) *Problem {
	var e yaml.Error
	if !errors.As(err, &e) {
		return &Problem{Line: skip + 1, Reason: err.Error(), Cure: "mend the YAML"}
	}
	p := &Problem{Line: skip + 1, Reason: e.GetMessage(), Cure: "mend the YAML there"}
	var at *token.Token
	if at = e.GetToken(); at != nil {
		p.Line = skip + at.Position.Line
	}
	var unknown *yaml.UnknownFieldError
	var wrongType *yaml.TypeError
	switch {
	case errors.As(err, &unknown) && at != nil:
		valid := keys(reflect.TypeOf(v), at.Position.Column > 1)
		p.Reason = fmt.Sprintf("unknown key %q", cut(at.Value, 60))
		p.Cure = fmt.Sprintf("the nearest valid key is %q", spelling.Nearest(at.Value, valid))
	case errors.As(err, &wrongType):
		p.Reason = fmt.Sprintf("a %s does not fit here", wrongType.SrcType)
		p.Cure = fmt.Sprintf("write a %s", wrongType.DstType)
	case strings.Contains(p.Reason, "already defined"):
		p.Reason, _, _ = strings.Cut(p.Reason, " at [")
		p.Cure = "keep one of the two"
	}
	return p
}

// keys lists the YAML keys of a struct: its own, or those of all the structs in it.
func keys(t reflect.Type, inner bool) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var all []string
	for i := range t.NumField() {
		if inner {
			all = append(all, keys(t.Field(i).Type, false)...)
			all = append(all, keys(t.Field(i).Type, true)...)
		} else {
			all = append(all, t.Field(i).Tag.Get("yaml"))
		}
	}
	return all
}

// cut shortens text to at most n bytes for a message.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}
