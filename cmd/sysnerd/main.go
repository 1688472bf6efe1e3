// Command sysnerd serves courses on operating systems, each learner with a
// disposable Linux sandbox beside the text.
//
// It exits with 0 when done, 1 when that failed, and 2 when it was called wrongly.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errOut io.Writer) int {
	root, begun := newRoot()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)

	called, err := root.ExecuteC()
	var misuse *misuseError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errSaid):
		return exitFailed
	case !*begun || errors.As(err, &misuse):
		fmt.Fprintf(errOut, "sysnerd: %s; see %s --help\n", oneLine(err), called.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(errOut, "sysnerd: %v\n", err)
	return exitFailed
}

// errSaid ends a verb whose own output tells what is wrong.
var errSaid = errors.New("told already")

// misuseError is a wrong call that cobra lets pass.
type misuseError struct{ text string }

func (e *misuseError) Error() string { return e.text }

// oneLine puts the suggestions that cobra makes behind what it complains about.
func oneLine(err error) string {
	text, similar, found := strings.Cut(err.Error(), "\n\nDid you mean this?\n")
	if found {
		text += " (did you mean " + strings.Join(strings.Fields(similar), " or ") + "?)"
	}
	return text
}

// newRoot returns the tree of verbs. An error while *begun is false is cobra's:
// an unknown verb or flag, or too many arguments.
func newRoot() (root *cobra.Command, begun *bool) {
	begun = new(bool)
	root = &cobra.Command{
		Use:   "sysnerd",
		Short: "Teach operating systems, with a real Linux sandbox beside the text",
		Example: `  sysnerd doctor        # can this machine do it?
  sysnerd image build   # make the image that sandboxes run
  sysnerd serve         # open the page it names`,
		SilenceUsage:     true,
		SilenceErrors:    true,
		PersistentPreRun: func(*cobra.Command, []string) { *begun = true },
	}
	root.AddCommand(newServe(), newDoctor(), newImage(), newLab(), newRehearse(), newConfig(), newVersion(), newEngineHelper())
	return root, begun
}

// group is a verb that only holds others. Cobra would print its help and call that done.
func group(use, short, example string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:     use,
		Short:   short,
		Example: example,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &misuseError{fmt.Sprintf("unknown command %q for %q", args[0], c.CommandPath())}
			}
			var names []string
			for _, v := range verbs {
				names = append(names, v.Name())
			}
			return &misuseError{fmt.Sprintf("%q needs one more word: %s", c.CommandPath(), strings.Join(names, ", "))}
		},
	}
	c.AddCommand(verbs...)
	return c
}
