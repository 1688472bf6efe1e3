package rehearse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing/fstest"
	"time"

	"github.com/creack/pty"
	"github.com/gorilla/websocket"

	"sysnerd/labs"
	"sysnerd/labs/classroom"
	"sysnerd/sandbox"
	"sysnerd/sandbox/fake"
	"sysnerd/web"
)

// site is a whole server on the fake engine.
type site struct {
	url    string
	engine *fake.Engine
	close  func() error
}

func openSite(dir, guest string, capacity int) (*site, error) {
	library, problems := labs.Load(fstest.MapFS{
		"os/module.yaml":                                {Data: []byte("schema: 1\nid: os\ntitle: OS\nsummary: All.\nminutes: 9\nsections:\n  - number: 5\n    title: Calls\n")},
		"os/labs/01-one/lab.yaml":                       {Data: []byte("schema: 1\ntitle: One\nsummary: First.\nlevel: core\nminutes: 5\nsection: 5\n")},
		"os/labs/01-one/lab.md":                         {Data: []byte("Why.\n")},
		"os/labs/01-one/tasks/10-word/task.md":          {Data: []byte("---\nschema: 1\ntitle: Word\nwhy: So.\nanswer: true\nhints:\n  - Say it.\n---\nDo it.\n")},
		"os/labs/01-one/tasks/10-word/check.sh":         {Data: []byte("fail 'Not that word.'\n")},
		"os/labs/01-one/tasks/10-word/solve.sh":         {Data: []byte("true\n")},
		"os/labs/01-one/tasks/10-word/solution.md":      {Data: []byte("None.\n")},
		"os/labs/01-one/tasks/10-word/wrong/nothing.sh": {Data: []byte("#!/bin/bash\n# Not that.\nfalse\n")},
	})
	if len(problems) > 0 {
		return nil, errors.New(problems[0].String())
	}
	bashrc, err := filepath.Abs("../../../images/files/bash.bashrc")
	if err != nil {
		return nil, err
	}
	const instance = "rehearsetest"
	log := slog.New(slog.DiscardHandler)
	engine, err := fake.Open(fake.Config{Instance: instance, Guest: guest, Bashrc: bashrc, Log: log})
	if err != nil {
		return nil, err
	}
	store, err := classroom.Open(context.Background(), filepath.Join(dir, "sysnerd.db"))
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	keeper := sandbox.NewKeeper(sandbox.KeeperConfig{
		Engine: engine, Instance: instance, Image: fake.Image, Capacity: capacity, Lifetime: time.Hour, MaxLife: time.Hour, Log: log,
	})
	closing := func() error { return errors.Join(keeper.Close(context.Background()), store.Close(), engine.Close()) }
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, closing())
	}
	server, err := web.New(web.Config{
		Keeper: keeper, Library: func() *labs.Library { return library }, Store: store,
		Ready: func(context.Context) []web.Fault { return nil }, Listen: listener.Addr().String(), Log: log,
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close(), closing())
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	return &site{url: "http://" + listener.Addr().String(), engine: engine, close: func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return errors.Join(server.Close(ctx), <-served, closing())
	}}, nil
}

// A benchmark's servers run in processes of their own, so that their memory and
// CPU are not mixed with the client's: this program, started again as a child.
const (
	childVariable = "REHEARSE_CHILD" // what to be: site or floor
	childDir      = "REHEARSE_DIR"
	childGuest    = "REHEARSE_GUEST"
	childPlaces   = "REHEARSE_PLACES"
)

func beChild(what string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if what == "floor" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Printf("floor is at http://%s\n", l.Addr())
		go func() { _ = http.Serve(l, http.HandlerFunc(floor)) }()
		<-ctx.Done()
		return 0
	}
	places, _ := strconv.Atoi(os.Getenv(childPlaces))
	s, err := openSite(os.Getenv(childDir), os.Getenv(childGuest), places)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("site is at %s\n", s.url)
	<-ctx.Done()
	if err := s.close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// floor is the least that can be done: a shell on a pty, behind a WebSocket.
func floor(w http.ResponseWriter, r *http.Request) {
	socket, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	shell := exec.Command("bash", "--norc")
	master, err := pty.Start(shell)
	if err != nil {
		return
	}
	go func() {
		buffer := make([]byte, 32<<10)
		for {
			n, err := master.Read(buffer)
			if err != nil || socket.WriteMessage(websocket.BinaryMessage, buffer[:n]) != nil {
				return
			}
		}
	}()
	for {
		_, p, err := socket.ReadMessage()
		if err != nil {
			break
		}
		if _, err := master.Write(p); err != nil {
			break
		}
	}
	_ = shell.Process.Kill()
	_ = shell.Wait()
	master.Close()
}
