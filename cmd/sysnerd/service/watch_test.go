package service

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sysnerd/labs"
	"sysnerd/web"
)

// patience is for a change to be seen; a healthy machine needs a fifth of a second.
const patience = 20 * time.Second

// watching serves a fresh course, os with the lab one, from a folder that is watched.
func watching(t *testing.T) (dir string, s *shelf) {
	t.Helper()
	dir = t.TempDir()
	if _, err := labs.New(dir, "os", "10-one"); err != nil {
		t.Fatal(err)
	}
	library, problems, err := LoadLabs(dir)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	s = newShelf(library, problems)
	ctx, stop := context.WithCancel(context.Background())
	wait, err := watchLabs(ctx, dir, s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		wait()
		goleak.VerifyNone(t)
	})
	return dir, s
}

// next waits for a content that is as it should be.
func next(t *testing.T, s *shelf, want string, right func(web.Content, *labs.Library) bool) web.Content {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	content := s.Content()
	for !right(content, s.Library()) {
		var err error
		if content, err = s.Changed(ctx, content.Revision); err != nil {
			t.Fatalf("%s: %v; content is %+v", want, err, s.Content())
		}
	}
	return content
}

func title(library *labs.Library) string {
	if len(library.Modules) == 0 || len(library.Modules[0].Labs) == 0 {
		return ""
	}
	return library.Modules[0].Labs[0].Title
}

func write(t *testing.T, path, text string) {
	t.Helper()
	// As editors do: a new file takes the place of the old.
	if err := os.WriteFile(path+"~", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

func TestAChangedLabIsServed(t *testing.T) {
	dir, s := watching(t)
	file := filepath.Join(dir, "os/labs/10-one/lab.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before := s.Content()
	write(t, file, strings.Replace(string(text), "Title of the lab", "Another", 1))
	after := next(t, s, "the new title", func(_ web.Content, l *labs.Library) bool { return title(l) == "Another" })
	if after.Version == before.Version {
		t.Error("pages are not told that they look different")
	}

	// Broken: the last good one stays, with the reason beside it, and no page is read again.
	write(t, file, strings.Replace(string(text), "level: core", "levle: core", 1))
	broken := next(t, s, "a problem", func(c web.Content, _ *labs.Library) bool { return len(c.Problems) > 0 })
	if got, want := broken.Problems[0].String(), `os/labs/10-one/lab.yaml:4: unknown key "levle"; the nearest valid key is "level"`; got != want {
		t.Errorf("problem = %s, want %s", got, want)
	}
	if broken.Version != after.Version || title(s.Library()) != "Another" {
		t.Errorf("version %d after %d, title %q: the last good one did not stay", broken.Version, after.Version, title(s.Library()))
	}

	write(t, file, string(text))
	next(t, s, "the first title and no problem", func(c web.Content, l *labs.Library) bool {
		return len(c.Problems) == 0 && title(l) == "Title of the lab"
	})
}

func TestANewFolderIsWatchedToo(t *testing.T) {
	dir, s := watching(t)
	if _, err := labs.New(dir, "os", "20-two"); err != nil {
		t.Fatal(err)
	}
	next(t, s, "a second lab", func(_ web.Content, l *labs.Library) bool { return len(l.Modules[0].Labs) == 2 })
	task := filepath.Join(dir, "os/labs/20-two/tasks/10-first/task.md")
	text, err := os.ReadFile(task)
	if err != nil {
		t.Fatal(err)
	}
	write(t, task, strings.Replace(string(text), "Title of the task", "Deep down", 1))
	next(t, s, "the new task", func(_ web.Content, l *labs.Library) bool {
		return len(l.Modules[0].Labs) == 2 && l.Modules[0].Labs[1].Tasks[0].Title == "Deep down"
	})
	if err := os.RemoveAll(filepath.Join(dir, "os/labs/20-two")); err != nil {
		t.Fatal(err)
	}
	next(t, s, "one lab again", func(_ web.Content, l *labs.Library) bool { return len(l.Modules[0].Labs) == 1 })
}

func TestAFolderThatIsGoneIsAProblem(t *testing.T) {
	dir, s := watching(t)
	if err := os.Rename(filepath.Join(dir, "os"), filepath.Join(dir, ".os")); err != nil {
		t.Fatal(err)
	}
	next(t, s, "a problem", func(c web.Content, _ *labs.Library) bool { return len(c.Problems) > 0 })
	if err := os.Rename(filepath.Join(dir, ".os"), filepath.Join(dir, "os")); err != nil {
		t.Fatal(err)
	}
	next(t, s, "the lab again", func(c web.Content, l *labs.Library) bool { return len(c.Problems) == 0 && title(l) != "" })
}
