package images

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/pkg/stdcopy"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine opens the real one. Without it nothing is proved, so its absence is a failure.
func engine(t *testing.T) *Builder {
	t.Helper()
	b, err := New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// ownRecipe is the real one with files changed, and with a guest that no other test has,
// so that its tag is this test's alone.
func ownRecipe(t *testing.T, changes map[string]string) recipe {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(ingredients, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(ingredients, name)
		files[name] = &fstest.MapFile{Data: content}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	guest := fmt.Sprintf("#!/bin/sh\n# %s %d\necho I am the guest\n", t.Name(), time.Now().UnixNano())
	files["embed/guest"] = &fstest.MapFile{Data: []byte(guest)}
	for name, content := range changes {
		files[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return recipe{files, hostDistribution()}
}

// discard removes what the test built.
func discard(t *testing.T, b *Builder, r recipe) {
	t.Cleanup(func() {
		if _, ok, err := b.find(context.Background(), r.sandboxTag()); err != nil || !ok {
			return
		}
		if err := b.Remove(context.Background(), r.sandboxTag()); err != nil {
			t.Error(err)
		}
	})
}

func made(t *testing.T, b *Builder, r recipe) string {
	t.Helper()
	id, err := b.build(t.Context(), r, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// inside runs a script as root in a container as strict as a sandbox, and returns what it printed.
func inside(t *testing.T, b *Builder, image, script string) string {
	t.Helper()
	ctx := t.Context()
	created, err := b.docker.ContainerCreate(ctx, &container.Config{
		Image: image, Cmd: []string{"/bin/bash", "-c", script},
		Env: []string{"TERM=xterm-256color", "LANG=C.UTF-8", "HOME=/home/learner"},
	}, &container.HostConfig{
		NetworkMode: "none", ReadonlyRootfs: true, SecurityOpt: []string{"no-new-privileges"},
		Tmpfs: map[string]string{
			"/run": "exec,mode=755", "/tmp": "exec,mode=1777",
			"/home/learner": "exec,uid=20000,gid=20000,mode=700",
		},
	}, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		err := b.docker.ContainerRemove(context.Background(), created.ID, container.RemoveOptions{Force: true})
		if err != nil {
			t.Error(err)
		}
	}()
	if err := b.docker.ContainerStart(ctx, created.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	ended, failed := b.docker.ContainerWait(ctx, created.ID, container.WaitConditionNotRunning)
	select {
	case err := <-failed:
		t.Fatal(err)
	case <-ended:
	}
	logs, err := b.docker.ContainerLogs(ctx, created.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	var out bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &out, logs); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// asLearner wraps a script so that it runs as a sandbox's learner, after what the guest
// and a lab's setup would have done as root.
func asLearner(setup, script string) string {
	return `exec 2>&1 # one pipe: the engine does not keep the order of two
set -eu
echo 'learner:x:20000:20000::/home/learner:/bin/bash' >/run/passwd
echo 'learner:x:20000:' >/run/group
mkdir /run/lab
` + setup + `
cd /home/learner
exec setpriv --reuid 20000 --regid 20000 --clear-groups --bounding-set -all bash <<'LEARNER'
` + script + `
LEARNER`
}

// One image serves all cases, since each costs a start and not a build.
func TestImageServesALearner(t *testing.T) {
	b := engine(t)
	r := ownRecipe(t, nil)
	discard(t, b, r)
	image := made(t, b, r)

	const seed = "c0ffee"
	h := fnv.New64a()
	fmt.Fprint(h, seed)
	var letters []byte
	for _, octet := range h.Sum(nil) { // big endian
		letters = append(letters, 'a'+octet%26)
	}
	secret := "/etc/" + string(letters) + ".conf"
	drops := strconv.FormatUint(300+h.Sum64()>>32%1201, 10)
	seeded := "echo " + seed + " | tee /run/lab/drip.seed >/run/lab/mystery.seed\n"

	tests := []struct {
		name, setup, script string
		want                string // in the output
		not                 string // not in the output
	}{
		{name: "guest", script: "/usr/lib/sysnerd/guest; answer", want: "I am the guest\nI am the guest"},
		{name: "name", script: "id", want: "uid=20000(learner) gid=20000(learner) groups=20000(learner)"},
		{name: "no setuid", setup: "find / -xdev -type f -perm /6000", script: "echo looked", want: "looked", not: "/"},
		{name: "no trace of the host", script: "cat /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/apt.conf.d/99*; ls /var/lib/apt/lists /var/log/apt", not: "://"},
		{name: "manual", script: "man 2 read | head -20; man ls | head -3; man 1 strace | head -3; echo ${PIPESTATUS[0]}", want: "read from a file descriptor", not: "annot"},
		{name: "manual's index", script: "whatis mmap", want: "mmap (2)"},
		{name: "completion", script: `bash -ic '. /usr/share/bash-completion/bash_completion && complete -p | wc -l' 2>&1 | tail -1`, not: "rror"},
		{name: "vim", script: `printf 'ihello\033:wq\r' | script -qec 'vim hello.txt' /dev/null >/dev/null; cat hello.txt`, want: "hello"},
		{name: "less", script: `script -qec 'less -E +G /etc/profile; echo status $?' /dev/null`, want: "status 0", not: "not fully functional"},
		{name: "top", script: "script -qec 'top -n 1' /dev/null", want: "load average", not: "unknown terminal"},
		{name: "gcc and gdb", script: `cd /tmp; printf '#include <stdio.h>\nint main(void) { puts("hi"); }\n' >hello.c; gcc -g hello.c && ./a.out && gdb -batch -ex 'break main' -ex run a.out`, want: "Breakpoint 1, main"},

		{name: "mystery", setup: seeded, script: "strace -e trace=openat mystery 2>&1", want: `openat(AT_FDCWD, "` + secret + `", O_RDONLY|O_CLOEXEC) = -1 ENOENT`},
		{name: "mystery keeps its secret", setup: seeded, script: "mystery; echo status $?; strings -n 3 $(command -v mystery)", want: "configuration is missing", not: string(letters)},
		{name: "mystery without seed", script: "mystery; echo status $?", want: "no seed: /run/lab/mystery.seed: No such file"},
		{name: "drip", setup: seeded, script: "strace -c -e trace=write drip 2>&1 >/dev/null", want: " " + drops + " "},
		{name: "drip keeps its number", setup: seeded, script: "cat /run/lab/*; strings $(command -v drip)", want: seed, not: drops},
		{name: "drip without seed", script: "drip; echo status $?", want: "no seed: /run/lab/drip.seed: No such file"},
		{name: "gulp", script: "strace gulp 2>&1 >/dev/null | grep -c ^write", want: "1\n"},
		{name: "the same water", setup: seeded, script: "drip >a; gulp >b; cmp a b && wc -c <a", want: "4032\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := strings.ReplaceAll(inside(t, b, image, asLearner(test.setup, test.script)), "\r\n", "\n")
			if !strings.Contains(got, test.want) {
				t.Errorf("%s\nprinted\n%s\nwant in it %q", test.script, got, test.want)
			}
			if test.not != "" && strings.Contains(got, test.not) {
				t.Errorf("%s\nprinted\n%s\nwant no %q in it", test.script, got, test.not)
			}
		})
	}
}

func TestBuildDoesNothingWhenCurrent(t *testing.T) {
	b := engine(t)
	r := ownRecipe(t, nil)
	discard(t, b, r)
	first := made(t, b, r)
	var told []string
	second, err := b.build(t.Context(), r, func(line string) { told = append(told, line) })
	if err != nil || second != first {
		t.Fatalf("second build = %s, %v; want %s", second, err, first)
	}
	if len(told) != 1 || !strings.Contains(told[0], "up to date") {
		t.Errorf("second build told %q, want one line that it is up to date", told)
	}
}

func TestTwoBuildsAtOnceShareTheWork(t *testing.T) {
	one, other := engine(t), engine(t)
	r := ownRecipe(t, nil)
	discard(t, one, r)
	var wg sync.WaitGroup
	ids, errs, works := make([]string, 2), make([]error, 2), make([]int, 2)
	for i, b := range []*Builder{one, other} {
		wg.Go(func() {
			ids[i], errs[i] = b.build(t.Context(), r, func(line string) {
				if strings.Contains(line, "compile") {
					works[i]++
				}
			})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if ids[0] != ids[1] || works[0]+works[1] != 1 {
		t.Errorf("ids %v after %v builds, want one id after one", ids, works)
	}
}

func TestInterruptedBuildLeavesNothingAndCanBeStartedAgain(t *testing.T) {
	b := engine(t)
	r := ownRecipe(t, nil)
	discard(t, b, r)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := b.build(ctx, r, func(line string) {
		if strings.Contains(line, "compile") {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("build = %v, want that it was cancelled", err)
	}
	if id, ok, err := b.find(t.Context(), r.sandboxTag()); err != nil || ok {
		t.Errorf("after an interrupted build: image %s, %v; want none", id, err)
	}
	left, err := b.docker.ContainerList(t.Context(), container.ListOptions{All: true,
		Filters: filters.NewArgs(filters.Arg("label", labelFor+"="+r.sandboxTag()))})
	if err != nil || len(left) > 0 {
		t.Errorf("after an interrupted build: containers %v, %v; want none", left, err)
	}
	made(t, b, r)
}

func TestInterruptedBaseLeavesNothing(t *testing.T) {
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"apt-get update", "extracting archives", "installing remaining"} {
		t.Run(step, func(t *testing.T) {
			// Not t.TempDir, which would remove what a fault leaves mounted.
			scratch, err := os.MkdirTemp("/var/tmp", "sysnerd-test-")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := removeUnmounted(scratch); err != nil {
					t.Error(err)
				}
			})
			t.Setenv("TMPDIR", scratch)
			b := engine(t)
			r := ownRecipe(t, map[string]string{"packages.txt": fmt.Sprintf("less # %d\n", time.Now().UnixNano())})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			seen := ""
			_, err = b.build(ctx, r, func(line string) {
				mounts, err := os.ReadFile("/proc/self/mountinfo")
				if err != nil {
					t.Error(err)
				}
				if at := mountedUnder(mounts, scratch); at != "" {
					seen = at
				}
				if strings.Contains(line, step) {
					cancel()
				}
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("build = %v, want that it was cancelled", err)
			}
			if seen != "" {
				t.Errorf("while it was built %s was mounted for all of this machine to see", seen)
			}
			if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
				t.Errorf("after an interrupted base: %v, %v in the temporary folder; want nothing", left, err)
			}
			if id, ok, err := b.find(t.Context(), r.baseTag()); err != nil || ok {
				t.Errorf("after an interrupted base: image %s, %v; want none", id, err)
			}
		})
	}
}

func TestWhatIsMountedIsNotRemoved(t *testing.T) {
	const mountinfo = `24 1 254:0 / / rw - ext4 /dev/vda rw
30 24 0:27 / /var/tmp/base-1/root/dev/shm rw - tmpfs tmpfs rw
31 24 0:28 / /var/tmp/with\040space/proc rw - proc proc rw
`
	for dir, want := range map[string]string{
		"/var/tmp/base-1":              "/var/tmp/base-1/root/dev/shm",
		"/var/tmp/with space":          "/var/tmp/with space/proc",
		"/var/tmp/base":                "",
		"/var/tmp/base-1/root/dev/shm": "/var/tmp/base-1/root/dev/shm",
		"/home":                        "",
	} {
		if got := mountedUnder([]byte(mountinfo), dir); got != want {
			t.Errorf("mountedUnder(%s) = %q, want %q", dir, got, want)
		}
	}
}

func TestBrokenProgramFailsTheBuildWithTheCompilersWords(t *testing.T) {
	b := engine(t)
	r := ownRecipe(t, map[string]string{"programs/drip.c": "int main(void) { int unused; return 0; }\n"})
	_, err := b.build(t.Context(), r, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "unused") {
		t.Errorf("build with a warning = %v, want the compiler's words", err)
	}
}

func TestRemoveRefusesWhatIsNotOursOrInUse(t *testing.T) {
	b := engine(t)
	r := ownRecipe(t, nil)
	discard(t, b, r)
	id := made(t, b, r)

	if err := b.Remove(t.Context(), "debian:bookworm"); err == nil || !strings.Contains(err.Error(), "none of ours") {
		t.Errorf("Remove of a stranger = %v, want that it is none of ours", err)
	}
	if err := b.Remove(t.Context(), r.baseTag()); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("Remove of the base below an image = %v, want that it is in use", err)
	}
	created, err := b.docker.ContainerCreate(t.Context(), &container.Config{Image: id}, nil, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Remove(t.Context(), r.sandboxTag()); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("Remove below a container = %v, want that it is in use", err)
	}
	if err := b.docker.ContainerRemove(t.Context(), created.ID, container.RemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Remove(t.Context(), strings.TrimPrefix(id, "sha256:")[:12]); err != nil {
		t.Errorf("Remove by the beginning of the id = %v", err)
	}
	if _, ok, err := b.find(t.Context(), r.sandboxTag()); ok || err != nil {
		t.Errorf("after Remove: there = %v, %v", ok, err)
	}
}

func TestWithoutDebstrapAndRegistryTheErrorNamesBothCures(t *testing.T) {
	// An engine that has no image and no registry.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("API-Version", "1.41")
		switch {
		case strings.HasSuffix(req.URL.Path, "/_ping"):
		case strings.HasSuffix(req.URL.Path, "/build"):
			fmt.Fprint(w, `{"error":"registry unreachable"}`)
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"message":"no such image"}`)
		}
	}))
	defer server.Close()
	t.Setenv("DOCKER_HOST", "tcp://"+server.Listener.Addr().String())
	t.Setenv("PATH", t.TempDir())
	b := engine(t)
	_, err := b.build(t.Context(), ownRecipe(t, nil), func(string) {})
	for _, want := range []string{"registry unreachable", "apt-get install mmdebstrap", "reach a registry"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("build = %v, want %q in it", err, want)
		}
	}
}

func TestNoEngineSaysWhatToDo(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+t.TempDir()+"/none.sock")
	_, err := New(t.Context())
	if err == nil || !strings.Contains(err.Error(), "none.sock") || !strings.Contains(err.Error(), "start it") {
		t.Errorf("New without an engine = %v, want where it looked and the cure", err)
	}
}
