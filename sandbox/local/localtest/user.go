// Package localtest gives root's tests an ordinary user who has subordinate ids, without
// making one on the machine: in goes a command, out comes the same run by him. His name
// and his ids stand in files that are bound over those of /etc, in a mount namespace of
// that command alone.
//
// All methods may be called at the same time.
package localtest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// Ids of nobody on the machine: each user of each process that tests has others, since
// the kernel's budgets for a user would be shared.
const (
	firstUID = 1_000_000_000
	firstSub = 2_000_000_000
	subs     = 65536
	users    = 32768
)

var made atomic.Int64

// User is an ordinary user of one test.
type User struct {
	Dir  string // root's, below which he finds programs
	Home string // his own, 0700
	UID  int
	sub  int // the first of his subordinate ids
}

// NewUser makes what he needs, and removes it after the test. That fails when one of his
// processes, or of his subordinates', is left then.
func NewUser(t *testing.T) *User {
	t.Helper()
	// Not of the test's own, which he could not enter; and room for an image.
	dir, err := os.MkdirTemp("/var/tmp", "sysnerd-user-")
	if err != nil {
		t.Fatal(err)
	}
	n := (os.Getpid()*8 + int(made.Add(1))) % users
	u := &User{Dir: dir, Home: filepath.Join(dir, "home"), UID: firstUID + n, sub: firstSub + n*subs}
	t.Cleanup(func() {
		for _, p := range u.processes() {
			t.Errorf("of the ordinary user %s is left", p)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	must(t, os.Chmod(dir, 0o755))
	must(t, os.Mkdir(u.Home, 0o700))
	must(t, os.Chown(u.Home, u.UID, u.UID))
	must(t, os.Mkdir(filepath.Join(dir, "etc"), 0o755))
	u.Write(t, "passwd", fmt.Sprintf("root:x:0:0::/:/bin/sh\nordinary:x:%d:%[1]d::%s:/bin/sh\n", u.UID, u.Home))
	u.Write(t, "group", fmt.Sprintf("root:x:0:\nordinary:x:%d:\n", u.UID))
	for _, name := range []string{"subuid", "subgid"} {
		u.Write(t, name, u.Range("ordinary"))
	}
	return u
}

// Range is a line of subuid(5) that gives his range to whom it names.
func (u *User) Range(name string) string { return fmt.Sprintf("%s:%d:%d\n", name, u.sub, subs) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Write has a file of /etc, one of passwd, group, subuid and subgid, hold that text for him.
func (u *User) Write(t *testing.T, name, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(u.Dir, "etc", name), []byte(text), 0o644))
}

// Copy puts a program of root's where he finds it, and returns its path.
func (u *User) Copy(t *testing.T, from, to string) string {
	t.Helper()
	to = filepath.Join(u.Dir, to)
	must(t, os.MkdirAll(filepath.Dir(to), 0o755))
	in, err := os.Open(from)
	must(t, err)
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	must(t, err)
	defer out.Close()
	_, err = io.Copy(out, in)
	must(t, err)
	return to
}

// become mounts, does what else a test asks for as root ($1), and becomes the user.
const become = `set -eu
for file in passwd group subuid subgid; do
	[ -e "/etc/$file" ] || : >"/etc/$file"
	mount --bind "$0/$file" "/etc/$file"
done
eval "$1"
shift
exec ${within:-} setpriv --reuid "$UID_OF_USER" --regid "$UID_OF_USER" --clear-groups --inh-caps=-all "$@"
`

// Command is a command run by him, in his home. first is a shell's script that root runs
// before, in the command's mount namespace; most often it is empty. It may set $within, a
// command by which the rest is run.
func (u *User) Command(t *testing.T, first string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), "/bin/sh", append([]string{"-c", become, filepath.Join(u.Dir, "etc"), first}, args...)...)
	cmd.Dir = u.Home
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	cmd.Env = []string{
		"GORACE=atexit_sleep_ms=0", // a second for each program, else
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
		"HOME=" + u.Home, "TMPDIR=" + u.Home, "UID_OF_USER=" + strconv.Itoa(u.UID),
	}
	return cmd
}

// processes are all that run under an id of his, as proc_pid_stat(5) begins. Zombies have
// ended: they wait for the machine's init.
func (u *User) processes() (all []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		var st syscall.Stat_t
		text, err := os.ReadFile(file)
		if err != nil || syscall.Stat(file, &st) != nil || strings.Contains(string(text), ") Z ") {
			continue
		}
		if uid := int(st.Uid); uid == u.UID || uid >= u.sub && uid < u.sub+subs {
			all = append(all, fmt.Sprintf("%.60s…", text))
		}
	}
	return all
}
