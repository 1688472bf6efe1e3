package local_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sysnerd/sandbox/local"
	"sysnerd/sandbox/local/localtest"
)

// An ordinary user's test finds here where runc's state goes, and below which cgroup he
// may make some.
const (
	userState  = "SYSNERD_TEST_USER_STATE"
	userCgroup = "SYSNERD_TEST_USER_CGROUP"
)

// asUser has an ordinary user run tests of this package, and returns what they say.
func asUser(t *testing.T, u *localtest.User, first, cgroup, tests string) (said string, err error) {
	t.Helper()
	cmd := u.Command(t, first+"\ncd ../sandbox/local", filepath.Join(u.Dir, "local.test"), "-test.v", "-test.timeout=5m", "-test.run="+tests)
	cmd.Env = append(cmd.Env, userState+"="+filepath.Join(u.Home, "runc"), userCgroup+"="+cgroup)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// newUser has runc and this package's tests.
func newUser(t *testing.T) *localtest.User {
	t.Helper()
	u := localtest.NewUser(t)
	self, err := os.Executable()
	if err == nil {
		err = os.MkdirAll(filepath.Join(u.Dir, "sandbox/local"), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	u.Copy(t, self, "local.test")
	u.Copy(t, program, "bin/runc")
	return u
}

// TestRootless runs the suite and what a crash leaves as an ordinary user, without a cgroup
// and with one: what is lost there is exempt, and must fail.
func TestRootless(t *testing.T) {
	t.Run("without a cgroup", func(t *testing.T) {
		t.Parallel()
		testAsUser(t, newUser(t), "/nobody-made-this", []string{"TestEngine", "TestKilledServerLeavesNothing"}, "")
	})
	t.Run("with a cgroup", func(t *testing.T) {
		t.Parallel()
		u := newUser(t)
		testAsUser(t, u, delegate(t, u.UID), []string{"TestEngine", "TestSandboxOutlivesItsEngine"},
			"^(accounting|limit|oom|nproc|budgets|check-under|nothing|escape)")
	})
}

// testAsUser has him run tests, and those of the suite that are called so.
func testAsUser(t *testing.T, u *localtest.User, cgroup string, tests []string, suite string) {
	t.Helper()
	said, err := asUser(t, u, "", cgroup, "^("+strings.Join(tests, "|")+")$/^handed_over$/"+suite)
	for _, test := range tests {
		if !strings.Contains(said, "--- PASS: "+test+" ") {
			err = fmt.Errorf("%s did not pass; %v", test, err)
		}
	}
	if err != nil {
		t.Errorf("as an ordinary user: %v\n%s", err, said)
	}
}

// delegate makes a cgroup for the ordinary user in each hierarchy.
func delegate(t *testing.T, uid int) (cgroup string) {
	t.Helper()
	cgroup = "/sysnerd-" + newInstance()
	for _, root := range cgroupRoots(t) {
		dir := filepath.Join(root, cgroup)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := os.Remove(dir); err != nil {
				t.Error(err)
			}
		})
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range append(files, dir) {
			if err := os.Chown(file, uid, uid); err != nil {
				t.Fatal(err)
			}
		}
	}
	return cgroup
}

// Whoever can't do it reads why, and the cure. As an ordinary user it tells what is wrong.
func TestRootlessRefuses(t *testing.T) {
	if os.Geteuid() != 0 {
		fmt.Println("it says:", local.CheckRootless(t.Context()))
		return
	}
	u := newUser(t)
	ranged := u.Range("ordinary")
	for what, row := range map[string]struct{ first, subuid, want string }{
		"nothing is missing":   {"", ranged, "<nil>"},
		"named by his number":  {"", "root:1:65536\n" + u.Range(strconv.Itoa(u.UID)), "<nil>"},
		"no newuidmap":         {"mount --bind /dev/null /usr/bin/newuidmap", ranged, "apt-get install uidmap"},
		"no range":             {"", u.Range("other"), "usermod --add-subuids 524288-589823 --add-subgids 524288-589823 ordinary"},
		"a small range":        {"", "ordinary:2000000000:1000\n", "usermod --add-subuids"},
		"a range with himself": {"", fmt.Sprintf("ordinary:%d:65536\n", u.UID-1), "usermod --add-subuids"},
		"a range of root's":    {"", "ordinary:0:65536\n", "usermod --add-subuids"},
		"newuidmap is no good": {"mount --bind /usr/bin /usr/bin; mount -o remount,bind,nosuid /usr/bin", ranged, "apt-get install --reinstall uidmap"},
		"namespaces forbidden": {"mount --rbind / /mnt; within='chroot /mnt'", ranged, "max_user_namespaces"}, // the kernel gives none below a changed root,
		"namespaces are empty": {"mount --bind /bin/false /usr/sbin/chroot", ranged, "apparmor_restrict_unprivileged_userns=0"},
	} {
		t.Run(what, func(t *testing.T) {
			u.Write(t, "subuid", row.subuid)
			said, err := asUser(t, u, row.first, "", "^TestRootlessRefuses$")
			_, told, _ := strings.Cut(said, "it says: ")
			told, _, _ = strings.Cut(told, "\n")
			if err != nil || !strings.Contains(told, row.want) {
				t.Errorf("%v: %s\nwant one that says %q", err, said, row.want)
			}
			t.Log(told)
		})
	}
}
