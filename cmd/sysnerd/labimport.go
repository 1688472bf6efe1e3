package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"sysnerd/config"
	"sysnerd/labs"
)

func newLabImport() *cobra.Command {
	c := &cobra.Command{
		Use:   "import MODULE[/LAB] FROM",
		Short: "Take over a lab from a folder or a tar, after lint",
		Long: `Take over a lab from a folder or a tar (gzip or not) into a module below the folder that
--labs names, under the name that it had or the one given. It is refused, and nothing of
it kept, when it has links or paths that lead out, is too large, or lint finds anything.

Its scripts run in sandboxes, as root there. Read them before you serve it.`,
		Example: `  sysnerd lab import --labs ./labs operating-systems ./their-course/labs/30-pipes
  sysnerd lab import --labs ./labs operating-systems/80-pipes pipes.tar.gz`,
		Args: cobra.ExactArgs(2),
	}
	config.AddFlags(c.Flags(), "labs")
	without := c.Flags().Bool("no-shellcheck", false, "leave out what shellcheck finds")
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		dir, err := ownLabs(c)
		if err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		module, name, _ := strings.Cut(args[0], "/")
		parcel, err := labs.Unpack(dir, module, name, args[1])
		if err != nil {
			return fmt.Errorf("cannot take over %s: %w", args[1], err)
		}
		defer func() {
			if removed := parcel.Remove(); err == nil {
				err = removed
			}
		}()
		problems, err := lint(ctx, parcel.FS, !*without, false, nil)
		if err != nil {
			return err
		}
		if len(problems) > 0 {
			for _, p := range problems {
				fmt.Fprintln(c.ErrOrStderr(), p)
			}
			return fmt.Errorf("cannot take over %s: %d to mend; have its author do that, or do it in a copy", args[1], len(problems))
		}
		if err := parcel.Accept(); err != nil {
			return fmt.Errorf("take over %s: %w", args[1], err)
		}
		fmt.Fprintf(c.OutOrStdout(), "%s is there. Prove it:\n  sysnerd lab test --labs %s\n", filepath.Join(dir, parcel.Folder), dir)
		return nil
	}
	return c
}
