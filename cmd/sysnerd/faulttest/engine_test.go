package faulttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"sysnerd/images"
)

// engine is a dockerd of our own. The machine's is never touched.
type engine struct {
	dir  string
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended
	api  *client.Client
}

func newEngine(dir string) *engine { return &engine{dir: dir} }

// reached is the engine by another way than its socket.
type reached struct {
	*engine
	at string
}

func (r reached) arguments() []string { return arguments(r.at) }

func (e *engine) arguments() []string { return arguments(e.host()) }

func arguments(host string) []string { return []string{"--engine", "docker", "--docker-host", host} }

func (e *engine) socket() string { return filepath.Join(e.dir, "docker.sock") }
func (e *engine) host() string   { return "unix://" + e.socket() }

// start starts it, with or without live-restore, and returns when it answers.
func (e *engine) start(liveRestore bool) error {
	if err := os.MkdirAll(e.dir, 0o700); err != nil {
		return err
	}
	// A dead one's containerd ends a moment later, and a new dockerd would wait for it in vain.
	if !eventually(20*time.Second, func() bool { return len(processes(e.dir, "dockerd", "containerd")) == 0 }) {
		return errors.New("the last dockerd's containerd does not end")
	}
	// Where nobody reaps orphans their pids look alive.
	pidfile := filepath.Join(e.dir, "pid")
	_ = os.Remove(pidfile)
	_ = os.Remove(filepath.Join(e.dir, "exec", "containerd", "containerd.pid"))
	log, err := os.OpenFile(filepath.Join(e.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	e.cmd = exec.Command("dockerd", fmt.Sprintf("--live-restore=%t", liveRestore),
		"--data-root", filepath.Join(e.dir, "data"), "--exec-root", filepath.Join(e.dir, "exec"),
		"--host", e.host(), "--pidfile", pidfile, "--storage-driver", "overlay2",
		"--bridge", "none", "--iptables=false", "--ip-masq=false",
		"--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", e.cgroup())
	e.cmd.Stdout, e.cmd.Stderr = log, log
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := e.cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	e.done = done
	go func() { _ = e.cmd.Wait(); close(done) }()
	if e.api == nil {
		if e.api, err = client.NewClientWithOpts(client.WithHost(e.host()), client.WithAPIVersionNegotiation()); err != nil {
			return err
		}
	}
	if !eventually(60*time.Second, e.answers) {
		text, _ := os.ReadFile(filepath.Join(e.dir, "log"))
		return fmt.Errorf("our dockerd does not answer; its log ends with:\n%s", text[max(0, len(text)-2000):])
	}
	return nil
}

func (e *engine) cgroup() string { return "/" + filepath.Base(filepath.Dir(e.dir)) }

func (e *engine) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := e.api.Ping(ctx)
	return err == nil
}

// kill ends it as a crash does. Containers run on.
func (e *engine) kill() { e.signal(syscall.SIGKILL) }

// stop ends it as the system does.
func (e *engine) stop() { e.signal(syscall.SIGTERM) }

func (e *engine) signal(s syscall.Signal) {
	_ = e.cmd.Process.Signal(s)
	select {
	case <-e.done:
	case <-time.After(30 * time.Second):
		_ = e.cmd.Process.Kill()
		<-e.done
	}
}

// close leaves it to the guard.
func (e *engine) close() {
	_ = e.api.Close()
	if e.cmd != nil {
		e.signal(syscall.SIGKILL)
	}
}

// finish is the guard's: no process or container of it stays. One started
// without live-restore ends what it finds running, and cleans up as it knows how to.
func (e *engine) finish() {
	for _, p := range processes(e.dir, "dockerd") {
		_ = syscall.Kill(p, syscall.SIGKILL)
	}
	if len(processes(e.dir, "containerd-shim-runc-v2")) > 0 {
		if err := e.start(false); err != nil {
			fmt.Fprintln(os.Stderr, "faulttest: guard:", err)
		}
		e.stop()
	}
	eventually(20*time.Second, func() bool { return len(processes(e.dir)) == 0 })
}

// empty ends what still runs in our cgroups, which an engine killed in the middle
// of a start may have forgotten, and removes them.
func (e *engine) empty() {
	eventually(5*time.Second, func() bool {
		all := cgroups(e.cgroup())
		for _, dir := range all {
			inner, _ := filepath.Glob(dir + "/*/")
			for _, d := range append(inner, dir) {
				procs, _ := os.ReadFile(filepath.Join(d, "cgroup.procs"))
				for _, field := range strings.Fields(string(procs)) {
					if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
						_ = syscall.Kill(pid, syscall.SIGKILL)
					}
				}
				_ = syscall.Rmdir(strings.TrimSuffix(d, "/"))
			}
		}
		return len(all) == 0
	})
}

// load brings the sandbox image from the machine's engine, which only reads it.
func (e *engine) load(ctx context.Context) error {
	tag, err := images.Tag()
	if err != nil {
		return err
	}
	machine, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return err
	}
	defer machine.Close()
	saved, err := machine.ImageSave(ctx, []string{tag})
	if err != nil {
		return fmt.Errorf("save %s: %w", tag, err)
	}
	defer saved.Close()
	loaded, err := e.api.ImageLoad(ctx, saved, client.ImageLoadWithQuiet(true))
	if err != nil {
		return fmt.Errorf("load %s: %w", tag, err)
	}
	defer loaded.Body.Close()
	_, err = io.Copy(io.Discard, loaded.Body)
	return err
}

func containerOf(instance, id string) string { return "sysnerd-" + instance + "-" + id }

// all are the containers that bear the label.
func (e *engine) all(instance string) (ids []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	all, err := e.api.ContainerList(ctx, container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", "sysnerd.instance="+instance)),
	})
	for _, c := range all {
		ids = append(ids, strings.TrimPrefix(c.Names[0], "/"+containerOf(instance, "")))
	}
	return ids, err
}

func (e *engine) end(instance, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return e.api.ContainerKill(ctx, containerOf(instance, id), "KILL")
}

func (e *engine) remove(instance, id string) error {
	return e.removeContainer(containerOf(instance, id))
}

func (e *engine) removeContainer(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return e.api.ContainerRemove(ctx, name, container.RemoveOptions{Force: true})
}

func (e *engine) clear(instance string) error {
	if !e.answers() {
		return nil
	}
	ids, err := e.all(instance)
	for _, id := range ids {
		// What the server itself was removing when it was killed goes without us.
		if gone := e.remove(instance, id); gone != nil && !errdefs.IsConflict(gone) && !errdefs.IsNotFound(gone) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// leave makes containers that were never started.
func (e *engine) leave(t *testing.T, instance string) (ours, foreign []leftover) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	images, err := e.api.ImageList(ctx, image.ListOptions{})
	if err != nil || len(images) == 0 {
		t.Fatalf("images of our engine: %v, %v", images, err)
	}
	const id = "aaaabbbbccccdddd"
	make := func(name, instance string) []leftover {
		_, err := e.api.ContainerCreate(ctx, &container.Config{Image: images[0].ID, Labels: map[string]string{
			"sysnerd.instance": instance, "sysnerd.sandbox": id, "sysnerd.lab": "os/one", "sysnerd.uid": "29999",
		}}, &container.HostConfig{NetworkMode: "none"}, nil, nil, name)
		if err != nil {
			t.Fatal(err)
		}
		return []leftover{{name, func() bool { return e.exists(name) }, func() { _ = e.removeContainer(name) }}}
	}
	return make(containerOf(instance, id), instance), append(
		make(containerOf(alike(instance), id), alike(instance)),
		make("of-somebody-else", instance)...) // our labels, another name
}

func (e *engine) exists(name string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := e.api.ContainerInspect(ctx, name)
	return err == nil
}
