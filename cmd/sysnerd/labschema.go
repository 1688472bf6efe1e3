package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sysnerd/labs"
)

func newLabSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema NAME",
		Short: "Print the JSON Schema of a file: " + strings.Join(labs.Schemas(), ", "),
		Long: `Print the JSON Schema of a file: module for module.yaml, and likewise lab, gauntlet,
glossary and facts; task and section for the front matter of these; predict, recall,
table, picture and stepper for the blocks of a section. Editors complete and check by
it. A running server gives the same at /api/v1/schemas/NAME.`,
		Example:   "  sysnerd lab schema lab >lab.schema.json",
		Args:      cobra.ExactArgs(1),
		ValidArgs: labs.Schemas(),
		RunE: func(c *cobra.Command, args []string) error {
			json, ok := labs.Schema(args[0])
			if !ok {
				return &misuseError{fmt.Sprintf("no schema %q; there is: %s", args[0], strings.Join(labs.Schemas(), ", "))}
			}
			_, err := c.OutOrStdout().Write(json)
			return err
		},
	}
}
