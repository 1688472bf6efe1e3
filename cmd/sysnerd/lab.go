package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sysnerd/cmd/sysnerd/service"
	"sysnerd/config"
	"sysnerd/labs"
)

func newLab() *cobra.Command {
	return group("lab", "Write labs, look at them and prove them", "  sysnerd lab test",
		newLabList(), newLabNew(), newLabLint(), newLabTest(), newLabImport(), newLabSchema())
}

// completeLabs offers the labs that the flags name, and with tasks their tasks once a
// slash was typed.
func completeLabs(tasks bool) cobra.CompletionFunc {
	return func(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		cfg, err := config.Load(c.Flags())
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		library, _, err := service.LoadLabs(cfg.Labs)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, m := range library.Modules {
			for _, l := range m.Labs {
				names = append(names, l.ID)
				for _, t := range l.Tasks {
					if tasks && strings.Contains(typed, "/") {
						names = append(names, l.ID+"/"+t.ID)
					}
				}
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

type labRecord struct {
	Lab     string `json:"lab"` // <module>/<lab>
	Title   string `json:"title"`
	Level   string `json:"level"`
	Minutes int    `json:"minutes"`
	Tasks   int    `json:"tasks"`
}

func newLabList() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List the labs, and what is wrong with the rest",
		Example: `  sysnerd lab list
  sysnerd lab list --labs ./labs --json`,
		Args: cobra.NoArgs,
	}
	config.AddFlags(c.Flags(), "labs")
	asJSON := addJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := config.Load(c.Flags())
		if err != nil {
			return err
		}
		library, problems, err := service.LoadLabs(cfg.Labs)
		if err != nil {
			return err
		}
		if err := printLabs(c, library, *asJSON); err != nil {
			return err
		}
		if len(problems) == 0 {
			return nil
		}
		for _, p := range problems {
			fmt.Fprintln(c.ErrOrStderr(), p)
		}
		return errSaid
	}
	return c
}

func printLabs(c *cobra.Command, library *labs.Library, asJSON bool) error {
	records := []labRecord{}
	rows := [][]string{{"LAB", "TITLE", "LEVEL", "MINUTES", "TASKS"}}
	for _, m := range library.Modules {
		for _, l := range m.Labs {
			r := labRecord{m.ID + "/" + l.ID, l.Title, l.Level, l.Minutes, len(l.Tasks)}
			records = append(records, r)
			rows = append(rows, []string{r.Lab, r.Title, r.Level, strconv.Itoa(r.Minutes), strconv.Itoa(r.Tasks)})
		}
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), records)
	}
	return printTable(c.OutOrStdout(), rows...)
}
