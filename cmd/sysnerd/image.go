package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"sysnerd/cmd/sysnerd/service"
	"sysnerd/config"
	"sysnerd/images"
)

func newImage() *cobra.Command {
	return group("image", "Make and remove the image that sandboxes run", "  sysnerd image build",
		newImageBuild(), newImageList(), newImageRemove())
}

func newImageBuild() *cobra.Command {
	c := &cobra.Command{
		Use:     "build",
		Short:   "Build the sandbox image, unless it is current",
		Long:    "Build the sandbox image, unless it is current. No container registry is needed: packages come from the distribution.",
		Example: "  sysnerd image build\n  sysnerd image build --engine local",
		Args:    cobra.NoArgs,
	}
	withStore(c, func(ctx context.Context, s store, _ []string) error {
		_, err := s.Build(ctx, func(line string) { fmt.Fprintln(c.OutOrStdout(), line) })
		return err
	})
	return c
}

func newImageList() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the images that sysnerd made",
		Example: "  sysnerd image list --json",
		Args:    cobra.NoArgs,
	}
	asJSON := addJSON(c)
	withStore(c, func(ctx context.Context, s store, _ []string) error {
		all, err := s.List(ctx)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), imageRecords(all))
		}
		rows := [][]string{{"IMAGE", "KIND", "ID", "SIZE", "MADE", "STATE"}}
		for _, i := range all {
			rows = append(rows, []string{i.Tag, i.Kind, shortID(i.ID), units.BytesSize(float64(i.Size)),
				i.Created.Format(time.DateTime), imageState(i)})
		}
		return printTable(c.OutOrStdout(), rows...)
	})
	return c
}

func newImageRemove() *cobra.Command {
	c := &cobra.Command{
		Use:     "remove IMAGE",
		Short:   "Remove an image that sysnerd made and nothing uses",
		Example: "  sysnerd image remove sysnerd/sandbox:0123456789abcdef",
		Args:    cobra.ExactArgs(1),
	}
	withStore(c, func(ctx context.Context, s store, args []string) error {
		return s.Remove(ctx, args[0])
	})
	return c
}

// store is where an engine finds its images.
type store interface {
	Build(ctx context.Context, p images.Progress) (id string, err error)
	List(ctx context.Context) ([]images.Image, error)
	Remove(ctx context.Context, reference string) error
	Close() error
}

// openStore opens that of the engine which would run the sandboxes.
func openStore(ctx context.Context, cfg *config.Config) (store, error) {
	kind, _, err := service.ChooseEngine(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if kind == service.Local {
		return images.NewLocal(service.LocalImages())
	}
	return images.New(ctx)
}

// withStore makes c a verb that works on the engine's images.
func withStore(c *cobra.Command, do func(ctx context.Context, s store, args []string) error) {
	config.AddFlags(c.Flags(), "engine", "docker.host")
	c.RunE = func(c *cobra.Command, args []string) error {
		cfg, err := config.Load(c.Flags())
		if err != nil {
			return err
		}
		if err := pointDockerAt(cfg.Docker.Host); err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		s, err := openStore(ctx, cfg)
		if err != nil {
			return err
		}
		defer s.Close()
		return do(ctx, s, args)
	}
}

// pointDockerAt tells every Docker client in this process, and what it starts,
// where the engine is.
func pointDockerAt(host string) error {
	if host == "" {
		return nil
	}
	return os.Setenv("DOCKER_HOST", host)
}

type imageRecord struct {
	ID      string    `json:"id"`
	Tag     string    `json:"tag"`
	Kind    string    `json:"kind"`
	Created time.Time `json:"created"`
	Size    int64     `json:"size"`
	Current bool      `json:"current"`
	InUse   bool      `json:"in_use"`
}

func imageRecords(all []images.Image) []imageRecord {
	records := make([]imageRecord, 0, len(all))
	for _, i := range all {
		records = append(records, imageRecord(i))
	}
	return records
}

func shortID(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(12, len(id))]
}

func imageState(i images.Image) string {
	switch {
	case i.Current && i.InUse:
		return "current, in use"
	case i.Current:
		return "current"
	case i.InUse:
		return "old, in use"
	}
	return "old"
}
