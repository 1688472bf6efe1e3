package doctor

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"sysnerd/cmd/sysnerd/datadir"
	"sysnerd/cmd/sysnerd/privilege"
	"sysnerd/cmd/sysnerd/service"
	"sysnerd/config"
	"sysnerd/web/ui"
)

// roomForData is what the store and its log may grow to, in bytes.
const roomForData = 1 << 30

// judgePlace looks at what the server itself needs: pages, labs, folder, port.
func judgePlace(cfg *config.Config) []Finding {
	var found []Finding
	if _, err := ui.Files(); err != nil {
		found = append(found, failed("pages", err))
	} else {
		found = append(found, ok("pages", "built"))
	}
	found = append(found, judgeLabs(cfg.Labs)...)
	found = append(found, judgeUser(os.Geteuid() == 0, cfg.User))

	holder, held := datadir.Holder(cfg.Data)
	found = append(found, judgeData(cfg.Data)...)
	listener, err := service.Listen(cfg.Listen)
	switch {
	case err == nil:
		listener.Close()
		found = append(found, ok("address", "%s is free", cfg.Listen))
	case held:
		found = append(found, ok("address", "a sysnerd (pid %s) serves from this data folder already", holder))
	default:
		found = append(found, failed("address", err))
	}
	return found
}

// judgeUser says whom the pages would run as, were they served by whoever asks.
func judgeUser(root bool, setting string) Finding {
	if !root {
		return warn("user", "start it as root, which it then gives up but for a helper", "pages and engine would be one process of yours: whoever breaks into the pages is you")
	}
	u, err := privilege.FindUser(setting)
	if err != nil {
		return failed("user", err)
	}
	return ok("user", "the pages run as %s; a helper that stays root runs the sandboxes", u)
}

func judgeLabs(dir string) []Finding {
	library, problems, err := service.LoadLabs(dir)
	if err != nil {
		return []Finding{failed("labs", err)}
	}
	var found []Finding
	count := 0
	for _, m := range library.Modules {
		count += len(m.Labs)
	}
	if count == 0 {
		found = append(found, fail("labs", "name a folder of labs with --labs", "there are none in %s", cmp.Or(dir, "the program")))
	} else {
		found = append(found, ok("labs", "%d in %s", count, cmp.Or(dir, "the program")))
	}
	for _, p := range problems {
		found = append(found, warn("labs", p.Cure, "%s:%d: %s", p.File, p.Line, p.Reason))
	}
	return found
}

// judgeData looks at the data folder, or at where it would be made.
func judgeData(path string) []Finding {
	place := path
	for {
		info, err := os.Stat(place)
		if err == nil && !info.IsDir() {
			return []Finding{fail("data", "name a folder with --data", "%s is a file", place)}
		}
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || place == filepath.Dir(place) {
			return []Finding{fail("data", "name a folder with --data", "%s cannot be looked at: %v", path, err)}
		}
		place = filepath.Dir(place)
	}
	if err := unix.Access(place, unix.W_OK|unix.X_OK); err != nil {
		return []Finding{fail("data", "make it writable for you, or name another with --data", "%s cannot be written: %v", place, err)}
	}
	found := []Finding{ok("data", "%s can be written", path)}
	if free, err := freeSpace(place); err == nil {
		found = append(found, judgeSpace("data's disk", path, free, roomForData))
	}
	return found
}
