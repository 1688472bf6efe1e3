package local

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sysnerd/sandbox"
)

func TestFindCgroupsOnBothVersions(t *testing.T) {
	one, err := findCgroups("testdata/mountinfo-1", "/sysnerd/test")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids",
		"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", // each hierarchy once
	}
	if one.v2 || !slices.Equal(one.roots, want) {
		t.Errorf("version 1 = %+v, want the hierarchies %v", one, want)
	}

	two, err := findCgroups(unified(t), "/sysnerd/test")
	if err != nil {
		t.Fatal(err)
	}
	if !two.v2 || len(two.roots) != 1 {
		t.Errorf("version 2 = %+v, want one hierarchy", two)
	}
	if got := two.path("aaaaaaaaaaaaaaaa"); got != "/sysnerd/test/aaaaaaaaaaaaaaaa" {
		t.Errorf("path = %s", got)
	}
	if !two.limitsSwap() {
		t.Error("version 2 limits no swap")
	}
	if ids, err := two.ids(); err != nil || !slices.Equal(ids, []string{"aaaaaaaaaaaaaaaa"}) {
		t.Errorf("ids = %v, %v", ids, err)
	}
	if got := two.processes("aaaaaaaaaaaaaaaa"); !slices.Equal(got, []int{4242, 4243}) {
		t.Errorf("processes = %v, want 4242 and 4243", got)
	}
	// Less what the kernel can take back: both file lists.
	if used, err := two.inUse("aaaaaaaaaaaaaaaa"); err != nil || used != 104857600-20971520-12582912 {
		t.Errorf("in use = %d, %v; want 71303168", used, err)
	}
}

// unified is a mountinfo that has the fixture's hierarchy, and nothing else.
func unified(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("testdata/cgroup2")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "mountinfo")
	line := "35 23 0:26 / " + root + " rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// An ordinary user has what his systemd was given, under names that systemd allows.
func TestCgroupsOfAnOrdinaryUser(t *testing.T) {
	mountinfo, id := unified(t), "bbbbbbbbbbbbbbbb"
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/user/1000/bus")
	given := delegated(mountinfo, "/sysnerd-1000", "test", 1000)
	if !slices.Equal(given.holds, []string{"memory", "pids"}) {
		t.Errorf("limits are held by %v, want memory and pids", given.holds)
	}
	if got, want := given.oci(id), "user.slice:sysnerd-test:"+id; got != want {
		t.Errorf("runc is told %s, want %s", got, want)
	}
	if ids, err := given.ids(); err != nil || !slices.Equal(ids, []string{id}) {
		t.Errorf("ids = %v, %v; want that of this instance alone", ids, err)
	}
	if got := given.processes(id); !slices.Equal(got, []int{4244}) {
		t.Errorf("processes = %v, want 4244", got)
	}
	if other := delegated(mountinfo, "/sysnerd-1001", "test", 1001); len(other.holds)+len(other.roots) > 0 {
		t.Errorf("a user without a systemd of his own has %+v, want nothing", other)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if mute := delegated(mountinfo, "/sysnerd-1000", "test", 1000); len(mute.holds)+len(mute.roots) > 0 {
		t.Errorf("whose systemd nobody can ask has %+v, want nothing", mute)
	}
	if none := delegated("testdata/mountinfo-1", "/sysnerd-1000", "test", 1000); len(none.holds)+len(none.roots) > 0 {
		t.Errorf("who was given no folder has %+v, want nothing", none)
	}
}

// Whatever controllers were given: what is lost is named, and no more.
func TestGapsFollowTheControllers(t *testing.T) {
	names := func(e *Engine) (all []string) {
		for _, g := range e.Gaps() {
			all = append(all, g.Name)
		}
		return all
	}
	always := names(&Engine{ids: &mapping{}, cgroups: cgroups{holds: controllers}})
	if slices.Contains(always, "limit-memory") || !slices.Contains(always, "accounting") {
		t.Errorf("with all controllers there is %v", always)
	}
	for lost, want := range map[string]string{"memory": "oom-child", "pids": "limit-pids", "cpu": "limit-cpu"} {
		given := slices.DeleteFunc(slices.Clone(controllers), func(c string) bool { return c == lost })
		if got := names(&Engine{ids: &mapping{}, cgroups: cgroups{holds: given}}); !slices.Contains(got, want) {
			t.Errorf("without %s there is %v, want %s in it", lost, got, want)
		}
	}
	if got := names(&Engine{}); len(got) > 0 {
		t.Errorf("for root there is %v", got)
	}
}

func TestNoLimitsNoEngine(t *testing.T) {
	for file, want := range map[string]string{
		"testdata/mountinfo-none":           "mount -t cgroup2",
		"testdata/mountinfo-1-without-pids": "controller pids is missing",
	} {
		if _, err := findCgroups(file, "/sysnerd/test"); !errors.Is(err, sandbox.ErrUnavailable) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want one that says %q", file, err, want)
		}
	}
}
