package images

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/image"
)

// buildBase makes the base image by mmdebstrap where that is installed, else from a registry.
func (b *Builder) buildBase(ctx context.Context, r recipe, p Progress) (id string, err error) {
	debstrap, missing := exec.LookPath("mmdebstrap")
	if missing == nil {
		err = b.importBase(ctx, r, debstrap, p)
	} else if err = b.pullBase(ctx, r, p); err != nil {
		err = fmt.Errorf("%w; mmdebstrap, which needs no registry, is not installed: apt-get install mmdebstrap, or let the engine reach a registry that has %s",
			err, r.distribution.registryImage())
	}
	if err != nil {
		return "", fmt.Errorf("make the base image: %w", err)
	}
	id, ok, err := b.find(ctx, r.baseTag())
	if err == nil && !ok {
		err = fmt.Errorf("make the base image: the engine lost %s", r.baseTag())
	}
	return id, err
}

// importBase has mmdebstrap make a system and the engine import it.
func (b *Builder) importBase(ctx context.Context, r recipe, debstrap string, p Progress) error {
	return withSystem(ctx, r, debstrap, p, func(system *os.File) error {
		p("import it into the engine")
		response, err := b.docker.ImageImport(ctx, image.ImportSource{Source: system, SourceName: "-"}, r.baseTag(), image.ImportOptions{
			Message: "packages of " + r.distribution.String(),
			Changes: []string{"LABEL " + labelKind + "=" + kindBase},
		})
		if err != nil {
			return fmt.Errorf("import: %w", err)
		}
		defer response.Close()
		return follow(response, func(string) {})
	})
}

// withSystem has mmdebstrap make a system from the host's own package sources, and
// gives it to use as a tar. In between it lies in files without a name, so that nothing
// of it outlives this process, however it ends.
func withSystem(ctx context.Context, r recipe, debstrap string, p Progress, use func(system *os.File) error) (err error) {
	sources, err := hostSources(r.distribution)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(scratch(), "sysnerd-base-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeUnmounted(dir)) }()
	// For an ordinary user mmdebstrap works under other uids, which have to read the files.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	system, err := nameless(dir)
	if err != nil {
		return err
	}
	defer system.Close()

	p(fmt.Sprintf("make the base image of %s from this machine's package sources (about half a minute)", r.distribution))
	if err := debstrapInto(ctx, r, debstrap, dir, sources, system, p); err != nil {
		return err
	}
	if _, err := system.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return use(system)
}

// scratch is where hundreds of megabytes may lie for a while; /tmp is often in memory.
func scratch() string {
	if dir := os.Getenv("TMPDIR"); dir != "" {
		return dir
	}
	return "/var/tmp"
}

// removeUnmounted removes dir and all in it, unless something is mounted there: what is
// mounted is not ours to remove. It then says so and leaves everything as it is.
func removeUnmounted(dir string) error {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("leave %s: cannot tell what is mounted there: %w", dir, err)
	}
	if at := mountedUnder(mounts, dir); at != "" {
		return fmt.Errorf("leave %s: %s is still mounted; unmount it, then remove the folder", dir, at)
	}
	return os.RemoveAll(dir)
}

// mountedUnder is the first mount point at or below dir in a mountinfo (proc(5)), or "".
func mountedUnder(mountinfo []byte, dir string) string {
	for line := range strings.Lines(string(mountinfo)) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		at := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(fields[4])
		if at == dir || strings.HasPrefix(at, dir+"/") {
			return at
		}
	}
	return ""
}

// nameless is a file that its last user's end removes.
func nameless(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "system-*.tar")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// debstrapInto runs mmdebstrap and has it write the system to out as a tar.
func debstrapInto(ctx context.Context, r recipe, debstrap, dir string, sources []sourceFile, out *os.File, p Progress) error {
	args := []string{
		"--variant=essential",
		"--include=" + strings.Join(r.packages(), ","),
		"--format=tar",
		// mmdebstrap copies the host's name and resolver in; they are nobody's business there.
		`--customize-hook=echo sandbox >"$1/etc/hostname"; : >"$1/etc/resolv.conf"`,
		`--customize-hook=chroot "$1" /bin/bash -c "$SYSNERD_BASE"`,
	}
	if options := hostTransport(ctx); len(options) > 0 {
		name := filepath.Join(dir, "apt.conf")
		if err := os.WriteFile(name, options, 0o644); err != nil {
			return err
		}
		args = append(args, "--aptopt="+name)
	}
	args = append(args, r.distribution.codename, "-")
	for _, source := range sources {
		name := filepath.Join(dir, source.name)
		if err := os.WriteFile(name, []byte(source.content), 0o644); err != nil {
			return err
		}
		args = append(args, name)
	}

	said := &lines{tell: func(line string) {
		// Its own progress; the rest is kept for the error.
		if step, ok := strings.CutPrefix(line, "I: "); ok && strings.HasSuffix(step, "...") && !strings.Contains(step, "/") {
			p("  " + strings.TrimSuffix(step, "..."))
		}
	}}
	cmd := exec.CommandContext(ctx, debstrap, args...)
	cmd.Stdout, cmd.Stderr = out, said
	// What it leaves when it is killed lies in dir. Its mounts do not: see runGroup.
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "SYSNERD_BASE="+string(r.read("base.sh")), "LC_ALL=C.UTF-8")
	err := runGroup(cmd)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("mmdebstrap: %w:\n%s", err, said.tail())
	}
	return nil
}

// runGroup runs cmd in a process group of its own, of which nothing is left afterwards.
// When the command's context ends, all of the group is told, as by Ctrl-C in a terminal.
func runGroup(cmd *exec.Cmd) error {
	tell := func(sig syscall.Signal) error { return syscall.Kill(-cmd.Process.Pid, sig) }
	var again *time.Timer
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if os.Geteuid() == 0 {
		// As root mmdebstrap mounts this machine's /sys, /dev and a /proc into the system
		// that it makes. Killed, it leaves them, and removing its files would then remove
		// those of this machine. In a mount namespace of its own they end with it. (For an
		// ordinary user mmdebstrap makes such a namespace itself.)
		cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
	}
	cmd.Cancel = func() error {
		// A child between fork and exec ignores it, and all wait for that one: hence twice.
		again = time.AfterFunc(2*time.Second, func() { _ = tell(syscall.SIGTERM) })
		return tell(syscall.SIGINT)
	}
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	if again != nil {
		again.Stop()
	}
	if cmd.Process == nil {
		return err
	}
	// Most often nothing outlived it. What did is gone once the kernel says so, or
	// is a zombie that this machine's init does not reap.
	for range 100 {
		if tell(syscall.SIGKILL) != nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// transport are apt's settings on how to reach a mirror, as apt-config prints them.
var transport = regexp.MustCompile(`^Acquire::(http|https|Retries|Check-Valid-Until|Check-Date|ForceIPv4|ForceIPv6)\b.* "..*";$`)

// hostTransport is how this machine's apt reaches its mirror: proxy, retries, clock.
// base.sh takes it out of the image again.
func hostTransport(ctx context.Context) []byte {
	dump, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return nil // no apt configuration is no reason not to try
	}
	return keepTransport(dump)
}

func keepTransport(dump []byte) []byte {
	var kept []byte
	for line := range bytes.Lines(dump) {
		if transport.Match(bytes.TrimSpace(line)) {
			kept = append(kept, line...)
		}
	}
	return kept
}

// pullBase has the engine make the base image by Dockerfile, from a registry.
func (b *Builder) pullBase(ctx context.Context, r recipe, p Progress) error {
	from := r.distribution.registryImage()
	p(fmt.Sprintf("make the base image from %s of the engine's registry (some minutes)", from))
	response, err := b.docker.ImageBuild(ctx, bytes.NewReader(r.tar(baseParts)), build.ImageBuildOptions{
		Tags:        []string{r.baseTag()},
		Labels:      map[string]string{labelKind: kindBase},
		BuildArgs:   map[string]*string{"FROM": &from},
		Remove:      true,
		ForceRemove: true,
	})
	if err != nil {
		return fmt.Errorf("build from %s: %w", from, err)
	}
	defer response.Body.Close()
	err = follow(response.Body, func(line string) {
		if strings.HasPrefix(line, "Step ") {
			p("  " + line)
		}
	})
	if err != nil {
		return fmt.Errorf("build from %s: %w", from, err)
	}
	return nil
}

// follow reads the engine's report of an import or a build to its end, which is when
// the work is done.
func follow(report io.Reader, tell func(line string)) error {
	for decoder := json.NewDecoder(report); ; {
		var message struct {
			Stream string `json:"stream"`
			Error  string `json:"error"`
		}
		err := decoder.Decode(&message)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the engine's report: %w", err)
		}
		if message.Error != "" {
			return errors.New(strings.TrimSpace(message.Error))
		}
		if line := strings.TrimSpace(message.Stream); line != "" {
			tell(line)
		}
	}
}
