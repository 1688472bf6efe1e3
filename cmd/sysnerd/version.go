package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker in a release.
var version = ""

func newVersion() *cobra.Command {
	c := &cobra.Command{
		Use:     "version",
		Short:   "Show the version",
		Example: "  sysnerd version",
		Args:    cobra.NoArgs,
	}
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		v := map[string]string{
			"version":  builtVersion(),
			"go":       runtime.Version(),
			"platform": runtime.GOOS + "/" + runtime.GOARCH,
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), v)
		}
		_, err := fmt.Fprintf(c.OutOrStdout(), "sysnerd %s %s %s\n", v["version"], v["go"], v["platform"])
		return err
	}
	return c
}

// builtVersion is what the linker set, else the revision that Go found, else "development".
func builtVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "development"
}
