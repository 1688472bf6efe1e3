package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"sysnerd/sandbox"
)

// mapping says whose a sandbox's ids are on the machine when an ordinary user runs it,
// user_namespaces(7): 0, the guest's, is the user himself, and from 1 on they are
// subordinate ones, so that a learner is nobody else's, neither the guest's nor the user's.
type mapping struct{ uids, gids []specs.LinuxIDMapping }

// leastIDs is how many subordinate ids there must be: up to the last learner's.
const leastIDs = sandbox.FirstUID + sandbox.Slots

// mostIDs is how many are taken of more: those that an image's files may have.
const mostIDs = 1 << 16

// CheckRootless says what keeps this process's user, who is not root, from running
// sandboxes. It makes a user namespace for that, and ends it again: whether a machine
// allows one is seen best by doing.
// Errors: [sandbox.ErrUnavailable], with the cure behind a semicolon.
func CheckRootless(ctx context.Context) error {
	_, err := findMapping(ctx)
	return err
}

func findMapping(ctx context.Context) (*mapping, error) {
	for _, program := range []string{"newuidmap", "newgidmap"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("%w: without root a learner has a uid of his own only by %s, which is not installed; apt-get install uidmap, or start it by sudo", sandbox.ErrUnavailable, program)
		}
	}
	uid, gid := os.Geteuid(), os.Getegid()
	name := strconv.Itoa(uid)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	m := new(mapping)
	for _, of := range []struct {
		file string
		own  int
		to   *[]specs.LinuxIDMapping
	}{{"/etc/subuid", uid, &m.uids}, {"/etc/subgid", gid, &m.gids}} {
		text, err := os.ReadFile(of.file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %v", sandbox.ErrUnavailable, err)
		}
		first, count, ok := subordinates(string(text), name, uid, of.own)
		if !ok {
			return nil, fmt.Errorf("%w: %s gives %s no range of %d ids, without which a learner would be root of his sandbox; sudo usermod --add-subuids 524288-589823 --add-subgids 524288-589823 %s (any range that nobody else has), or start it by sudo",
				sandbox.ErrUnavailable, of.file, name, leastIDs, name)
		}
		*of.to = []specs.LinuxIDMapping{
			{ContainerID: 0, HostID: uint32(of.own), Size: 1},
			{ContainerID: 1, HostID: first, Size: min(count, mostIDs)},
		}
	}
	return m, m.try(ctx)
}

// subordinates finds the first range of a user's that is large enough in the text of
// subuid(5) or subgid(5). own, the id that he has anyway, must not be in it.
func subordinates(text, name string, uid, own int) (first, count uint32, ok bool) {
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) != 3 || f[0] != name && f[0] != strconv.Itoa(uid) {
			continue
		}
		begin, err := strconv.ParseUint(f[1], 10, 32)
		length, wrong := strconv.ParseUint(f[2], 10, 32)
		if err != nil || wrong != nil || begin == 0 || length < leastIDs || begin+length > 1<<32 {
			continue
		}
		if begin <= uint64(own) && uint64(own) < begin+length {
			continue
		}
		return uint32(begin), uint32(length), true
	}
	return 0, 0, false
}

// try makes a user namespace with this mapping and does in it what takes a right there.
// Where AppArmor forbids namespaces to programs that it does not know, Ubuntu since
// 23.10, one is made all the same, but without any right.
func (m *mapping) try(ctx context.Context) error {
	// It waits: the kernel takes ids from outside, and exec gives the rights of uid 0.
	inside := exec.CommandContext(ctx, "/bin/sh", "-c", "read -r _ && exec chroot / /bin/true")
	inside.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER}
	inside.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	var said bytes.Buffer
	inside.Stderr = &said
	mapped, err := inside.StdinPipe()
	if err != nil {
		return err
	}
	if err := inside.Start(); err != nil {
		return fmt.Errorf("%w: this machine gives an ordinary user no user namespace (%v); sudo sysctl -ew user.max_user_namespaces=10000 kernel.unprivileged_userns_clone=1, or start it by sudo", sandbox.ErrUnavailable, err)
	}
	err = mapIDs(ctx, "newuidmap", inside.Process.Pid, m.uids)
	if err == nil {
		err = mapIDs(ctx, "newgidmap", inside.Process.Pid, m.gids)
	}
	if err == nil {
		_, err = mapped.Write([]byte("\n"))
	}
	_ = mapped.Close()
	ended := inside.Wait()
	switch {
	case err != nil:
		return fmt.Errorf("%w: %v; reinstall it: apt-get install --reinstall uidmap, or start it by sudo", sandbox.ErrUnavailable, err)
	case ended != nil:
		return fmt.Errorf("%w: in a user namespace nothing is allowed here (%v: %s); sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or start it by sudo",
			sandbox.ErrUnavailable, ended, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// mapIDs has newuidmap(1) or newgidmap(1) give a process its ids.
func mapIDs(ctx context.Context, program string, pid int, all []specs.LinuxIDMapping) error {
	args := []string{strconv.Itoa(pid)}
	for _, m := range all {
		args = append(args, fmt.Sprint(m.ContainerID), fmt.Sprint(m.HostID), fmt.Sprint(m.Size))
	}
	if said, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(said))
	}
	return nil
}
