package local

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"

	"sysnerd/sandbox"
)

// apparmorName is that of the profile in apparmor.profile.
const apparmorName = "sysnerd-sandbox"

// apparmor refuses what Docker's default profile refuses, and allows signals and
// traces among the processes of sandboxes alone.
//
//go:embed apparmor.profile
var apparmor []byte

// loadAppArmor loads the profile where the kernel has AppArmor, and returns its name;
// "" where it has none. Containers are confined by it only if somebody loads one:
// without Docker nobody else does.
func loadAppArmor() (name string, err error) {
	enabled, err := os.ReadFile("/sys/module/apparmor/parameters/enabled")
	if err != nil || !bytes.HasPrefix(enabled, []byte("Y")) {
		return "", nil
	}
	load := exec.Command("apparmor_parser", "--replace", "--skip-cache")
	load.Stdin = bytes.NewReader(apparmor)
	if said, err := load.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: load the AppArmor profile %s: %w: %s; install it: apt-get install apparmor", sandbox.ErrUnavailable, apparmorName, err, bytes.TrimSpace(said))
	}
	return apparmorName, nil
}
