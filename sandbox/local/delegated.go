package local

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// delegated finds the cgroups that an ordinary user was given. With version 1 root has
// made him a folder in every hierarchy; with version 2 his own systemd makes a scope for
// each sandbox, with the controllers that it was given itself.
// What nobody gave him limits nothing: holds tells, and with nothing at all there are no
// roots either, since runc then leaves sandboxes in the cgroup of whoever starts them.
func delegated(mountinfo, below, instance string, uid int) cgroups {
	found, offered, err := hierarchies(mountinfo)
	if err != nil {
		return cgroups{}
	}
	if found.v2 {
		manager := fmt.Sprintf("/user.slice/user-%d.slice/user@%d.service", uid, uid)
		list, err := os.ReadFile(filepath.Join(found.roots[0], manager, "cgroup.controllers"))
		if err != nil || !hasBus() || unix.Access(filepath.Join(found.roots[0], manager), unix.W_OK) != nil {
			return cgroups{v2: true}
		}
		offered = strings.Fields(string(list))
		found.below = filepath.Join(manager, slice)
		found.scope = "sysnerd-" + instance
	} else {
		for _, root := range found.roots {
			// runc leaves out none that it knows once it is told a path.
			if unix.Access(filepath.Join(root, below), unix.W_OK|unix.X_OK) != nil {
				return cgroups{}
			}
		}
		found.below = filepath.Join(below, instance)
	}
	for _, c := range controllers {
		if slices.Contains(offered, c) {
			found.holds = append(found.holds, c)
		}
	}
	return found
}

// slice is where a user's systemd is asked for scopes, runc's own choice.
const slice = "user.slice"

// hasBus says whether runc will find the user's systemd: it looks there, too.
func hasBus() bool {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	_, err := os.Stat(filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "bus"))
	return err == nil
}
