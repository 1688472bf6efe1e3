package images

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOneLineSourcesKeepTheDistributionsOwn(t *testing.T) {
	ubuntu := distribution{"ubuntu", "noble"}
	tests := []struct {
		name, line string
		d          distribution
		kept       bool
	}{
		{"main archive", "deb http://mirror.example/debian bookworm main", bookworm, true},
		{"with path in front", "deb http://mirror.example/pub/debian/ bookworm main contrib", bookworm, true},
		{"security", "deb http://mirror.example/debian-security bookworm-security main", bookworm, true},
		{"options", "deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/x bookworm main", bookworm, true},
		{"comment behind", "deb http://mirror.example/debian bookworm main # ours", bookworm, true},
		{"mirror list", "deb mirror+file:/etc/apt/mirrors/debian.list bookworm main", bookworm, true},
		{"ubuntu", "deb http://mirror.example/ubuntu noble-updates main universe", ubuntu, true},
		{"ubuntu ports", "deb http://mirror.example/ubuntu-ports noble main", ubuntu, true},

		{"commented out", "# deb http://mirror.example/debian bookworm main", bookworm, false},
		{"sources of programs", "deb-src http://mirror.example/debian bookworm main", bookworm, false},
		{"backports", "deb http://mirror.example/debian bookworm-backports main", bookworm, false},
		{"other release", "deb http://mirror.example/debian trixie main", bookworm, false},
		{"other distribution", "deb http://mirror.example/ubuntu noble main", bookworm, false},
		{"third party's component", "deb http://packages.example/linux/debian bookworm stable", bookworm, false},
		{"third party's key", "deb [signed-by=/usr/share/keyrings/acme-archive-keyring.gpg] http://packages.example/debian bookworm main", bookworm, false},
		{"third party's path", "deb http://packages.example/ bookworm main", bookworm, false},
		{"named only by the host", "deb http://debian bookworm main", bookworm, false},
		{"third party's suite", "deb http://packages.example/debian bookworm-acme main", bookworm, false},
		{"flat", "deb http://packages.example/debian ./", bookworm, false},
		{"unclosed options", "deb [arch=amd64 http://mirror.example/debian bookworm main", bookworm, false},
		{"disc", "deb cdrom:[Debian 12]/ bookworm main", bookworm, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := filterOneLine(test.line+"\n", test.d)
			if (got != "") != test.kept {
				t.Errorf("filterOneLine(%q) = %q, want kept = %v", test.line, got, test.kept)
			}
		})
	}
}

func TestDeb822SourcesKeepTheDistributionsOwn(t *testing.T) {
	const text = `Types: deb deb-src
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
 bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main contrib

Types: deb
URIs: http://packages.example/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 debian-archive-keyring
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://packages.example/node
Suites: nodistro
Components: main
`
	const want = `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main contrib
`
	if diff := cmp.Diff(want, filterDeb822(text, bookworm)); diff != "" {
		t.Errorf("filterDeb822 (-want +got):\n%s", diff)
	}
}

func TestDistributionComesFromTheHostIfItIsOneWeKnow(t *testing.T) {
	tests := []struct {
		text string
		want distribution
	}{
		{"ID=debian\nVERSION_CODENAME=trixie\n", distribution{"debian", "trixie"}},
		{"ID=ubuntu\nVERSION_CODENAME=\"noble\"\n", distribution{"ubuntu", "noble"}},
		{"ID=fedora\nVERSION_CODENAME=\"\"\n", fallback},
		{"ID=debian\n", fallback},
		{"", fallback},
	}
	for _, test := range tests {
		if got := parseOSRelease([]byte(test.text)); got != test.want {
			t.Errorf("parseOSRelease(%q) = %v, want %v", test.text, got, test.want)
		}
	}
}

func TestTransportKeepsOnlyHowToReachTheMirror(t *testing.T) {
	const dump = `APT::Install-Recommends "1";
Acquire "";
Acquire::http "";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::Timeout "20";
Acquire::Retries "3";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
DPkg::Post-Invoke:: "rm -rf /";
`
	const want = `Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::Timeout "20";
Acquire::Retries "3";
Acquire::Check-Valid-Until "false";
`
	if diff := cmp.Diff(want, string(keepTransport([]byte(dump)))); diff != "" {
		t.Errorf("keepTransport (-want +got):\n%s", diff)
	}
}
