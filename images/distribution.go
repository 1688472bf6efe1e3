package images

import (
	"bufio"
	"bytes"
	"os"
	"strings"
)

// distribution is whose packages the image is made of, such as debian bookworm.
type distribution struct {
	id       string // debian or ubuntu
	codename string
}

func (d distribution) String() string { return d.id + " " + d.codename }

// fallback is used on hosts of another kind; only the registry's way leads there.
var fallback = distribution{"debian", "bookworm"}

// hostDistribution is this machine's own if that is Debian or Ubuntu: then packages
// come from where the machine gets its own, and what runs inside is what runs outside.
func hostDistribution() distribution {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return fallback
	}
	return parseOSRelease(text)
}

func parseOSRelease(text []byte) distribution {
	values := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), "="); ok {
			values[key] = strings.Trim(value, `"'`)
		}
	}
	d := distribution{values["ID"], values["VERSION_CODENAME"]}
	if (d.id != "debian" && d.id != "ubuntu") || d.codename == "" {
		return fallback
	}
	return d
}

// registryImage is the distribution's own image in a public registry.
func (d distribution) registryImage() string {
	if d.id == "debian" {
		return "debian:" + d.codename + "-slim"
	}
	return "ubuntu:" + d.codename
}
