package enginetest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

// profiles are the default profile as those see it who live in it.
var profiles = []test{
	{name: "learner-has-no-rights", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		s, err := b.screen(box)
		if err != nil {
			return err
		}
		shell, err := s.do(b.ctx, "cat /proc/$$/status")
		if err != nil {
			return err
		}
		run, err := b.asLearner(box, "cat /proc/$$/status")
		if err != nil {
			return err
		}
		none, uid := "0000000000000000", strings.TrimSpace(strings.Repeat(strconv.Itoa(box.UID())+" ", 4))
		want := map[string]string{
			"Uid": uid, "Gid": uid, "Groups": "", "NoNewPrivs": "1",
			"CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none,
		}
		return errors.Join(differ("shell", fields(shell), want), differ("learner's run", fields(run), want))
	}},
	{name: "check-has-few-rights", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		status, err := b.asRoot(box, "cat /proc/$$/status")
		if err != nil {
			return err
		}
		var mask uint64
		for _, name := range (sandbox.Spec{}).Profile().Capabilities {
			mask |= 1 << capabilities[name]
		}
		few := fmt.Sprintf("%016x", mask)
		return differ("check", fields(status), map[string]string{
			"Uid": "0 0 0 0", "NoNewPrivs": "1", "CapEff": few, "CapPrm": few, "CapBnd": few, "CapAmb": "0000000000000000",
		})
	}},
	{name: "seccomp", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		root, err := b.asRoot(box, "cat /proc/$$/status /proc/1/status")
		if err != nil {
			return err
		}
		learner, err := b.asLearner(box, "cat /proc/$$/status")
		if err != nil {
			return err
		}
		for _, status := range []string{root, learner} {
			if strings.Contains(status, "Seccomp:\t0") || !strings.Contains(status, "Seccomp:\t2") {
				return errors.New("some process has no seccomp filter")
			}
		}
		return nil
	}},
	{name: "nothing-else-is-writable", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		out, err := b.asLearner(box, `find / -path /proc -prune -o -type d -writable -print 2>/dev/null; true`)
		if err != nil {
			return err
		}
		for _, dir := range strings.Fields(out) {
			if dir != sandbox.Home && dir != "/tmp" && dir != "/dev/shm" && dir != "/dev/mqueue" {
				return fmt.Errorf("the learner can write to %s", dir)
			}
		}
		out, err = b.asRoot(box, `for f in /new /etc/new /usr/bin/new /var/new /usr/lib/sysnerd/guest; do (: >>$f) 2>/dev/null && echo $f; done; true`)
		if err == nil && out != "" {
			err = fmt.Errorf("root can write to %s", out)
		}
		return err
	}},
	{name: "tmpfs", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		out, err := b.asRoot(box, "cat /proc/mounts")
		if err != nil {
			return err
		}
		var wrong []error
		for _, t := range (sandbox.Spec{UID: box.UID(), Limits: sandbox.DefaultLimits()}).Profile().Tmpfs {
			options := mountOptions(out, t.Path)
			for _, want := range []string{"rw", "nosuid", "nodev", fmt.Sprintf("size=%dk", t.Size>>10), fmt.Sprintf("nr_inodes=%d", t.Inodes)} {
				if !slices.Contains(options, want) {
					wrong = append(wrong, fmt.Errorf("%s is mounted with %v, want %s", t.Path, options, want))
				}
			}
			if slices.Contains(options, "noexec") == t.Exec {
				wrong = append(wrong, fmt.Errorf("%s is mounted with %v, want exec %t", t.Path, options, t.Exec))
			}
		}
		return errors.Join(wrong...)
	}},
	{name: "tmpfs-fills-and-ends", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		out, err := b.asLearner(box, `cd; head -c 100M /dev/zero >big 2>/dev/null; stat -c %s big; rm big; mkdir many; cd many; touch $(seq 6000) 2>/dev/null; ls | wc -l`)
		if err != nil {
			return err
		}
		f := strings.Fields(out)
		size, _ := strconv.Atoi(f[0])
		files, _ := strconv.Atoi(f[len(f)-1])
		if size == 0 || size > 32<<20 || files == 0 || files > 4096 {
			return fmt.Errorf("the home took %d bytes and %d files, want at most %d and 4096", size, files, 32<<20)
		}
		_, err = b.asRoot(box, "true")
		return err
	}},
	{name: "no-network", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		out, err := b.asLearner(box, "ls /sys/class/net; cat /proc/net/route | wc -l; ls /sys/class/net | wc -l")
		if err == nil && strings.Join(strings.Fields(out), " ") != "lo 1 1" {
			err = fmt.Errorf("network devices, routes, devices: %q, want lo alone", out)
		}
		return err
	}},
	{name: "pid-1-is-out-of-reach", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		out, err := b.asLearner(box, `
			kill -9 1 && echo killed
			kill -TERM 1 && echo ended
			timeout 1 strace -p 1 -o /dev/null && echo traced
			cat /proc/1/environ && echo environment
			ls /proc/1/fd && echo descriptors
			head -c 1 /proc/1/mem && echo memory
			cat /proc/1/maps && echo maps
			ls /proc/1/root/ && echo root
			ls /run/sysnerd && echo state
			renice -n -1 $$ && echo faster
			echo -999 >/proc/self/oom_score_adj && echo unkillable
			:`)
		if err == nil && out != "" {
			err = fmt.Errorf("the learner could: %q", out)
		}
		return err
	}},
	{name: "checks-are-out-of-reach", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		// A check waits for the learner, who tries what he can with every process of root but PID 1.
		looked := make(chan error, 1)
		go func() {
			_, err := b.asRoot(box, "SECRET=1; : >/tmp/here; until [ -e /home/learner/tried ]; do sleep 0.05; done")
			looked <- err
		}()
		out, tryErr := b.asLearner(box, `
			until [ -e /tmp/here ]; do sleep 0.05; done
			found=0
			for p in $(ps -o pid= -u root); do
				[ "$p" != 1 ] || continue
				found=1
				timeout 1 strace -p "$p" -o /dev/null && echo traced
				cat "/proc/$p/environ" && echo environment
				cat "/proc/$p/fd/0" && echo script
				head -c 1 "/proc/$p/mem" && echo memory
				cat "/proc/$p/maps" && echo maps
				kill -STOP "$p" && echo stopped
				kill -9 "$p" && echo killed
			done
			[ $found = 1 ] || echo no check to try it with
			touch ~/tried`)
		err = errors.Join(tryErr, <-looked)
		if err == nil && out != "" {
			err = fmt.Errorf("the learner could: %q", out)
		}
		return err
	}},
	{name: "nothing-secret", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		out, err := b.asRoot(box, `tr '\0' '\n' </proc/1/environ; hostname`)
		if err != nil {
			return err
		}
		for line := range strings.Lines(out) {
			line = strings.TrimSpace(line)
			if !slices.Contains([]string{"PATH", "LANG", "HOME", "HOSTNAME", "PWD", "OLDPWD", "SHLVL", "_", "LISTEN_FDS", "sandbox"}, strings.Split(line, "=")[0]) {
				return fmt.Errorf("the guest's environment holds %s", line)
			}
		}
		if !strings.HasSuffix(out, "sandbox\n") {
			return fmt.Errorf("the host is called %q, want sandbox", out)
		}
		return nil
	}},
	{name: "masked", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		out, err := b.asRoot(box, `for f in /proc/kallsyms /proc/interrupts /proc/keys /proc/timer_list /proc/iomem /proc/slabinfo; do
			[ -e $f ] && [ -n "$(head -c 1 $f)" ] && echo $f; done
			ls /sys/firmware /sys/kernel/debug /sys/kernel/security 2>/dev/null | grep -v : ; true`)
		if err == nil && strings.TrimSpace(out) != "" {
			err = fmt.Errorf("readable in the sandbox: %q", out)
		}
		return err
	}},
}

// capabilities are the numbers of those that a profile may name, capabilities(7).
var capabilities = map[string]int{
	"CHOWN": unix.CAP_CHOWN, "SETUID": unix.CAP_SETUID, "SETGID": unix.CAP_SETGID, "SETPCAP": unix.CAP_SETPCAP,
	"KILL": unix.CAP_KILL, "SYS_PTRACE": unix.CAP_SYS_PTRACE, "DAC_READ_SEARCH": unix.CAP_DAC_READ_SEARCH,
	"SYS_NICE": unix.CAP_SYS_NICE, "SYS_PACCT": unix.CAP_SYS_PACCT,
}

// mountOptions finds the options of the last mount on path.
func mountOptions(mounts, path string) []string {
	var options []string
	for line := range strings.Lines(mounts) {
		if f := strings.Fields(line); len(f) > 3 && f[1] == path {
			options = strings.Split(f[3], ",")
		}
	}
	return options
}
