package doctor

import (
	"slices"
	"strconv"
	"strings"
)

// flaw is a known defect of a program, from its own advisory.
type flaw struct {
	CVE   string
	Fixed []string // first good version of each line that was mended; later lines are good
	Since string   // first bad version, "" when all before are
	// Builds names beginnings of a distribution's builds that carry the fix.
	Builds []string
}

// runcFlaws let a container reach its host. Sources, looked at in November 2026:
//   - https://github.com/opencontainers/runc/security/advisories/GHSA-xr7r-f8xq-vfvv (CVE-2024-21626)
//   - https://github.com/opencontainers/runc/security/advisories/GHSA-9493-h29p-rfm2 (CVE-2025-31133)
//   - https://github.com/opencontainers/runc/security/advisories/GHSA-qw9x-cqr3-wc7r (CVE-2025-52565)
//   - https://github.com/opencontainers/runc/security/advisories/GHSA-cgrx-mc8f-2prm (CVE-2025-52881)
//   - https://github.com/opencontainers/runc/security/advisories/GHSA-xjvp-4fhw-gc47 (CVE-2026-41579)
//   - https://github.com/opencontainers/runc/security/advisories/GHSA-g2c3-j8g3-7gpw (CVE-2026-119101,
//     by runc restore, which no engine of ours asks for)
//   - runc's CHANGELOG.md of 1.3.7, 1.4.4 and 1.5.3, for the versions
//   - Debian's changelog of runc 1.1.5+ds1-1+deb12u1, which names only the first
var runcFlaws = []flaw{
	{CVE: "CVE-2024-21626", Fixed: []string{"1.1.12"}, Builds: []string{"1.1.5+ds1-1+deb12u"}},
	{CVE: "CVE-2025-31133", Fixed: []string{"1.2.8", "1.3.3"}},
	{CVE: "CVE-2025-52565", Fixed: []string{"1.2.8", "1.3.3"}},
	{CVE: "CVE-2025-52881", Fixed: []string{"1.2.8", "1.3.3"}},
	{CVE: "CVE-2026-41579", Fixed: []string{"1.3.6", "1.4.3", "1.5.0"}},
	{CVE: "CVE-2026-119101", Fixed: []string{"1.3.7", "1.4.4", "1.5.3"}},
}

// kernelFlaws give root to whoever has a shell. Sources:
//   - https://dirtypipe.cm4all.com (CVE-2022-0847)
//   - https://www.openwall.com/lists/oss-security/2022/01/18/7 (CVE-2022-0185)
var kernelFlaws = []flaw{
	{CVE: "CVE-2022-0847", Since: "5.8", Fixed: []string{"5.10.102", "5.15.25", "5.16.11"}},
	{CVE: "CVE-2022-0185", Since: "5.1", Fixed: []string{"5.4.173", "5.10.93", "5.15.16", "5.16.2"}},
}

// in says whether a program of that version and build has the flaw.
func (f flaw) in(version [3]int, build string) bool {
	if f.Since != "" {
		if since, _ := parseVersion(f.Since); slices.Compare(version[:], since[:]) < 0 {
			return false
		}
	}
	for _, prefix := range f.Builds {
		if strings.HasPrefix(build, prefix) {
			return false
		}
	}
	var last [3]int
	for _, text := range f.Fixed {
		fixed, _ := parseVersion(text)
		last = fixed
		if fixed[0] == version[0] && fixed[1] == version[1] {
			return version[2] < fixed[2]
		}
	}
	return slices.Compare(version[:], last[:]) < 0
}

func judgeRunc(version, build string) Finding {
	if version == "" {
		return ok("runtime", "not runc; sysnerd knows no flaws of it")
	}
	named := version
	if build != "" {
		named += " (" + build + ")"
	}
	v, parsed := parseVersion(version)
	if !parsed {
		return warn("runtime", "look up its version in runc's security advisories", "runc %s: version not understood", named)
	}
	bad, cure := found(runcFlaws, v, build)
	if len(bad) == 0 {
		return ok("runtime", "runc %s", named)
	}
	return warn("runtime", "install runc "+cure+" or later, from your distribution or the Docker project, unless your build carries the fixes",
		"runc %s has %s: a container may reach its host", named, strings.Join(bad, ", "))
}

func judgeKernel(release string) Finding {
	v, parsed := parseVersion(release)
	if !parsed {
		return warn("kernel", "look up its version in your distribution's advisories", "Linux %s: version not understood", release)
	}
	// Distributions mend 5.15.0-91 and the like without changing the first three numbers.
	if _, rest, _ := strings.Cut(release, "-"); v[2] == 0 && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		return ok("kernel", "Linux %s, a distribution's: its fixes do not show in its version, keep it up to date", release)
	}
	bad, cure := found(kernelFlaws, v, "")
	if len(bad) == 0 {
		return ok("kernel", "Linux %s", release)
	}
	return fail("kernel", "install Linux "+cure+" or later", "Linux %s has %s: a learner may become root of this machine", release, strings.Join(bad, ", "))
}

// found lists the flaws that a version has, and the versions that have none of them.
func found(flaws []flaw, version [3]int, build string) (bad []string, cure string) {
	var good []string
	for _, f := range flaws {
		if !f.in(version, build) {
			continue
		}
		bad = append(bad, f.CVE)
		for _, text := range f.Fixed {
			v, _ := parseVersion(text)
			if !slices.ContainsFunc(flaws, func(f flaw) bool { return f.in(v, "") }) && !slices.Contains(good, text) {
				good = append(good, text)
			}
		}
	}
	return bad, strings.Join(good, ", ")
}

// parseVersion reads the leading numbers of texts like "1.1.5+ds1", "v1.3.0-rc.1"
// and "6.18". A missing number is 0.
func parseVersion(text string) (v [3]int, ok bool) {
	text = strings.TrimPrefix(text, "v")
	if end := strings.IndexFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); end >= 0 {
		text = text[:end]
	}
	parts := strings.Split(strings.TrimRight(text, "."), ".")
	if len(parts) > 3 {
		parts = parts[:3]
	}
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil {
			return v, false
		}
		v[i] = n
	}
	return v, len(parts) > 1
}
