package main

import (
	"github.com/spf13/cobra"

	"sysnerd/config"
)

func newConfig() *cobra.Command {
	return group("config", "Look at the configuration", "  sysnerd config print", newConfigPrint())
}

func newConfigPrint() *cobra.Command {
	c := &cobra.Command{
		Use:   "print",
		Short: "Show each setting, and where its value came from",
		Long:  "Show each setting, and where its value came from: a flag, the environment, the file, or the default, in this order.",
		Example: `  sysnerd config print
  SYSNERD_LISTEN=0.0.0.0:80 sysnerd config print --json`,
		Args: cobra.NoArgs,
	}
	config.AddFlags(c.Flags())
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := config.Load(c.Flags())
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), cfg.Values())
		}
		rows := [][]string{{"KEY", "VALUE", "FROM"}}
		for _, v := range cfg.Values() {
			rows = append(rows, []string{v.Key, v.Value, v.Source})
		}
		return printTable(c.OutOrStdout(), rows...)
	}
	return c
}
