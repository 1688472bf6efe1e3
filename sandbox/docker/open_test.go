package docker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sysnerd/sandbox"
	"sysnerd/sandbox/docker"
)

// listen serves something on a socket that is no good engine.
func listen(t *testing.T, serve http.HandlerFunc) (host string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: serve}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	return "unix://" + path
}

func engine(version string, others http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", version)
		w.Header().Set("Ostype", "linux")
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
			_, _ = io.WriteString(w, "OK")
		default:
			others(w, r)
		}
	}
}

func TestOpenSaysWhatCures(t *testing.T) {
	for _, c := range []struct{ what, host, cure string }{
		{"nobody there", "unix://" + filepath.Join(t.TempDir(), "none.sock"), "apt install docker.io"},
		{"no address", "nonsense", "DOCKER_HOST"},
		{"another program", listen(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }), "no Docker Engine"},
		{"an old engine", listen(t, engine("1.40", http.NotFound)), "20.10"},
	} {
		_, err := docker.Open(t.Context(), docker.Config{Instance: "test", Host: c.host})
		if !errors.Is(err, sandbox.ErrUnavailable) || !strings.Contains(err.Error(), c.cure) {
			t.Errorf("Open with %s = %v; want ErrUnavailable and %q", c.what, err, c.cure)
		}
	}
}

// An engine that takes a call and never answers must not hold anyone.
func TestEveryCallEndsThoughTheEngineHangs(t *testing.T) {
	// The client watches its connection only once the request is read whole.
	host := listen(t, engine("1.41", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	testHanging(t, host)
}

// The same, when inspect answers and only attach hangs: there the client takes
// the connection over and would wait for ever.
func TestAttachEndsThoughTheEngineHangs(t *testing.T) {
	host := listen(t, engine("1.41", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/json") {
			inspected(w)
			return
		}
		<-r.Context().Done()
	}))
	testHanging(t, host)
}

const someID = "0123456789abcdef"

// inspected answers that the sandbox someID is there and runs.
func inspected(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"Id":"0123456789ab","Name":"/sysnerd-test-%[1]s","State":{"Running":true},
		"Config":{"Labels":{"sysnerd.instance":"test","sysnerd.sandbox":"%[1]s"}}}`, someID)
}

// An engine may never tell who waits for it that a container is gone.
func TestRemovalBySomebodyElseIsWaitedFor(t *testing.T) {
	for _, c := range []struct {
		what      string
		conflicts int32 // before it is gone
		want      error
	}{
		{"ends", 3, nil},
		{"does not end", 1 << 30, context.DeadlineExceeded},
	} {
		var asked atomic.Int32
		host := listen(t, engine("1.41", func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/json"):
				inspected(w)
			case r.Method != http.MethodDelete:
				<-r.Context().Done()
			case asked.Add(1) > c.conflicts:
				http.Error(w, `{"message":"No such container"}`, http.StatusNotFound)
			default:
				http.Error(w, `{"message":"removal of container is already in progress"}`, http.StatusConflict)
			}
		}))
		e, err := docker.Open(t.Context(), docker.Config{Instance: "test", Host: host})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if err := e.Remove(ctx, someID); !errors.Is(err, c.want) {
			t.Errorf("Remove beside a removal that %s = %v, want %v", c.what, err, c.want)
		}
		cancel()
		if n := asked.Load(); n < 4 || n > 200 {
			t.Errorf("%s: the engine was asked %d times, want a pause in between", c.what, n)
		}
		_ = e.Close()
	}
}

func testHanging(t *testing.T, host string) {
	e, err := docker.Open(t.Context(), docker.Config{Instance: "test", Host: host})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, c := range []struct {
		name string
		call func(context.Context) error
	}{
		{"Attach", func(ctx context.Context) error { _, err := e.Attach(ctx, someID); return err }},
		{"Update", func(ctx context.Context) error { return e.Update(ctx, someID, sandbox.DefaultLimits()) }},
		{"Remove", func(ctx context.Context) error { return e.Remove(ctx, someID) }},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		err := c.call(ctx)
		cancel()
		if !errors.Is(err, sandbox.ErrUnavailable) {
			t.Errorf("%s = %v, want ErrUnavailable", c.name, err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		timer := time.AfterFunc(50*time.Millisecond, cancel)
		err = c.call(ctx)
		timer.Stop()
		cancel()
		if !errors.Is(err, context.Canceled) || errors.Is(err, sandbox.ErrUnavailable) {
			t.Errorf("%s, cancelled = %v, want context.Canceled alone", c.name, err)
		}
	}
}
