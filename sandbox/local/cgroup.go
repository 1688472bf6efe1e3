package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

// cgroups are those of one instance's sandboxes: the name alone says whose one is.
type cgroups struct {
	v2    bool
	roots []string // where each hierarchy is mounted; one with version 2, none without any limit
	below string   // "/sysnerd/<instance>"
	holds []string // of the controllers: those that limit sandboxes
	scope string   // what their names begin with where systemd makes them; "" where runc does
}

// controllers are those by which a sandbox is limited.
var controllers = []string{"memory", "pids", "cpu"}

// findCgroups reads which hierarchies there are from a mountinfo, proc_pid_mountinfo(5),
// for root, who needs all of the controllers.
// Errors: [sandbox.ErrUnavailable].
func findCgroups(mountinfo, below string) (cgroups, error) {
	found, offered, err := hierarchies(mountinfo)
	if err != nil {
		return cgroups{}, err
	}
	for _, needed := range controllers {
		if !slices.Contains(offered, needed) {
			return cgroups{}, fmt.Errorf("%w: the cgroup controller %s is missing, and a sandbox without that limit could take the machine; start the kernel with it (cgroup_enable=%s)",
				sandbox.ErrUnavailable, needed, needed)
		}
	}
	found.below, found.holds = below, controllers
	return found, nil
}

// hierarchies reads where they are mounted, and which controllers they have. Version 2
// is in use when it alone is mounted, as runc judges, too; beside version 1 ("hybrid")
// it has no controllers.
func hierarchies(mountinfo string) (found cgroups, offered []string, err error) {
	text, err := os.ReadFile(mountinfo)
	if err != nil {
		return cgroups{}, nil, fmt.Errorf("%w: %v", sandbox.ErrUnavailable, err)
	}
	found.v2 = true
	var devices []string // one hierarchy may be mounted twice
	for line := range strings.Lines(string(text)) {
		left, right, _ := strings.Cut(line, " - ")
		where, what := strings.Fields(left), strings.Fields(right)
		if len(where) < 5 || len(what) < 3 || what[0] != "cgroup" && what[0] != "cgroup2" || slices.Contains(devices, where[2]) {
			continue
		}
		devices = append(devices, where[2])
		found.roots = append(found.roots, where[4])
		if what[0] == "cgroup" {
			found.v2 = false
			offered = append(offered, strings.Split(what[2], ",")...)
		}
	}
	if len(found.roots) == 0 {
		return cgroups{}, nil, fmt.Errorf("%w: no cgroups are mounted; mount -t cgroup2 cgroup2 /sys/fs/cgroup", sandbox.ErrUnavailable)
	}
	if found.v2 {
		list, _ := os.ReadFile(filepath.Join(found.roots[0], "cgroup.controllers"))
		offered = strings.Fields(string(list))
	}
	return found, offered, nil
}

// path is a sandbox's cgroup, from the root of each hierarchy.
func (c cgroups) path(id string) string { return filepath.Join(c.below, c.name(id)) }

// oci is the same as runc is told it: by a path, or by slice, prefix and name of a scope.
func (c cgroups) oci(id string) string {
	switch {
	case len(c.roots) == 0:
		return ""
	case c.scope != "":
		return slice + ":" + c.scope + ":" + id
	}
	return c.path(id)
}

// name is that of a sandbox's cgroup, idOf the other way round.
func (c cgroups) name(id string) string {
	if c.scope != "" {
		return c.scope + "-" + id + ".scope"
	}
	return id
}

func (c cgroups) idOf(name string) string {
	if c.scope == "" {
		return name
	}
	id, ours := strings.CutPrefix(strings.TrimSuffix(name, ".scope"), c.scope+"-")
	if !ours {
		return ""
	}
	return id
}

// dirs are the folders of a sandbox's cgroups, whether they are there or not.
func (c cgroups) dirs(id string) []string {
	var all []string
	for _, root := range c.roots {
		all = append(all, filepath.Join(root, c.path(id)))
	}
	return all
}

// limitsSwap says whether the kernel can hold memory and swap together to a limit.
func (c cgroups) limitsSwap() bool {
	return c.v2 || slices.ContainsFunc(c.roots, func(root string) bool {
		_, err := os.Stat(filepath.Join(root, "memory.memsw.limit_in_bytes"))
		return err == nil
	})
}

// ids are the sandboxes that have a cgroup in any hierarchy.
func (c cgroups) ids() ([]string, error) {
	var all []string
	for _, root := range c.roots {
		entries, err := os.ReadDir(filepath.Join(root, c.below))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if id := c.idOf(e.Name()); e.IsDir() && sandbox.CheckID(id) == nil {
				all = append(all, id)
			}
		}
	}
	return all, nil
}

// processes are those in a sandbox's cgroups.
func (c cgroups) processes(id string) []int {
	var all []int
	for _, dir := range c.dirs(id) {
		text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil {
			continue
		}
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 1 && !slices.Contains(all, pid) {
				all = append(all, pid)
			}
		}
	}
	return all
}

// remove ends every process in a sandbox's cgroups and removes those.
func (c cgroups) remove(ctx context.Context, id string) error {
	for {
		left := 0
		for _, dir := range c.dirs(id) {
			err := unix.Rmdir(dir)
			if err != nil && !errors.Is(err, unix.ENOENT) {
				left++
			}
		}
		if left == 0 {
			return nil
		}
		c.kill(id)
		select {
		case <-time.After(2 * time.Millisecond): // nobody tells when a cgroup is empty on version 1
		case <-ctx.Done():
			return fmt.Errorf("remove cgroup %s: processes %v are still in it: %w", c.path(id), c.processes(id), ctx.Err())
		}
	}
}

// removeParent removes the cgroup of the instance, if no sandbox has one below it.
func (c cgroups) removeParent() {
	if c.scope != "" {
		return // it is systemd's
	}
	for _, root := range c.roots {
		_ = unix.Rmdir(filepath.Join(root, c.below))
	}
}

// kill sends SIGKILL to all that is in a sandbox's cgroups.
func (c cgroups) kill(id string) {
	for _, dir := range c.dirs(id) {
		// A runc that died in the middle of an update may have left them frozen.
		_ = os.WriteFile(filepath.Join(dir, "freezer.state"), []byte("THAWED"), 0)
		_ = os.WriteFile(filepath.Join(dir, "cgroup.freeze"), []byte("0"), 0)
		_ = os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
	}
	for _, pid := range c.processes(id) {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}

// inUse is the memory of a sandbox that the kernel could not take back, in bytes.
func (c cgroups) inUse(id string) (int64, error) {
	usage := "memory.current"
	if !c.v2 {
		usage = "memory.usage_in_bytes"
	}
	at := slices.IndexFunc(c.dirs(id), func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, usage))
		return err == nil
	})
	if at < 0 {
		return 0, fmt.Errorf("no cgroup of sandbox %s has %s", id, usage)
	}
	dir := c.dirs(id)[at]
	text, err := os.ReadFile(filepath.Join(dir, usage))
	if err != nil {
		return 0, err
	}
	used, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", usage, err)
	}
	if text, err = os.ReadFile(filepath.Join(dir, "memory.stat")); err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name == "inactive_file" || name == "active_file" {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read memory.stat: %w", err)
			}
			used -= n
		}
	}
	return used, nil
}
