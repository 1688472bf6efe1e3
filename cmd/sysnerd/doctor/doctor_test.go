package doctor

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sysnerd/cmd/sysnerd/service"
	"sysnerd/sandbox"
	"sysnerd/sandbox/gvisor"
	"sysnerd/sandbox/local"
)

var update = flag.Bool("update", false, "rewrite golden files")

// golden holds what people read of findings.
func golden(t *testing.T, name string, findings []Finding) {
	t.Helper()
	var got strings.Builder
	for _, f := range findings {
		got.WriteString(f.String() + "\n")
	}
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// well is an engine with nothing to be said against.
func well() engineFacts {
	return engineFacts{
		Host: "unix:///run/docker.sock", Version: "29.0.1", API: "1.52", Runtime: "runc",
		Runc: "1.3.7", RuncBuild: "v1.3.7-0-g1e8da29", Kernel: "6.12.57+deb13-amd64", Cgroup: "2",
		MemoryLimit: true, SwapLimit: true, PidLimit: true, Driver: "overlay2", Root: "/var/lib/docker",
		RootFree: 40 << 30, LiveRestore: true, Security: []string{"name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"},
	}
}

func TestEngineThatIsWell(t *testing.T) { golden(t, "engine-well", judgeEngine(well())) }

func TestEngineThatIsNotWell(t *testing.T) {
	f := well()
	f.Runc, f.RuncBuild, f.Kernel = "1.1.5+ds1", "1.1.5+ds1-1+deb12u1", "5.15.10"
	f.Cgroup, f.MemoryLimit, f.SwapLimit, f.PidLimit = "1", false, false, false
	f.Driver, f.RootFree, f.LiveRestore, f.Security = "vfs", 100<<20, false, nil
	golden(t, "engine-not-well", judgeEngine(f))
}

// wellLocal is a local engine with nothing to be said against.
func wellLocal() localFacts {
	return localFacts{
		Facts: local.Facts{
			Runtime: local.Runc, Program: "/usr/lib/sysnerd/runc", Version: "1.5.3", Seccomp: true, Cgroup: "2", SwapLimit: true,
			AppArmor: "sysnerd-sandbox", Images: "/var/lib/sysnerd-images",
		},
		Kernel: "6.12.57+deb13-amd64", Free: 40 << 30,
	}
}

func TestLocalEngineThatIsWell(t *testing.T) { golden(t, "local-well", judgeLocal(wellLocal())) }

func TestLocalEngineThatIsNotWell(t *testing.T) {
	f := wellLocal()
	f.Program, f.Version, f.Build, f.Seccomp = "/usr/sbin/runc", "1.1.5+ds1", "1.1.5+ds1-1+deb12u1", false
	f.Cgroup, f.SwapLimit, f.AppArmor, f.Free = "1", false, "", 100<<20
	golden(t, "local-not-well", judgeLocal(f))
}

func TestLocalEngineOfAnOrdinaryUser(t *testing.T) {
	f := wellLocal()
	f.AppArmor, f.Rootless = "", true
	f.Gaps = []sandbox.Gap{{Name: "accounting"}}
	golden(t, "rootless-with-cgroup", judgeLocal(f))
	f.Gaps, f.SwapLimit = append(f.Gaps, sandbox.Gap{Name: "limit-memory"}, sandbox.Gap{Name: "limit-pids"}), false
	golden(t, "rootless-without-cgroup", judgeLocal(f))
}

func TestLocalEngineUnderGVisor(t *testing.T) {
	f := wellLocal()
	f.Runtime, f.Program, f.Version, f.AppArmor = local.Runsc, "/usr/local/bin/runsc", "release-20261116.0", ""
	f.Gaps = gvisor.Gaps[:2]
	golden(t, "local-gvisor", judgeLocal(f))
}

func TestUserOfThePages(t *testing.T) {
	golden(t, "user", []Finding{judgeUser(true, "19998"), judgeUser(true, "root"), judgeUser(false, "")})
}

func TestRuntimeThatIsChosen(t *testing.T) {
	f := well()
	f.Chosen, f.Runtimes = "runsc", []string{"io.containerd.runc.v2", "runc"}
	golden(t, "runtime-unknown", judgeEngine(f))
	f.Runtimes = append(f.Runtimes, "runsc")
	golden(t, "runtime-gvisor", judgeEngine(f))
}

func TestSwapThatIsNotThereNeedsNoLimit(t *testing.T) {
	f := well()
	f.SwapLimit, f.Swapless = false, true
	if got := Worst(judgeEngine(f)); got != OK {
		t.Errorf("worst finding without swap = %s, want %s", got, OK)
	}
}

func TestHostThatIsWell(t *testing.T) {
	golden(t, "host-well", judgeHost(readHost("testdata/host-well"), service.Capacity{Sandboxes: 24, Budget: 6 << 30, Each: 256 << 20}))
}

func TestHostThatIsNotWell(t *testing.T) {
	golden(t, "host-not-well", judgeHost(readHost("testdata/host-not-well"), service.Capacity{Sandboxes: 200, Budget: 6 << 30, Each: 256 << 20, Chosen: true}))
}

func TestHostThatTellsNothing(t *testing.T) {
	findings := judgeHost(readHost(t.TempDir()), service.Capacity{Sandboxes: 1, Budget: 1 << 30, Each: 256 << 20})
	if got := Worst(findings); got != Warn {
		t.Errorf("worst finding = %s, want %s", got, Warn)
	}
}

func TestRunc(t *testing.T) {
	all := "CVE-2024-21626, CVE-2025-31133, CVE-2025-52565, CVE-2025-52881"
	late := "CVE-2025-31133, CVE-2025-52565, CVE-2025-52881"
	latest := "CVE-2026-41579, CVE-2026-119101"
	for _, row := range []struct{ version, build, bad string }{
		{"1.0.0-rc95", "", all},
		{"1.1.5", "v1.1.5-0-gf19387a6", all},
		{"1.1.5+ds1", "1.1.5+ds1-1+deb12u1", late}, // Debian 12
		{"1.1.12", "v1.1.12-0-g51d5e946", late},
		{"1.2.7", "", late},
		{"1.2.8", "", latest},
		{"1.2.10", "", latest},
		{"1.3.0", "", late},
		{"1.3.3", "v1.3.3-0-gd842d77", latest},
		{"1.3.6", "", "CVE-2026-119101"},
		{"1.3.7", "", ""},
		{"1.4.0", "", latest},
		{"1.4.4", "", ""},
		{"1.5.2", "", "CVE-2026-119101"},
		{"1.5.3", "", ""},
		{"2.0", "", ""},
	} {
		got := judgeRunc(row.version, row.build)
		if bad := row.bad != ""; bad != (got.Level == Warn) || !strings.Contains(got.Text, row.bad) {
			t.Errorf("judgeRunc(%q, %q) = %s %q, want it to have %q", row.version, row.build, got.Level, got.Text, row.bad)
		}
	}
	for _, version := range []string{"", "unknown", "1"} {
		if got := judgeRunc(version, ""); got.Level == Fail {
			t.Errorf("judgeRunc(%q) = %v, want no failure", version, got)
		}
	}
}

func TestKernel(t *testing.T) {
	for release, bad := range map[string]string{
		"6.18.44-fc-v657":                  "",
		"6.1.0-28-amd64":                   "", // a distribution's; cannot be told from outside
		"5.15.0-91-generic":                "",
		"5.15.10":                          "CVE-2022-0847, CVE-2022-0185",
		"5.15.20":                          "CVE-2022-0847",
		"5.15.25":                          "",
		"5.9.16":                           "CVE-2022-0847, CVE-2022-0185", // a line that was never mended
		"5.4.150":                          "CVE-2022-0185",
		"5.4.173":                          "",
		"4.19.300":                         "",
		"5.10.102.1-wsl2":                  "",
		"6.6.87.2-microsoft-standard-WSL2": "",
	} {
		got := judgeKernel(release)
		if (bad != "") != (got.Level == Fail) || !strings.Contains(got.Text, bad) {
			t.Errorf("judgeKernel(%q) = %s %q, want it to have %q", release, got.Level, got.Text, bad)
		}
	}
}

func TestEveryComplaintHasItsCure(t *testing.T) {
	f := engineFacts{RootFree: 0}
	findings := append(judgeEngine(f), judgeHost(hostFacts{}, service.Capacity{Sandboxes: 100, Budget: 1 << 30, Each: 1 << 30, Chosen: true})...)
	for _, f := range findings {
		if (f.Level == OK) != (f.Cure == "") {
			t.Errorf("%s finding %q has the cure %q", f.Level, f.Text, f.Cure)
		}
	}
}
