package main

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"sysnerd/config"
	"sysnerd/labs"
)

func newLabNew() *cobra.Command {
	c := &cobra.Command{
		Use:   "new MODULE/LAB",
		Short: "Begin a lab: a folder that passes lint, and fails its test until it is filled",
		Long: `Begin a lab below the folder that --labs names: a folder that passes lint, and fails its
test until it is filled. LAB is its id, or a number and its id, as in 10-open-files. A
module that is not there yet gets a module.yaml. Nothing that is there is written over.`,
		Example: `  sysnerd lab new --labs ./labs operating-systems/open-files
  sysnerd lab new --labs ./my-course my-course/10-open-files`,
		Args: cobra.ExactArgs(1),
	}
	config.AddFlags(c.Flags(), "labs")
	c.RunE = func(c *cobra.Command, args []string) error {
		dir, err := ownLabs(c)
		if err != nil {
			return err
		}
		module, name, ok := strings.Cut(args[0], "/")
		if !ok {
			return &misuseError{fmt.Sprintf("%q names no module and lab, as in operating-systems/open-files", args[0])}
		}
		folder, err := labs.New(dir, module, name)
		if err != nil {
			return fmt.Errorf("begin lab %s: %w", args[0], err)
		}
		lab := path.Base(folder)
		_, id, _ := strings.Cut(lab, "-")
		fmt.Fprintf(c.OutOrStdout(), "%s is there. Fill it, and look at it as you go:\n"+
			"  sysnerd lab lint --labs %s %s\n  sysnerd lab test --labs %s %s\n  sysnerd serve --labs %s --watch\n",
			filepath.Join(dir, folder), dir, id, dir, id, dir)
		return nil
	}
	return c
}

// ownLabs is the folder of labs that may be written to.
func ownLabs(c *cobra.Command) (string, error) {
	cfg, err := config.Load(c.Flags())
	if err != nil {
		return "", err
	}
	if cfg.Labs == "" {
		return "", &misuseError{"the labs in the program cannot be changed; name a folder with --labs"}
	}
	return cfg.Labs, nil
}
