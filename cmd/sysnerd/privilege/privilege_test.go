package privilege

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"sysnerd/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const clean = `Name:	sysnerd
Uid:	19999	19999	19999	19999
Gid:	19999	19999	19999	19999
Groups:	 
CapInh:	0000000000000000
CapPrm:	0000000000000000
CapEff:	0000000000000000
CapBnd:	0000000000000000
CapAmb:	0000000000000000
NoNewPrivs:	1
`

func TestCheckFindsWhatIsLeftOfRoot(t *testing.T) {
	if err := check([]byte(clean)); err != nil {
		t.Errorf("check of one without anything = %v, want nil", err)
	}
	for _, change := range [][2]string{
		{"Uid:	19999", "Uid:	0"},
		{"Uid:	19999	19999	19999	19999", "Uid:	19999	19999	0	19999"},
		{"Gid:	19999	19999", "Gid:	19999	0"},
		{"Groups:	 ", "Groups:	0 "},
		{"Groups:	 ", "Groups:	103 "},
		{"CapEff:	0000000000000000", "CapEff:	0000000000000001"},
		{"CapPrm:	0000000000000000", "CapPrm:	000001ffffffffff"},
		{"CapInh:	0000000000000000", "CapInh:	0000000000200000"},
		{"CapBnd:	0000000000000000", "CapBnd:	000001ffffffffff"},
		{"CapAmb:	0000000000000000", "CapAmb:	0000000000000400"},
		{"NoNewPrivs:	1", "NoNewPrivs:	0"},
		{"NoNewPrivs:	1\n", ""},
		{"Uid:", "Id:"},
	} {
		status := strings.Replace(clean, change[0], change[1], 1)
		if err := check([]byte(status)); err == nil {
			t.Errorf("check with %q = nil, want an error", change[1])
		}
	}
}

func TestUsersThatPagesMayNotRunAs(t *testing.T) {
	for setting, want := range map[string]string{
		"root":           "root",
		"0":              "root",
		"20000":          "learners' uids",
		"29999":          "learners' uids",
		"nosuchuserhere": "useradd --system nosuchuserhere",
	} {
		if u, err := FindUser(setting); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--user") {
			t.Errorf("FindUser(%q) = %v, %v; want an error with %q and --user", setting, u, err, want)
		}
	}
	u, err := FindUser("19998")
	if err != nil || u.UID != 19998 || u.GID != 19998 {
		t.Errorf("FindUser(19998) = %v, %v; want that uid and gid", u, err)
	}
	if u, err = FindUser("nobody"); err != nil || u.Name != "nobody" || u.UID == 0 || u.GID == 0 {
		t.Errorf("FindUser(nobody) = %+v, %v", u, err)
	}
	if u, err = FindUser(""); err != nil || u.Name != ownUser && u.UID != sandbox.FirstUID-1 {
		t.Errorf("FindUser of nobody in particular = %+v, %v; want sysnerd or uid %d", u, err, sandbox.FirstUID-1)
	}
}

func TestFoldersThatAreClosed(t *testing.T) {
	top := t.TempDir()
	for at := top; at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	closed, below := filepath.Join(top, "closed"), filepath.Join(top, "closed", "open", "data")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(top, "link")
	if err := os.Symlink(below, link); err != nil {
		t.Fatal(err)
	}
	u := User{UID: 19998, GID: 19998}
	for _, path := range []string{below, link} {
		if at, err := closedAt(path, u); err != nil || at != "" {
			t.Errorf("closedAt(%s) = %q, %v; want none", path, at, err)
		}
	}
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{below, link} {
		if at, err := closedAt(path, u); err != nil || at != closed {
			t.Errorf("closedAt(%s) = %q, %v; want %s", path, at, err, closed)
		}
	}
	if at, err := closedAt(closed, u); err != nil || at != "" {
		t.Errorf("closedAt(%s) = %q, %v; want none: it is not on the way", closed, at, err)
	}
}

func TestPortsThatAreRoots(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:80": true, ":1023": true, "[::1]:443": true, "127.0.0.1:1024": false, "localhost:0": false, "nonsense": false,
	} {
		if got := rootsPort(address); got != want {
			t.Errorf("rootsPort(%q) = %t, want %t", address, got, want)
		}
	}
}
