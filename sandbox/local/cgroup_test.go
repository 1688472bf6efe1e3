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
