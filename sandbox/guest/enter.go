package guest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// self is this program, whatever it is called.
const self = "/proc/self/exe"

// learnerOOMScore makes the kernel choose the learner's processes before the
// guest; lowering the guest's own would need CAP_SYS_RESOURCE.
const learnerOOMScore = 300

func (g *Guest) enterArgs(program string, args ...string) []string {
	return append([]string{"guest", "enter", strconv.Itoa(g.setup.UID), strconv.Itoa(g.setup.Processes), program}, args...)
}

func (g *Guest) learnerEnv(tab uint32) []string {
	home := g.setup.Home
	return []string{
		"HOME=" + home, "PWD=" + home, "USER=learner", "LOGNAME=learner", "SHELL=/bin/bash",
		"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "TERM=xterm-256color", "NO_COLOR=1",
		"SYSNERD_TAB=" + strconv.Itoa(int(tab)),
	}
}

// Enter becomes the learner and then the program: args are uid, process limit,
// program and its arguments. It runs in a child of PID 1, which was started as
// root, because half of it needs root and all of it must be done before the
// learner's first instruction. It returns only on failure.
func Enter(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("enter: want uid, processes, program; got %d arguments", len(args))
	}
	uid, err := strconv.Atoi(args[0])
	if err != nil || uid <= 0 {
		return fmt.Errorf("enter: uid %q", args[0])
	}
	processes, err := strconv.ParseUint(args[1], 10, 31)
	if err != nil {
		return fmt.Errorf("enter: processes %q", args[1])
	}
	runtime.LockOSThread() // the bounding set and the ids below are this thread's, and exec keeps them
	for _, l := range []struct {
		what     int
		cur, max uint64
	}{
		{unix.RLIMIT_NPROC, processes, processes},
		{unix.RLIMIT_NOFILE, 1024, 4096},
		{unix.RLIMIT_CORE, 0, 0},
		{unix.RLIMIT_MSGQUEUE, 65536, 65536},
	} {
		// What the engine has set stays: gVisor lets nobody set some of them, not even to the same.
		want, has := unix.Rlimit{Cur: l.cur, Max: l.max}, unix.Rlimit{}
		if unix.Getrlimit(l.what, &has) == nil && has == want {
			continue
		}
		if err := unix.Setrlimit(l.what, &want); err != nil {
			return fmt.Errorf("enter: limit %d: %w", l.what, err)
		}
	}
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(learnerOOMScore)), 0); err != nil {
		return fmt.Errorf("enter: %w", err)
	}
	for c := 0; c <= unix.CAP_LAST_CAP; c++ {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil && err != unix.EINVAL {
			return fmt.Errorf("enter: drop capability %d: %w", c, err)
		}
	}
	if err := becomeLearner(uid); err != nil {
		return err
	}
	if home := os.Getenv("HOME"); os.Chdir(home) != nil {
		if err := os.Chdir("/"); err != nil {
			return err
		}
	}
	program := "/bin/" + args[2]
	return fmt.Errorf("enter: %s: %w", program, unix.Exec(program, args[2:], os.Environ()))
}

func becomeLearner(uid int) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	if err := unix.Setgroups(nil); err != nil {
		return fmt.Errorf("drop groups: %w", err)
	}
	if err := unix.Setresgid(uid, uid, uid); err != nil {
		return fmt.Errorf("set gid %d: %w", uid, err)
	}
	if err := unix.Setresuid(uid, uid, uid); err != nil {
		return fmt.Errorf("set uid %d: %w", uid, err)
	}
	return nil
}

// Wipe empties folders as the learner: args are his uid and the folders. Root
// without DAC_OVERRIDE could not.
func Wipe(args []string) error {
	if len(args) < 1 {
		return fmt.Errorf("wipe: no uid")
	}
	uid, err := strconv.Atoi(args[0])
	if err != nil || uid <= 0 {
		return fmt.Errorf("wipe: uid %q", args[0])
	}
	if err := becomeLearner(uid); err != nil {
		return err
	}
	empty(uid, args[1:])
	removeIPC()
	return nil
}

// removeIPC removes the System V shared memory, messages and semaphores that the
// caller may remove: they outlive their makers, sysvipc(7).
func removeIPC() {
	for kind, call := range map[string]uintptr{"shm": unix.SYS_SHMCTL, "msg": unix.SYS_MSGCTL, "sem": unix.SYS_SEMCTL} {
		table, _ := os.ReadFile("/proc/sysvipc/" + kind)
		for line := range strings.Lines(string(table)) {
			// key, id, …; the first line holds the headings.
			if f := strings.Fields(line); len(f) > 2 {
				if id, err := strconv.Atoi(f[1]); err == nil {
					// semctl takes the number of a semaphore before the command.
					if kind == "sem" {
						_, _, _ = unix.Syscall(call, uintptr(id), 0, unix.IPC_RMID)
					} else {
						_, _, _ = unix.Syscall(call, uintptr(id), unix.IPC_RMID, 0)
					}
				}
			}
		}
	}
}

// empty removes what the caller may remove below the folders, and goes on where
// it may not. Folders of that owner that he closed to himself are opened first.
func empty(owner int, folders []string) {
	for _, folder := range folders {
		_ = filepath.WalkDir(folder, func(path string, d fs.DirEntry, _ error) error {
			if d == nil || !d.IsDir() {
				return nil
			}
			var st unix.Stat_t
			if unix.Lstat(path, &st) == nil && int(st.Uid) == owner && st.Mode&0o700 != 0o700 {
				_ = os.Chmod(path, 0o700)
			}
			return nil
		})
		entries, _ := os.ReadDir(folder)
		for _, e := range entries {
			_ = os.RemoveAll(filepath.Join(folder, e.Name()))
		}
	}
}
