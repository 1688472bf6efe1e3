package web

import (
	"bytes"
	"io/fs"
	"regexp"
)

// included finds the headers of our own that a program includes.
var included = regexp.MustCompile(`(?m)^#include "([a-z0-9-]{1,64}\.h)"$`)

// readProgram is NAME.c, and behind it the headers beside it that it includes, each
// under a line with its name. The name must be one that content may use.
func readProgram(sources fs.FS, name string) ([]byte, error) {
	text, err := fs.ReadFile(sources, name+".c")
	if err != nil {
		return nil, err
	}
	all := bytes.Clone(text)
	for _, match := range included.FindAllSubmatch(text, -1) {
		header, err := fs.ReadFile(sources, string(match[1]))
		if err != nil {
			return nil, err
		}
		all = append(all, "\n/* ---- "+string(match[1])+" ---- */\n"...)
		all = append(all, header...)
	}
	return all, nil
}
