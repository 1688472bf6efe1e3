package classroom

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"sysnerd/labs"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("CLASSROOM_TEST_WRITER"); path != "" {
		writeUntilKilled(path, os.Getenv("CLASSROOM_TEST_SANDBOX"))
	}
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func file(t *testing.T) string { return filepath.Join(t.TempDir(), "a folder ?%#", "sysnerd.db") }

func newStore(t *testing.T) (*Store, string) {
	t.Helper()
	path := file(t)
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	return open(t, path), path
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// save has to succeed.
func save(t *testing.T, s *Store, l Look) (first bool) {
	t.Helper()
	first, err := s.SaveResult(t.Context(), l)
	check(t, err)
	return first
}

func TestStoreOutlivesItsProcess(t *testing.T) {
	s, path := newStore(t)
	ctx := t.Context()
	secret, err := s.Secret(ctx)
	check(t, err)
	a := Attempt{
		Sandbox: "s1", Learner: "ada", Module: "os", Lab: "one", Seed: "feed",
		Generation: 1, Expires: time.UnixMilli(1_700_000_000_123).UTC(), Memory: 1 << 28,
	}
	check(t, s.SaveAttempt(ctx, a))
	a.Generation = 2
	check(t, s.SaveAttempt(ctx, a))
	check(t, s.SaveAttempt(ctx, Attempt{Sandbox: "s2", Learner: "bob"}))
	check(t, s.EndAttempt(ctx, "s2"))
	check(t, s.SaveAnswer(ctx, "s1", "t", "first"))
	check(t, s.SaveAnswer(ctx, "s1", "t", "second"))
	result := labs.Result{Task: "t", Status: labs.Pass, Attempted: true, Message: "Passed.", Ms: 3}
	save(t, s, Look{Learner: "ada", Module: "os", Lab: "one", Result: result})
	check(t, s.Close())

	s = open(t, path)
	again, err := s.Secret(ctx)
	check(t, err)
	if len(secret) != 32 || !bytes.Equal(secret, again) {
		t.Errorf("secret was %x, is %x", secret, again)
	}
	got, ok, err := s.Attempt(ctx, "s1")
	if err != nil || !ok || got != a {
		t.Errorf("attempt %+v, %v, %v; want %+v", got, ok, err, a)
	}
	if _, ok, err := s.Attempt(ctx, "none"); ok || err != nil {
		t.Errorf("attempt of no sandbox: %v, %v", ok, err)
	}
	all, err := s.Attempts(ctx)
	if d := cmp.Diff([]Attempt{a}, all); err != nil || d != "" {
		t.Errorf("live attempts (-want +got): %v\n%s", err, d)
	}
	answers, err := s.Answers(ctx, "s1")
	if d := cmp.Diff(map[string]string{"t": "second"}, answers); err != nil || d != "" {
		t.Errorf("answers (-want +got): %v\n%s", err, d)
	}
	check(t, s.ClearAnswers(ctx, "s1"))
	if answers, err = s.Answers(ctx, "s1"); err != nil || len(answers) != 0 {
		t.Errorf("answers after clearing: %v, %v", answers, err)
	}
	progress, err := s.Progress(ctx, "ada", "os", "one")
	check(t, err)
	if p := progress["t"]; p.Passed.IsZero() || *p.Last != result {
		t.Errorf("progress %+v", p)
	}
}

func TestStoreTakesManyWritersAtOnce(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 25 {
				if _, _, err := s.OpenHint(ctx, "ada", "os", "one", "t", 1000, 0); err != nil {
					t.Error(err)
				}
				if _, err := s.Progress(ctx, fmt.Sprint(i), "os", "one"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	all, err := s.Progress(ctx, "ada", "os", "one")
	if err != nil || all["t"].Hints != 200 {
		t.Errorf("hints: %d, %v; want 200", all["t"].Hints, err)
	}
}

// writeUntilKilled saves answers and tells of each once it is acknowledged.
func writeUntilKilled(path, sandbox string) {
	ctx := context.Background()
	s, err := Open(ctx, path)
	if err == nil {
		err = s.SaveAttempt(ctx, Attempt{Sandbox: sandbox})
	}
	for i := 0; err == nil; i++ {
		if err = s.SaveAnswer(ctx, sandbox, fmt.Sprint(i), "x"); err == nil {
			fmt.Println(i)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestAcknowledgedWritesSurviveAKill(t *testing.T) {
	_, path := newStore(t)
	for round := range 3 {
		cmd := exec.Command(os.Args[0])
		sandbox := fmt.Sprint("s", round)
		cmd.Env = append(os.Environ(), "CLASSROOM_TEST_WRITER="+path, "CLASSROOM_TEST_SANDBOX="+sandbox)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		check(t, err)
		check(t, cmd.Start())
		var told bytes.Buffer
		buf := make([]byte, 64)
		for told.Len() < 100 {
			n, err := out.Read(buf)
			check(t, err)
			told.Write(buf[:n])
		}
		check(t, cmd.Process.Kill())
		told.ReadFrom(out)
		_ = cmd.Wait()
		// The last line may be cut off: it counts only if it is whole.
		acknowledged := strings.Count(told.String(), "\n")
		s := open(t, path)
		answers, err := s.Answers(t.Context(), sandbox)
		check(t, err)
		for i := range acknowledged {
			if answers[fmt.Sprint(i)] != "x" {
				t.Fatalf("round %d: answer %d of %d was acknowledged and is lost", round, i, acknowledged)
			}
		}
		check(t, s.Close())
	}
}

func TestStoreSaysWhatIsTheMatter(t *testing.T) {
	ctx := t.Context()
	wants := func(what string, err error, words ...string) {
		t.Helper()
		for _, w := range words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v; want %q in it", what, err, w)
			}
		}
	}

	_, err := Open(ctx, filepath.Join(t.TempDir(), "none", "db"))
	wants("no folder", err, "no such file or directory", "--data")

	junk := filepath.Join(t.TempDir(), "db")
	check(t, os.WriteFile(junk, []byte(strings.Repeat("not a database. ", 100)), 0o600))
	_, err = Open(ctx, junk)
	wants("junk", err, junk, "damaged")

	s, path := newStore(t)
	check(t, s.SaveAttempt(ctx, Attempt{Sandbox: "s"}))
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the store's mode is %v, %v", info.Mode(), err)
	}
	// As a full disk does it: no page can be added.
	var pages int
	check(t, s.write.QueryRow("PRAGMA page_count").Scan(&pages))
	_, err = s.write.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	check(t, err)
	err = s.SaveAnswer(ctx, "s", "t", strings.Repeat("x", 1<<20))
	wants("full", err, "full", filepath.Dir(path), "save answer in sandbox s")
	if answers, err := s.Answers(ctx, "s"); err != nil || len(answers) != 0 {
		t.Errorf("after a full disk: %v, %v", answers, err)
	}
	_, err = s.write.Exec("PRAGMA query_only = 1")
	check(t, err)
	wants("read-only", s.SaveAnswer(ctx, "s", "t", "x"), "can't be written", path)
	_, err = s.write.Exec("PRAGMA query_only = 0")
	check(t, err)
	check(t, s.SaveAnswer(ctx, "s", "t", "x"))

	_, err = s.write.Exec("PRAGMA user_version = 99")
	check(t, err)
	check(t, s.Close())
	_, err = Open(ctx, path)
	wants("newer", err, "newer sysnerd", "99")
}

func TestMigrationRunsOnce(t *testing.T) {
	s, path := newStore(t)
	check(t, s.SaveAttempt(t.Context(), Attempt{Sandbox: "s", Learner: "ada"}))
	check(t, s.Close())
	before := migrations
	defer func() { migrations = before }()
	released := len(migrations)
	migrations = append(migrations[:released:released], "ALTER TABLE attempt ADD COLUMN note TEXT NOT NULL DEFAULT 'none'")
	for range 2 {
		s = open(t, path)
		var version int
		var note string
		check(t, s.read.QueryRow("PRAGMA user_version").Scan(&version))
		check(t, s.read.QueryRow("SELECT note FROM attempt WHERE learner = 'ada'").Scan(&note))
		if version != released+1 || note != "none" {
			t.Errorf("version %d, note %q", version, note)
		}
		check(t, s.Close())
	}

	// One that fails leaves the store as it was.
	migrations = append(migrations, "CREATE TABLE half (x); SELECT nonsense")
	if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("format %d", released+2)) {
		t.Errorf("a bad migration: %v", err)
	}
	migrations = migrations[:released+1]
	s = open(t, path)
	var name string
	if err := s.read.QueryRow("SELECT name FROM sqlite_master WHERE name = 'half'").Scan(&name); err != sql.ErrNoRows {
		t.Errorf("half a migration is left: %q, %v", name, err)
	}
}
