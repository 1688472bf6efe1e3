package faulttest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const (
	guardVariable   = "SYSNERD_FAULTS_GUARD"   // the folder to take away
	programVariable = "SYSNERD_FAULTS_PROGRAM" // the folder with what was built before sudo
)

// What all tests share: a folder that is taken away at the end, the program, and
// the engine that it runs on.
var (
	place   string
	program string
	own     *engine
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(guardVariable); dir != "" {
		guard(dir)
		return
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "faulttest:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if os.Geteuid() != 0 { // an engine of our own needs root
		return asRoot()
	}
	// On a disk, which /tmp may not be: layers go there.
	if place, err = os.MkdirTemp("/var/tmp", "sysnerd-faults-"); err != nil {
		return 1, err
	}
	release, err := startGuard(place)
	if err != nil {
		os.RemoveAll(place)
		return 1, err
	}
	defer release()
	program = filepath.Join(place, "sysnerd")
	if built := os.Getenv(programVariable); built != "" {
		_ = os.Unsetenv(programVariable) // the program takes it for a misspelt setting
		err = command("cp", "--recursive", built+"/.", place)
	} else {
		err = build(place)
	}
	if err != nil {
		return 1, err
	}
	for _, kind := range []string{"docker", "local"} {
		if err := command(program, "image", "build", "--engine", kind); err != nil {
			return 1, err
		}
	}
	own = newEngine(filepath.Join(place, "engine"))
	if err := own.start(true); err != nil {
		return 1, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	err = own.load(ctx)
	cancel()
	if err != nil {
		return 1, err
	}
	if err := writeCourse(filepath.Join(place, "labs")); err != nil {
		return 1, err
	}
	// Faults last for seconds in which nothing happens: some tests wait together.
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		return 1, err
	}
	code = m.Run()
	own.close()
	if leak := goleak.Find(); leak != nil && code == 0 {
		return 1, leak
	}
	return code, nil
}

// asRoot runs the tests again by sudo. The program is built before, with the
// caller's Go and cache.
func asRoot() (code int, err error) {
	built, err := os.MkdirTemp("", "sysnerd-faults-program")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(built)
	if err := build(built); err != nil {
		return 1, err
	}
	again := exec.Command("sudo", append([]string{"-n", "env", programVariable + "=" + built}, os.Args...)...)
	again.Stdout, again.Stderr = os.Stdout, os.Stderr
	if err := again.Run(); again.ProcessState == nil {
		return 1, fmt.Errorf("need root for an engine of our own: %w; install sudo, or run the tests as root", err)
	}
	return again.ProcessState.ExitCode(), nil
}

// build builds sysnerd into a folder, and puts what it looks for beside it there.
func build(dir string) error {
	if err := command("go", "build", "-o", dir+"/", "sysnerd/cmd/sysnerd", "sysnerd/cmd/sysnerd-engine"); err != nil {
		return err
	}
	return command("cp", "../../../bin/runc", dir) // make build has made it
}

func command(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// startGuard starts a process in a session of its own. It waits until release is
// called or this process is gone, however it went.
func startGuard(dir string) (release func(), err error) {
	g := exec.Command(os.Args[0], "-test.run=^$")
	g.Env = append(os.Environ(), guardVariable+"="+dir)
	g.Stdout, g.Stderr = os.Stdout, os.Stderr
	g.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	hold, err := g.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := g.Start(); err != nil {
		return nil, err
	}
	return func() {
		hold.Close()
		if err := g.Wait(); err != nil {
			fmt.Fprintln(os.Stderr, "faulttest: guard:", err)
		}
	}, nil
}

// guard takes away whatever was started or mounted in dir, and dir itself.
func guard(dir string) {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, p := range processes(dir, "sysnerd") {
		_ = syscall.Kill(p, syscall.SIGKILL)
	}
	program = filepath.Join(dir, "sysnerd")
	instances, _ := filepath.Glob(filepath.Join(dir, "*", "data", "instance"))
	mounted, _ := filepath.Glob(filepath.Join(dir, "*", "mounted", "data", "instance"))
	for _, file := range append(instances, mounted...) {
		text, err := os.ReadFile(file)
		if err == nil {
			name := strings.TrimSpace(string(text))
			err = errors.Join(daemonless{}.clear(name), daemonless{}.clear(alike(name)))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "faulttest: guard:", err)
		}
	}
	e := newEngine(filepath.Join(dir, "engine"))
	e.finish()
	for _, p := range processes(dir) {
		_ = syscall.Kill(p, syscall.SIGKILL)
	}
	eventually(5*time.Second, func() bool { return len(processes(dir)) == 0 })
	e.empty()
	unmountBelow(dir)
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "faulttest: guard:", err)
		os.Exit(1)
	}
}

// processes are those of ours whose command line names dir: an engine's, its
// containers' shims, or a server's. Only those of a name, if names are given.
func processes(dir string, names ...string) (pids []int) {
	if len(names) == 0 {
		names = []string{"sysnerd", "dockerd", "containerd", "containerd-shim-runc-v2", "runc"}
	}
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range all {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), dir+"/") {
			continue
		}
		argv := strings.Split(string(text), "\x00")
		for _, name := range names {
			if filepath.Base(argv[0]) == name {
				var pid int
				fmt.Sscan(filepath.Base(filepath.Dir(file)), &pid)
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func unmountBelow(dir string) {
	for range 3 { // what is mounted on a mount goes first
		text, _ := os.ReadFile("/proc/self/mountinfo")
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], dir+"/") {
				_ = syscall.Unmount(f[4], syscall.MNT_DETACH)
			}
		}
	}
}

// eventually asks again and again until it is so, or the time is over.
func eventually(within time.Duration, so func() bool) bool {
	for end := time.Now().Add(within); ; time.Sleep(20 * time.Millisecond) {
		if so() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}
