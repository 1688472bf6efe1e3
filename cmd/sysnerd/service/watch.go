package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"

	"sysnerd/labs"
	"sysnerd/web"
)

// A folder is read again when nothing in it changed for settleTime: an editor writes in
// several steps. When it never rests, after settleMost.
const (
	settleTime = 150 * time.Millisecond
	settleMost = time.Second
)

// shelf holds the labs that are served. Its methods may be called by any number of
// goroutines.
type shelf struct {
	mu      sync.Mutex
	library *labs.Library
	content web.Content
	changed chan struct{} // closed when content changes
}

func newShelf(library *labs.Library, problems []labs.Problem) *shelf {
	return &shelf{
		library: library, changed: make(chan struct{}),
		// No two servers have the same version: a page of one that was ended is read again.
		content: web.Content{Version: time.Now().UnixNano(), Revision: 1, Problems: problems},
	}
}

// Library is the present content.
func (s *shelf) Library() *labs.Library {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.library
}

// Content is the present content's version, and what is not served of it.
func (s *shelf) Content() web.Content {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.content
}

// Changed waits for content of another revision. Errors: the context's.
func (s *shelf) Changed(ctx context.Context, revision int64) (web.Content, error) {
	for {
		s.mu.Lock()
		content, changed := s.content, s.changed
		s.mu.Unlock()
		if content.Revision != revision {
			return content, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return web.Content{}, ctx.Err()
		}
	}
}

// put takes what was loaded in the place of what was there. Of what is broken now, the
// last that was sound stays.
func (s *shelf) put(library *labs.Library, problems []labs.Problem) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	library = labs.Keep(s.library, library, problems)
	next := web.Content{Version: s.content.Version, Revision: s.content.Revision + 1, Problems: problems}
	if !reflect.DeepEqual(library, s.library) {
		s.library, changed = library, true
		next.Version = max(time.Now().UnixNano(), next.Version+1)
	}
	if changed || !reflect.DeepEqual(problems, s.content.Problems) {
		s.content = next
		close(s.changed)
		s.changed = make(chan struct{})
	}
	return changed
}

// watchLabs reads the labs below dir again whenever a file changes, until the context
// ends. Errors, at once: that the folder cannot be watched.
func watchLabs(ctx context.Context, dir string, to *shelf, log *slog.Logger) (wait func(), err error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, explainWatch(dir, err)
	}
	if err := watchBelow(watcher, dir); err != nil {
		return nil, errors.Join(explainWatch(dir, err), watcher.Close())
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		defer watcher.Close()
		follow(ctx, watcher, dir, to, log)
	})
	return watching.Wait, nil
}

// follow is watchLabs once it watches.
func follow(ctx context.Context, watcher *fsnotify.Watcher, dir string, to *shelf, log *slog.Logger) {
	settle := time.NewTimer(0) // at once: something may have changed before it watched
	defer settle.Stop()
	var since time.Time // when the first change came that was not read yet
	for {
		select {
		case event := <-watcher.Events:
			if event.Has(fsnotify.Create) {
				if err := watchBelow(watcher, event.Name); err != nil && !errors.Is(err, fs.ErrNotExist) {
					log.Warn("changes below a new folder go unseen", "error", explainWatch(event.Name, err))
				}
			}
			if since.IsZero() {
				since = time.Now()
			}
			settle.Reset(min(settleTime, max(0, settleMost-time.Since(since))))
		case err := <-watcher.Errors:
			log.Warn("some changes of labs may have gone unseen; reading all again", "error", err)
			settle.Reset(settleTime)
		case <-settle.C:
			since = time.Time{}
			library, problems, err := LoadLabs(dir)
			if err != nil {
				problems = []labs.Problem{{File: ".", Reason: err.Error(), Cure: "bring it back"}}
				library = &labs.Library{}
			}
			if to.put(library, problems) {
				log.Info("labs were read again", "problems", len(problems))
			}
		case <-ctx.Done():
			return
		}
	}
}

// watchBelow watches a folder and all below it. What is no folder is passed over.
func watchBelow(watcher *fsnotify.Watcher, dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !e.IsDir():
			return nil
		case path != dir && strings.HasPrefix(e.Name(), "."):
			return filepath.SkipDir
		}
		return watcher.Add(path)
	})
}

func explainWatch(dir string, err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EMFILE) {
		return fmt.Errorf("cannot watch %s: this machine's budget of inotify is used up; raise fs.inotify.max_user_watches and fs.inotify.max_user_instances, or leave out --watch", dir)
	}
	return fmt.Errorf("cannot watch %s: %w; leave out --watch", dir, err)
}
