package images

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
)

// Image is one that this program made.
type Image struct {
	ID      string // sha256:…
	Tag     string // repository:hash, or "" if another has taken the name
	Kind    string // "sandbox" or "base"
	Created time.Time
	Size    int64 // bytes, the base image underneath included
	Current bool  // what Build would give, or the base below it
	InUse   bool  // a container is made of it, or a sandbox image stands on it
}

// List names the images that this program made, newest first.
func (b *Builder) List(ctx context.Context) ([]Image, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	found, err := b.docker.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("label", labelKind))})
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	containers, err := b.docker.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	used := map[string]bool{}
	for _, c := range containers {
		used[c.ImageID] = true
	}
	for _, i := range found {
		if i.ParentID != "" {
			used[i.ParentID] = true
		}
	}
	// Without a guest in this binary nothing is current, and the list still serves.
	currentTags := map[string]bool{}
	if r, err := current(); err == nil {
		currentTags[r.baseTag()], currentTags[r.sandboxTag()] = true, true
	}

	all := make([]Image, 0, len(found))
	for _, i := range found {
		one := Image{
			ID:      i.ID,
			Kind:    i.Labels[labelKind],
			Created: time.Unix(i.Created, 0),
			Size:    i.Size,
			InUse:   used[i.ID],
		}
		if tag := slices.IndexFunc(i.RepoTags, ownTag); tag >= 0 {
			one.Tag = i.RepoTags[tag]
			one.Current = currentTags[one.Tag]
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Image) int { return b.Created.Compare(a.Created) })
	return all, nil
}

func ownTag(tag string) bool {
	return strings.HasPrefix(tag, sandboxRepository+":") || strings.HasPrefix(tag, baseRepository+":")
}

// Remove removes the image that reference, a tag or the beginning of an id, names. It
// refuses what this program did not make and what is in use.
func (b *Builder) Remove(ctx context.Context, reference string) error {
	all, err := b.List(ctx)
	if err != nil {
		return err
	}
	found, err := pick(all, reference)
	if err == nil && found.InUse {
		err = errors.New("in use by a container or by an image that stands on it; remove that first")
	}
	if err != nil {
		return fmt.Errorf("remove image %s: %w", reference, err)
	}
	name := found.Tag
	if name == "" {
		name = found.ID
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	// Without force: should a container have been made meanwhile, the engine refuses.
	if _, err := b.docker.ImageRemove(ctx, name, image.RemoveOptions{PruneChildren: true}); err != nil {
		return fmt.Errorf("remove image %s: %w", reference, err)
	}
	return nil
}

// pick finds the image that reference, a tag or the beginning of an id, names.
func pick(all []Image, reference string) (Image, error) {
	var found []Image
	for _, i := range all {
		id := strings.TrimPrefix(i.ID, "sha256:")
		if i.Tag == reference || len(reference) >= 6 && strings.HasPrefix(id, strings.TrimPrefix(reference, "sha256:")) {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 0:
		return Image{}, errors.New("none of ours is called so; see sysnerd image list")
	case 1:
		return found[0], nil
	}
	return Image{}, fmt.Errorf("%d images begin so; give more of the id", len(found))
}
