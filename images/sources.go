package images

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sourceFile is a list of package sources that apt reads.
type sourceFile struct {
	name    string // its ending tells the format: .sources is deb822, .list one line each
	content string
}

// hostSources reads where this machine gets the distribution's packages from, so
// that a mirror or proxy configured by its owner serves the image too. Sources of
// third parties are left out: what they hold must not get into a sandbox.
func hostSources(d distribution) ([]sourceFile, error) {
	names := []string{"/etc/apt/sources.list"}
	for _, pattern := range []string{"/etc/apt/sources.list.d/*.list", "/etc/apt/sources.list.d/*.sources"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	var all []sourceFile
	for _, name := range names {
		content, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the package sources: %w", err)
		}
		filter := filterOneLine
		if strings.HasSuffix(name, ".sources") {
			filter = filterDeb822
		}
		if kept := filter(string(content), d); kept != "" {
			all = append(all, sourceFile{filepath.Base(name), kept})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no package source of %s in /etc/apt/sources.list or /etc/apt/sources.list.d; add the distribution's own", d)
	}
	return all, nil
}

// components are those of Debian and Ubuntu; third parties use names of their own, or main.
var components = map[string]bool{
	"main": true, "contrib": true, "non-free": true, "non-free-firmware": true,
	"restricted": true, "universe": true, "multiverse": true,
}

// source is one entry in either format.
type source struct {
	types, uris, suites, components []string
	signedBy                        string
}

// own tells whether s, as far as it can be told without asking it, is the
// distribution's own: its suites, its components, and its key or (where no key is
// named) its usual path on a mirror.
func (s source) own(d distribution) bool {
	if len(s.suites) == 0 || len(s.components) == 0 || !slices.Contains(s.types, "deb") {
		return false
	}
	for _, suite := range s.suites {
		if !ownSuite(suite, d.codename) {
			return false
		}
	}
	for _, component := range s.components {
		if !components[component] {
			return false
		}
	}
	if s.signedBy != "" {
		return strings.HasPrefix(filepath.Base(s.signedBy), d.id+"-archive-")
	}
	for _, uri := range s.uris {
		if !ownPath(uri, d.id) {
			return false
		}
	}
	return len(s.uris) > 0
}

// ownSuite leaves out proposed updates and backports: they are newer than what a
// learner finds on a machine of his own.
func ownSuite(suite, codename string) bool {
	switch strings.TrimPrefix(suite, codename) {
	case "", "-updates", "-security", "/updates":
		return strings.HasPrefix(suite, codename)
	}
	return false
}

// ownPath tells whether a folder on the mirror is called after the distribution:
// debian, debian-security, ubuntu, ubuntu-ports.
func ownPath(uri, id string) bool {
	_, rest, _ := strings.Cut(uri, ":")
	parts := strings.Split(strings.TrimLeft(rest, "/"), "/")
	if strings.HasPrefix(rest, "//") && len(parts) > 0 {
		parts = parts[1:] // the host's name proves nothing
	}
	for _, part := range parts {
		part = strings.TrimSuffix(part, ".list")
		if part == id || strings.HasPrefix(part, id+"-") {
			return true
		}
	}
	return false
}

// filterOneLine keeps the distribution's entries of a sources.list(5).
func filterOneLine(text string, d distribution) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		entry, _, _ := strings.Cut(line, "#")
		entry = strings.TrimSpace(entry)
		var s source
		rest := entry
		if head, options, ok := strings.Cut(entry, "["); ok {
			options, tail, closed := strings.Cut(options, "]")
			if !closed {
				continue
			}
			for _, option := range strings.Fields(options) {
				if key, value, _ := strings.Cut(option, "="); strings.EqualFold(key, "signed-by") {
					s.signedBy = value
				}
			}
			rest = head + tail
		}
		if fields := strings.Fields(rest); len(fields) >= 4 {
			s.types, s.uris, s.suites, s.components = fields[:1], fields[1:2], fields[2:3], fields[3:]
		}
		if s.own(d) {
			kept.WriteString(entry + "\n")
		}
	}
	return kept.String()
}

// filterDeb822 keeps the distribution's stanzas of a .sources file, less the suites that it leaves out.
func filterDeb822(text string, d distribution) string {
	var kept []string
	var stanza []string
	end := func() {
		if block := deb822Stanza(stanza, d); block != "" {
			kept = append(kept, block)
		}
		stanza = nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "":
			end()
		default:
			stanza = append(stanza, line)
		}
	}
	end()
	return strings.Join(kept, "\n")
}

func deb822Stanza(lines []string, d distribution) string {
	values := map[string]string{}
	key := ""
	for _, line := range lines {
		if line[0] == ' ' || line[0] == '\t' {
			values[key] += "\n" + line
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		key = strings.ToLower(name)
		values[key] = strings.TrimSpace(value)
	}
	if enabled := strings.ToLower(values["enabled"]); enabled == "no" || enabled == "false" {
		return ""
	}
	s := source{
		types:      strings.Fields(values["types"]),
		uris:       strings.Fields(values["uris"]),
		components: strings.Fields(values["components"]),
		signedBy:   values["signed-by"],
	}
	// Ubuntu and Debian list all suites in one stanza, backports among them.
	for _, suite := range strings.Fields(values["suites"]) {
		if ownSuite(suite, d.codename) {
			s.suites = append(s.suites, suite)
		}
	}
	if !s.own(d) {
		return ""
	}
	var block strings.Builder
	fmt.Fprintf(&block, "Types: deb\nURIs: %s\nSuites: %s\nComponents: %s\n",
		strings.Join(s.uris, " "), strings.Join(s.suites, " "), strings.Join(s.components, " "))
	if s.signedBy != "" {
		fmt.Fprintf(&block, "Signed-By: %s\n", s.signedBy)
	}
	return block.String()
}
