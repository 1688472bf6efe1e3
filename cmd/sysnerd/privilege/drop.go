package privilege

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// deathSignal is what this process is sent when its parent ends, prctl(2), or 0. The
// kernel keeps it for a thread, here the first, on which a program is initialized.
var deathSignal = readDeathSignal()

func readDeathSignal() (sig int32) {
	if unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&sig)), 0, 0, 0) != nil {
		return 0
	}
	return sig
}

// drop makes the calling thread u's, with no capability and no other group, for good.
// The thread is to execute a program, to which that passes; others stay as they are.
func drop(u User) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	for c := uintptr(0); ; c++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) { // the kernel knows no more of them
			break
		}
		if err != nil {
			return fmt.Errorf("drop capability %d for good: %w", c, err)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("ambient capabilities: %w", err)
	}
	// Go's own setuid would change every thread; those of root have to end the
	// helper if execve fails.
	for _, c := range []struct {
		name    string
		number  uintptr
		a, b, c uintptr
	}{
		{"setgroups", unix.SYS_SETGROUPS, 0, 0, 0},
		{"setresgid", unix.SYS_SETRESGID, uintptr(u.GID), uintptr(u.GID), uintptr(u.GID)},
		{"setresuid", unix.SYS_SETRESUID, uintptr(u.UID), uintptr(u.UID), uintptr(u.UID)},
	} {
		if _, _, errno := unix.RawSyscall(c.number, c.a, c.b, c.c); errno != 0 {
			return fmt.Errorf("%s: %w", c.name, errno)
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData // inheritable ones, too, which setuid leaves
	if err := unix.Capset(&header, &none[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	// Another user's ids have taken it away.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(deathSignal), 0, 0, 0); err != nil {
		return fmt.Errorf("signal of the parent's end: %w", err)
	}
	return nil
}

// check says what of root a process still has, by its /proc/PID/status.
func check(status []byte) error {
	field := map[string]string{}
	for line := range bytes.Lines(status) {
		name, value, _ := strings.Cut(string(line), ":")
		field[name] = strings.Join(strings.Fields(value), " ")
	}
	for _, ids := range []string{"Uid", "Gid"} {
		all := strings.Fields(field[ids])
		if len(all) != 4 {
			return fmt.Errorf("%s is %q", ids, field[ids])
		}
		for _, id := range all {
			if n, err := strconv.Atoi(id); err != nil || n == 0 || id != all[0] {
				return fmt.Errorf("%s is %s", ids, field[ids])
			}
		}
	}
	if field["Groups"] != "" {
		return fmt.Errorf("it is in the groups %s", field["Groups"])
	}
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
		if n, err := strconv.ParseUint(field[set], 16, 64); err != nil || n != 0 {
			return fmt.Errorf("%s is %q", set, field[set])
		}
	}
	if field["NoNewPrivs"] != "1" {
		return fmt.Errorf("NoNewPrivs is %q", field["NoNewPrivs"])
	}
	return nil
}

// checkSelf says what of root this process still has.
func checkSelf() error {
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		err = check(status)
	}
	if err != nil {
		return fmt.Errorf("this process should have nothing of root: %w", err)
	}
	return nil
}
