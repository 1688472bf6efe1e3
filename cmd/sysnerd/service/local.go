package service

import (
	"log/slog"
	"os"
	"path/filepath"

	"sysnerd/config"
	"sysnerd/images"
	"sysnerd/sandbox/local"
)

// LocalImages is the folder of the local engine's images: root's are the machine's, an
// ordinary user has his own.
func LocalImages() string {
	if os.Geteuid() == 0 {
		return images.LocalDir
	}
	return filepath.Join(config.DataHome(), "sysnerd-images")
}

// localPlaces is where the local engine keeps what it runs. An ordinary user's is not in
// /run/user: that is removed when he logs out, and his sandboxes live on.
func localPlaces(instance string, log *slog.Logger) local.Config {
	cfg := local.Config{Instance: instance, Dir: local.Sandboxes, Images: LocalImages(), Log: log}
	if os.Geteuid() != 0 {
		run := filepath.Join(config.DataHome(), "sysnerd-run")
		cfg.Dir, cfg.State = filepath.Join(run, "sandboxes"), filepath.Join(run, "runc")
	}
	return cfg
}
