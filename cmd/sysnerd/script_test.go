package main

import (
	"flag"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"sysnerd/cmd/sysnerd/datadir"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sysnerd": main})
}

// Each verb has a script; the program in it is the real one.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":    cmdStatus,
			"occupy":    cmdOccupy,
			"hold":      cmdHold,
			"oldengine": cmdOldEngine,
		},
		Setup: func(e *testscript.Env) error {
			program, err := exec.LookPath("sysnerd")
			if err != nil {
				return err
			}
			e.Setenv("SYSNERD", program)
			e.Setenv("XDG_DATA_HOME", filepath.Join(e.WorkDir, "share"))
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "etc"))
			return nil
		},
	})
}

// status N PROGRAM ARGS... runs a program that has to end with status N, where
// the plain "!" takes any but 0.
func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N program args...")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("%s ended with %s, want status %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// occupy VARIABLE listens on a port until the script ends, and says where.
func cmdOccupy(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

// hold DIR has the data directory until the script ends, as a server does.
func cmdHold(ts *testscript.TestScript, neg bool, args []string) {
	d, err := datadir.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Defer(func() { d.Close() })
}

// oldengine SOCKET answers there as a Docker Engine does that knows no image.
func cmdOldEngine(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("unix", ts.MkAbs(args[0]))
	ts.Check(err)
	engine := http.NewServeMux()
	answer := func(path, text string, status int) {
		engine.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Api-Version", "1.41")
			w.Header().Set("OSType", "linux")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		})
	}
	answer("/_ping", "OK", http.StatusOK)
	answer("/v1.41/info", `{"CgroupVersion": "2", "OSType": "linux"}`, http.StatusOK)
	answer("/v1.41/images/", `{"message": "no such image"}`, http.StatusNotFound)
	answer("/v1.41/containers/json", `[]`, http.StatusOK)
	server := &http.Server{Handler: engine}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	ts.Defer(func() {
		server.Close()
		<-done
		os.Remove(ts.MkAbs(args[0]))
	})
}
