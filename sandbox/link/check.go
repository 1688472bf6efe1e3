package link

import (
	"fmt"
	"regexp"
	"strings"
)

var fileName = regexp.MustCompile(`^[A-Z_]{1,32}$`)

// Check says what is wrong with an announced run: a number out of bounds, a name
// that would not be one.
func (r Run) Check() error {
	if r.Script < 0 || r.Script > MaxScript {
		return fmt.Errorf("script of %d bytes: want 0 to %d", r.Script, MaxScript)
	}
	if len(r.Files) > MaxFiles {
		return fmt.Errorf("%d files: want at most %d", len(r.Files), MaxFiles)
	}
	total := 0
	for _, f := range r.Files {
		if !fileName.MatchString(f.Name) {
			return fmt.Errorf("file name %q: want 1 to 32 of A-Z and _", f.Name)
		}
		if f.Size < 0 || f.Size > MaxFile {
			return fmt.Errorf("file %s of %d bytes: want 0 to %d", f.Name, f.Size, MaxFile)
		}
		total += f.Size
	}
	if total > MaxFilesSize {
		return fmt.Errorf("files of %d bytes together: want at most %d", total, MaxFilesSize)
	}
	for _, v := range r.Env {
		if name, _, ok := strings.Cut(v, "="); !ok || name == "" || strings.Contains(v, "\x00") {
			return fmt.Errorf("environment %q: want NAME=value", v)
		}
	}
	if r.Deadline <= 0 || r.Deadline > 10*60*1000 {
		return fmt.Errorf("deadline of %d ms: want 1 to 600000", r.Deadline)
	}
	if r.Output < 0 || r.Output > 16<<20 {
		return fmt.Errorf("output of %d bytes: want 0 to %d", r.Output, 16<<20)
	}
	return nil
}

// Check says what is wrong with a setup.
func (s Setup) Check() error {
	if s.UID < 1 || s.UID > 1<<30 {
		return fmt.Errorf("uid %d is not a learner's", s.UID)
	}
	if s.Processes < 1 || s.Processes > 1<<20 {
		return fmt.Errorf("process limit %d: want 1 to %d", s.Processes, 1<<20)
	}
	if !strings.HasPrefix(s.Home, "/") || strings.ContainsAny(s.Home, ":\n\x00") {
		return fmt.Errorf("home %q is not an absolute path", s.Home)
	}
	return nil
}
