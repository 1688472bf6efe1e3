package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/images/folders"
)

// LocalDir is where the images of the local engine lie, for all instances of a machine.
// It is no part of a data folder, since those are given to the user of the pages.
const LocalDir = folders.Dir

// Local keeps images as folders, for the engine that needs no daemon:
//
//	DIR/sha256-<digest>/      a root file system, never changed once it is called so
//	DIR/sha256-<digest>.json  its tag and kind; written last
//	DIR/<tag's hash>.part/    one that is being made
//
// All methods may be called at the same time, by several processes. Root's store is the
// machine's. An ordinary user has one of his own, in which all files are his: in a
// sandbox of his that makes them root's.
type Local struct{ dir string }

// note is what a store knows of an image.
type note = folders.Note

// NewLocal opens the store in dir, which is made if need be.
func NewLocal(dir string) (*Local, error) {
	// Whoever runs the server may look which images there are; only the owner may change them.
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open the images of the local engine: %w; run as its owner", err)
	}
	return &Local{dir: dir}, nil
}

// Close is there so that a Local serves where a Builder does.
func (l *Local) Close() error { return nil }

// Current returns the id of the image that [Tag] names; ok is false if it is not built yet.
func (l *Local) Current(context.Context) (id string, ok bool, err error) {
	tag, err := Tag()
	if err != nil {
		return "", false, err
	}
	return l.find(tag)
}

// Build builds the image that [Tag] names if need be, and returns its id. Packages come
// from the distribution's sources of this machine, by mmdebstrap. Then it removes
// old images that nothing uses.
func (l *Local) Build(ctx context.Context, p Progress) (id string, err error) {
	r, err := current()
	if err != nil {
		return "", err
	}
	return l.build(ctx, r, p)
}

func (l *Local) build(ctx context.Context, r recipe, p Progress) (id string, err error) {
	if id, ok, err := l.find(r.sandboxTag()); err != nil || ok {
		if ok {
			p(r.sandboxTag() + " is up to date")
		}
		return id, err
	}
	unlock, err := lock(ctx, p)
	if err != nil {
		return "", err
	}
	defer unlock()
	// Another process may have built it while this one waited.
	if id, ok, err := l.find(r.sandboxTag()); err != nil || ok {
		return id, err
	}
	if err := l.removeParts(); err != nil {
		return "", err
	}

	start := time.Now()
	base, ok, err := l.find(r.baseTag())
	if err == nil && !ok {
		base, err = l.buildBase(ctx, r, p)
	}
	if err != nil {
		return "", err
	}
	if id, err = l.buildTop(ctx, r, base, p); err != nil {
		return "", fmt.Errorf("make %s: %w", r.sandboxTag(), err)
	}
	p(fmt.Sprintf("%s is ready after %.0f s", r.sandboxTag(), time.Since(start).Seconds()))
	return id, l.removeOld(ctx, r, p)
}

// buildBase unpacks what mmdebstrap made.
func (l *Local) buildBase(ctx context.Context, r recipe, p Progress) (id string, err error) {
	debstrap, err := exec.LookPath("mmdebstrap")
	if err != nil {
		return "", errors.New("make the base image: mmdebstrap is not installed; apt-get install mmdebstrap")
	}
	err = withSystem(ctx, r, debstrap, p, func(system *os.File) error {
		p("unpack it")
		part, err := l.newPart(r.baseTag())
		if err != nil {
			return err
		}
		// Device nodes stay out: a sandbox has its own few, and what lies here is on the host.
		owner := "--same-owner"
		if os.Geteuid() != 0 {
			owner = "--no-same-owner"
		}
		unpack := exec.CommandContext(ctx, "tar", "--extract", "--numeric-owner", owner, "--same-permissions", "--exclude=./dev/*", "--directory", part)
		unpack.Stdin = system
		if said, err := unpack.CombinedOutput(); err != nil {
			return fmt.Errorf("unpack: %w: %s", err, said)
		}
		id, err = l.name(part, note{Tag: r.baseTag(), Kind: kindBase})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("make the base image: %w", err)
	}
	return id, nil
}

// layTop runs in a mount namespace of its own, in which /tmp and /dev of the image are
// in memory, and so leave nothing there. $0 is the image's folder.
const layTop = `set -eu
mount -t tmpfs -o mode=1777 tmpfs "$0/tmp"
mount -t tmpfs -o mode=0755,size=64k tmpfs "$0/dev"
: >"$0/dev/null"
mount --bind /dev/null "$0/dev/null"
exec chroot "$0" /bin/bash -c 'set -euo pipefail; umask 022; cd /tmp; tar --extract --no-same-owner; /bin/bash top.sh'
`

// hosts is what an engine with a network would write.
const hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"

// buildTop copies the base and runs top.sh in the copy.
func (l *Local) buildTop(ctx context.Context, r recipe, base string, p Progress) (id string, err error) {
	p("lay the lab programs and the guest over the base image")
	part, err := l.newPart(r.sandboxTag())
	if err != nil {
		return "", err
	}
	if said, err := exec.CommandContext(ctx, "cp", "-a", "--reflink=auto", l.folder(base)+"/.", part).CombinedOutput(); err != nil {
		return "", fmt.Errorf("copy the base image: %w: %s", err, said)
	}
	said := &lines{tell: func(line string) { p("  " + line) }}
	lay := exec.CommandContext(ctx, "/bin/sh", "-c", layTop, part)
	lay.Stdin = strings.NewReader(string(r.tar(topParts)))
	lay.Stdout, lay.Stderr = said, said
	if os.Geteuid() != 0 {
		// He is root in a user namespace, and mounts in one of mounts.
		lay.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
		}
	}
	lay.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"}
	err = runGroup(lay)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("top.sh: %w:\n%s", err, said.tail())
	}
	if err := os.WriteFile(filepath.Join(part, "etc/hosts"), []byte(hosts), 0o644); err != nil {
		return "", err
	}
	return l.name(part, note{Tag: r.sandboxTag(), Kind: kindSandbox, Below: base})
}

func (l *Local) newPart(tag string) (string, error) {
	_, hash, _ := strings.Cut(tag, ":")
	part := filepath.Join(l.dir, hash+".part")
	return part, os.Mkdir(part, 0o755)
}

// removeParts removes what builds left that were cut off. The caller has the lock.
func (l *Local) removeParts() error {
	parts, err := filepath.Glob(filepath.Join(l.dir, "*.part"))
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err := removeUnmounted(part); err != nil {
			return err
		}
	}
	return nil
}

// name gives a finished image its name, which is its content's.
func (l *Local) name(part string, n note) (id string, err error) {
	digest, size, err := digestTree(part)
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	id = "sha256:" + digest
	n.Created, n.Size = time.Now().UTC().Truncate(time.Second), size
	if err := os.Rename(part, l.folder(id)); errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
		err = os.RemoveAll(part) // the same is there already, perhaps without a note
		if err != nil {
			return "", err
		}
	} else if err != nil {
		return "", err
	}
	return id, l.write(id, n)
}

// write puts an image's note beside it, whole or not at all.
func (l *Local) write(id string, n note) error {
	text, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return err
	}
	file := l.folder(id) + ".json"
	if err := os.WriteFile(file+".part", text, 0o644); err != nil {
		return err
	}
	return os.Rename(file+".part", file)
}

// folder is where an image lies.
func (l *Local) folder(id string) string { return folders.Path(l.dir, id) }

func (l *Local) all() (map[string]note, error) { return folders.All(l.dir) }

func (l *Local) find(tag string) (id string, ok bool, err error) { return folders.Find(l.dir, tag) }

// List names the images in the store, newest first.
func (l *Local) List(context.Context) ([]Image, error) {
	found, err := l.all()
	if err != nil {
		return nil, err
	}
	used, err := rootsInUse()
	if err != nil {
		return nil, err
	}
	currentTags := map[string]bool{}
	if r, err := current(); err == nil {
		currentTags[r.baseTag()], currentTags[r.sandboxTag()] = true, true
	}
	var all []Image
	for id, n := range found {
		all = append(all, Image{
			ID: id, Tag: n.Tag, Kind: n.Kind, Created: n.Created, Size: n.Size,
			Current: currentTags[n.Tag], InUse: used[filepath.Base(l.folder(id))],
		})
	}
	slices.SortFunc(all, func(a, b Image) int {
		if c := b.Created.Compare(a.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all, nil
}

// Remove removes the image that reference, a tag or the beginning of an id, names. It
// refuses what a sandbox runs in, or an engine holds.
func (l *Local) Remove(ctx context.Context, reference string) error {
	all, err := l.List(ctx)
	if err != nil {
		return err
	}
	one, err := pick(all, reference)
	if err == nil {
		err = l.remove(one.ID)
	}
	if err != nil {
		return fmt.Errorf("remove image %s: %w", reference, err)
	}
	return nil
}

var errInUse = errors.New("in use by a sandbox or a server; remove or stop that first")

func (l *Local) remove(id string) error {
	folder, err := os.Open(l.folder(id))
	if err != nil {
		return err
	}
	defer folder.Close()
	// An engine holds a shared lock on each image that it starts sandboxes of.
	if unix.Flock(int(folder.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return errInUse
	}
	used, err := rootsInUse()
	if err != nil {
		return err
	}
	if used[filepath.Base(l.folder(id))] {
		return errInUse
	}
	gone := filepath.Join(l.dir, strings.TrimPrefix(id, "sha256:")[:16]+".gone.part")
	if err := os.Remove(l.folder(id) + ".json"); err != nil {
		return err
	}
	if err := os.Rename(l.folder(id), gone); err != nil {
		return err
	}
	return removeUnmounted(gone)
}

// keptImages is how many sandbox images a build leaves that nothing uses just now, the
// newest: other builds of this program on the machine may want theirs again.
const keptImages = 4

// removeOld removes images that nothing uses, but for the newest, and the bases below
// none that stays.
func (l *Local) removeOld(ctx context.Context, r recipe, p Progress) error {
	all, err := l.List(ctx)
	if err != nil {
		return err
	}
	notes, err := l.all()
	if err != nil {
		return err
	}
	needed := map[string]bool{}
	kept := 0
	slices.SortStableFunc(all, func(a, b Image) int { return strings.Compare(b.Kind, a.Kind) }) // sandboxes first
	for _, i := range all {
		keep := i.Tag == r.baseTag() || i.Tag == r.sandboxTag() || i.InUse || needed[i.ID]
		if !keep && i.Kind == kindSandbox {
			kept++
			keep = kept <= keptImages
		}
		if !keep {
			err = l.remove(i.ID)
			keep = errors.Is(err, errInUse)
		}
		switch {
		case keep:
			needed[notes[i.ID].Below] = true
		case err != nil:
			return fmt.Errorf("remove old image %s: %w", i.Tag, err)
		default:
			p("removed " + i.Tag + ", which nothing uses any more")
		}
	}
	return nil
}

// rootsInUse are the names of the folders that some process of this machine has as its
// root: the last part of where its root lies in its file system, proc_pid_mountinfo(5).
func rootsInUse() (map[string]bool, error) {
	files, err := filepath.Glob("/proc/[0-9]*/mountinfo")
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 4 && f[4] == "/" {
				used[filepath.Base(f[3])] = true
			}
		}
	}
	return used, nil
}
