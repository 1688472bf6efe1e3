package docker_test

import (
	"archive/tar"
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"sysnerd/sandbox"
)

// api is the engine itself, to make what is not ours and to look behind ours.
func api(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func spec(tb testing.TB, instance, id string, slot int) sandbox.Spec {
	return sandbox.Spec{
		ID: id, Instance: instance, Lab: "processes/fork", Image: imageTag(tb), UID: sandbox.FirstUID + 8000 + slot,
		Expires: time.Now().Add(time.Hour), Limits: sandbox.DefaultLimits(),
	}
}

// Containers whose names or labels look like ours, each lacking one mark.
func TestForeignContainersAreNeverTouched(t *testing.T) {
	const instance, id = "foreigntest", "aaaabbbbccccdddd"
	raw, e := api(t), open(t, instance)
	for _, c := range []struct {
		name   string
		labels map[string]string
	}{
		{"sysnerd-foreigntest-" + id, nil},
		{"sysnerd-foreigntest-" + id, map[string]string{"sysnerd.instance": instance + "2", "sysnerd.sandbox": id}},
		{"sysnerd-foreigntest-" + id, map[string]string{"sysnerd.instance": instance, "sysnerd.sandbox": "eeeebbbbccccdddd"}},
		{"sysnerd-foreigntest-" + id, map[string]string{"sysnerd.instance": instance}},
		{"somebodys-" + id, map[string]string{"sysnerd.instance": instance, "sysnerd.sandbox": id}},
	} {
		made, err := raw.ContainerCreate(t.Context(), &container.Config{Image: imageTag(t), Labels: c.labels},
			&container.HostConfig{NetworkMode: "none"}, nil, nil, c.name)
		if err != nil {
			t.Fatal(err)
		}
		remove := func() { _ = raw.ContainerRemove(context.Background(), made.ID, container.RemoveOptions{Force: true}) }
		t.Cleanup(remove)
		if all, err := e.List(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("List beside %s %v = %v, %v; want nothing", c.name, c.labels, all, err)
		}
		if err := e.Remove(t.Context(), id); err != nil {
			t.Errorf("Remove beside %s %v = %v, want nil", c.name, c.labels, err)
		}
		if _, err := e.Attach(t.Context(), id); err == nil {
			t.Errorf("Attach beside %s %v = nil, want an error", c.name, c.labels)
		}
		if _, err := raw.ContainerInspect(t.Context(), made.ID); err != nil {
			t.Errorf("%s %v is gone: %v", c.name, c.labels, err)
		}
		remove()
	}
}

func TestContainerIsAsTheProfileSays(t *testing.T) {
	const instance, id = "profiletest", "aaaabbbbccccdddd"
	raw, e := api(t), open(t, instance)
	s := spec(t, instance, id, 1)
	t.Cleanup(func() { _ = e.Remove(context.Background(), id) })
	if err := e.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	c, err := raw.ContainerInspect(t.Context(), "sysnerd-"+instance+"-"+id)
	if err != nil {
		t.Fatal(err)
	}
	h := c.HostConfig
	if h.LogConfig.Type != "none" || h.NetworkMode != "none" || !h.ReadonlyRootfs || h.Privileged || h.RestartPolicy.Name != "no" {
		t.Errorf("log %s, network %s, read-only %t, privileged %t, restart %s", h.LogConfig.Type, h.NetworkMode, h.ReadonlyRootfs, h.Privileged, h.RestartPolicy.Name)
	}
	if h.IpcMode != "private" || h.CgroupnsMode != "private" || h.PidMode != "" || len(h.Binds) != 0 || len(c.Mounts) != 0 {
		t.Errorf("ipc %s, cgroup namespace %s, pid %s, binds %v, mounts %v", h.IpcMode, h.CgroupnsMode, h.PidMode, h.Binds, c.Mounts)
	}
	if h.Memory != s.Limits.Memory || h.MemorySwap != h.Memory || h.NanoCPUs != 1e9 || *h.PidsLimit != 192 {
		t.Errorf("memory %d, with swap %d, cpus %d, pids %d", h.Memory, h.MemorySwap, h.NanoCPUs, *h.PidsLimit)
	}
	if !slices.Contains(h.SecurityOpt, "no-new-privileges") || !c.Config.OpenStdin || c.Config.StdinOnce || c.Config.Tty {
		t.Errorf("security %.60q, stdin open %t, once %t, tty %t", h.SecurityOpt, c.Config.OpenStdin, c.Config.StdinOnce, c.Config.Tty)
	}
	var ours int
	for key := range c.Config.Labels {
		if strings.HasPrefix(key, "sysnerd.") {
			ours++
		}
	}
	if ours < 5 {
		t.Errorf("labels = %v, want our five", c.Config.Labels)
	}
}

// An image without a guest can be made into a container, but not started.
func TestFailedStartLeavesNothing(t *testing.T) {
	const instance, id, empty = "emptytest", "aaaabbbbccccdddd", "sysnerd-test-empty:1"
	raw, e := api(t), open(t, instance)
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "etc/", Typeflag: tar.TypeDir, Mode: 0o755}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := raw.ImageImport(t.Context(), image.ImportSource{Source: &archive, SourceName: "-"}, empty, image.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	_, err = said.ReadFrom(out)
	_ = out.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = raw.ImageRemove(context.Background(), empty, image.RemoveOptions{Force: true})
	})
	s := spec(t, instance, id, 2)
	s.Image = empty
	if err := e.Create(t.Context(), s); err == nil || !strings.Contains(err.Error(), sandbox.GuestPath) {
		t.Errorf("Create = %v, want an error that names %s", err, sandbox.GuestPath)
	}
	left, err := raw.ContainerList(t.Context(), container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("name", id))})
	if err != nil || len(left) != 0 {
		t.Errorf("Create left %v, %v", left, err)
	}
}
