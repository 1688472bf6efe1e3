package sandbox_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"sysnerd/sandbox"
)

func spec() sandbox.Spec {
	return sandbox.Spec{
		ID:       "0123456789abcdef",
		Instance: "test",
		Lab:      "processes/fork",
		Image:    "sysnerd/sandbox",
		UID:      sandbox.FirstUID,
		Limits:   sandbox.DefaultLimits(),
	}
}

func TestEveryTmpfsIsBounded(t *testing.T) {
	s := spec()
	s.UID = 20007
	var sum int64
	paths := map[string]sandbox.Tmpfs{}
	for _, m := range s.Profile().Tmpfs {
		if m.Size <= 0 || m.Inodes <= 0 {
			t.Errorf("tmpfs %s: size %d, inodes %d, want both bounded", m.Path, m.Size, m.Inodes)
		}
		sum += m.Size
		paths[m.Path] = m
	}
	if sum > s.Limits.Memory/3 {
		t.Errorf("all tmpfs together: %d bytes, want at most a third of %d", sum, s.Limits.Memory)
	}
	home := paths[sandbox.Home]
	if want := "rw,nosuid,nodev,exec,size=33554432,nr_inodes=4096,mode=0700,uid=20007,gid=20007"; home.Options() != want {
		t.Errorf("options of the home = %s, want %s", home.Options(), want)
	}
	for _, path := range []string{"/tmp", "/run", "/dev/shm"} {
		if _, ok := paths[path]; !ok {
			t.Errorf("no tmpfs on %s", path)
		}
	}
}

func TestSpecOutOfBoundsIsRefused(t *testing.T) {
	if err := spec().Check(); err != nil {
		t.Fatalf("default spec: %v", err)
	}
	for _, c := range []struct {
		want   string
		change func(*sandbox.Spec)
	}{
		{"sandbox id", func(s *sandbox.Spec) { s.ID = "../../etc/passwd" }},
		{"sandbox id", func(s *sandbox.Spec) { s.ID = "0123456789abcdef\n" }},
		{"instance", func(s *sandbox.Spec) { s.Instance = "a=b" }},
		{"uid", func(s *sandbox.Spec) { s.UID = 0 }},
		{"uid", func(s *sandbox.Spec) { s.UID = sandbox.FirstUID + sandbox.Slots }},
		{"image", func(s *sandbox.Spec) { s.Image = "" }},
		{"lab", func(s *sandbox.Spec) { s.Lab = "a\x00b" }},
		{"third", func(s *sandbox.Spec) { s.Limits.Home = 100 << 20 }},
		{"memory", func(s *sandbox.Spec) { s.Limits.Memory = math.MaxInt64 }},
		{"processes", func(s *sandbox.Spec) { s.Limits.Processes = 0 }},
		{"learner processes", func(s *sandbox.Spec) { s.Limits.LearnerProcesses = s.Limits.Processes }},
		{"inodes", func(s *sandbox.Spec) { s.Limits.Inodes = 1 << 32 }},
		{"cpus", func(s *sandbox.Spec) { s.Limits.CPUs = math.NaN() }},
	} {
		s := spec()
		c.change(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Check = %v, want an error about %q", err, c.want)
		}
	}
}

// The rules must stay readable for Engine 20.10, which drops keys that it does
// not know without a word: a rule would then mean something else.
func TestSeccompIsAnOldAllowList(t *testing.T) {
	var rules struct {
		DefaultAction string `json:"defaultAction"`
		ArchMap       []struct {
			Architecture string   `json:"architecture"`
			Sub          []string `json:"subArchitectures"`
		} `json:"archMap"`
		Syscalls []struct {
			Comment  string   `json:"comment"`
			Names    []string `json:"names"`
			Action   string   `json:"action"`
			ErrnoRet *uint    `json:"errnoRet"`
			Args     []struct {
				Index    uint   `json:"index"`
				Value    uint64 `json:"value"`
				ValueTwo uint64 `json:"valueTwo"`
				Op       string `json:"op"`
			} `json:"args"`
			Includes *struct {
				Arches []string `json:"arches"`
			} `json:"includes"`
		} `json:"syscalls"`
	}
	d := json.NewDecoder(strings.NewReader(spec().Profile().Seccomp))
	d.DisallowUnknownFields()
	if err := d.Decode(&rules); err != nil {
		t.Fatal(err)
	}
	if rules.DefaultAction != "SCMP_ACT_ERRNO" {
		t.Errorf("default action = %s, want SCMP_ACT_ERRNO", rules.DefaultAction)
	}
	for _, a := range rules.ArchMap {
		if len(a.Sub) != 0 {
			t.Errorf("%s also lets in %v, whose socketcall passes the socket rules by", a.Architecture, a.Sub)
		}
	}
	allowed := map[string]bool{} // whatever the arguments
	for _, r := range rules.Syscalls {
		for _, name := range r.Names {
			allowed[name] = allowed[name] || r.Action == "SCMP_ACT_ALLOW" && len(r.Args) == 0
		}
	}
	for _, name := range []string{"ptrace", "process_vm_readv", "acct", "kcmp", "inotify_init1", "memfd_create", "execve", "pidfd_open"} {
		if !allowed[name] {
			t.Errorf("%s is refused", name)
		}
	}
	for _, name := range []string{
		"add_key", "bpf", "chroot", "clone", "clone3", "delete_module", "fanotify_init", "finit_module", "fsopen", "init_module",
		"io_setup", "io_uring_enter", "io_uring_register", "io_uring_setup", "kexec_load", "keyctl", "mount", "mount_setattr",
		"move_mount", "name_to_handle_at", "open_by_handle_at", "open_tree", "perf_event_open", "personality", "pivot_root",
		"quotactl", "reboot", "request_key", "setns", "settimeofday", "socket", "socketcall", "swapon", "syslog", "umount2",
		"unshare", "userfaultfd", "vhangup",
	} {
		if allowed[name] {
			t.Errorf("%s is allowed", name)
		}
	}
	var families []uint64
	for _, r := range rules.Syscalls {
		if slices.Contains(r.Names, "socket") {
			families = append(families, r.Args[0].Value)
		}
	}
	slices.Sort(families)
	if want := []uint64{1, 2, 10, 16, 16}; !slices.Equal(families, want) {
		t.Errorf("socket families = %v, want %v (unix, inet, inet6, netlink)", families, want)
	}
}
