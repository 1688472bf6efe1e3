package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sysnerd/cmd/sysnerd/service"
	"sysnerd/config"
	"sysnerd/images"
	"sysnerd/labs"
)

func newLabLint() *cobra.Command {
	c := &cobra.Command{
		Use:   "lint [LAB…]",
		Short: "Say what in the course is not as it has to be, without running it",
		Long: `Say what in the course is not as it has to be: file, line, reason and cure. Sections,
gauntlet, glossary and all labs are looked at, or the labs that are named. Nothing runs in
a sandbox, and no engine is needed: the commands of the image come from the list that was
made with it. It needs the programs shellcheck and hunspell, with a British dictionary.
It exits with 1 when anything was found.`,
		Example: `  sysnerd lab lint
  sysnerd lab lint --labs ./labs open-files --json`,
	}
	config.AddFlags(c.Flags(), "labs")
	asJSON := addJSON(c)
	without := c.Flags().Bool("no-shellcheck", false, "leave out what shellcheck finds")
	unspelled := c.Flags().Bool("no-spelling", false, "leave out what hunspell finds")
	measures := c.Flags().Bool("measures", false, "also say how each section reads: words, words a sentence, grade")
	c.ValidArgsFunction = completeLabs(false)
	c.RunE = func(c *cobra.Command, args []string) error {
		cfg, err := config.Load(c.Flags())
		if err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		content, close, err := service.OpenLabs(cfg.Labs)
		if err != nil {
			return err
		}
		defer close()
		var measured []labs.SectionMeasure
		problems, err := lint(ctx, content, !*without, !*unspelled, func(m labs.SectionMeasure) { measured = append(measured, m) })
		if err != nil {
			return err
		}
		if problems, err = problemsOf(content, problems, args); err != nil {
			return err
		}
		if *asJSON {
			if err := printJSON(c.OutOrStdout(), problemRecords(problems)); err != nil {
				return err
			}
		} else {
			for _, p := range problems {
				fmt.Fprintln(c.OutOrStdout(), p)
			}
		}
		if *measures && !*asJSON {
			printMeasures(c.OutOrStdout(), measured)
		}
		if len(problems) > 0 {
			if !*asJSON {
				fmt.Fprintf(c.ErrOrStderr(), "%d to mend\n", len(problems))
			}
			return errSaid
		}
		return nil
	}
	return c
}

// lint looks at labs with all that this program knows of the image.
// measured may be nil.
func lint(ctx context.Context, content fs.FS, shellcheck, spelling bool, measured func(labs.SectionMeasure)) ([]labs.Problem, error) {
	l := labs.Linter{Commands: images.Commands(), Programs: programNames(), Measured: measured}
	if shellcheck {
		l.Scripts = labs.Shellcheck
	}
	if spelling {
		l.Spelling = labs.Hunspell
	}
	return l.Lint(ctx, content)
}

func printMeasures(w io.Writer, all []labs.SectionMeasure) {
	slices.SortFunc(all, func(a, b labs.SectionMeasure) int { return strings.Compare(a.File, b.File) })
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "words\ta sentence\tgrade\t  section\t")
	for _, m := range all {
		fmt.Fprintf(t, "%d\t%.1f\t%.1f\t  %s\t\n", m.Words, m.Mean, m.Grade, m.File)
	}
	t.Flush() // errors of w are those of standard output
}

// programNames are the programs of the image whose source is there.
func programNames() (names []string) {
	sources, _ := fs.Glob(images.Programs(), "*.c")
	for _, s := range sources {
		names = append(names, strings.TrimSuffix(s, ".c"))
	}
	return names
}

// problemsOf keeps the problems of the labs that are named, and those of the module
// they lie in; without names, all.
func problemsOf(content fs.FS, problems []labs.Problem, names []string) ([]labs.Problem, error) {
	if len(names) == 0 {
		return problems, nil
	}
	var folders, known []string
	found, err := fs.Glob(content, "*/labs/*")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		var at string
		for _, folder := range found {
			lab := path.Base(folder)
			_, id, _ := strings.Cut(lab, "-")
			module, _, _ := strings.Cut(folder, "/")
			if slices.Contains([]string{lab, id, module + "/" + lab, module + "/" + id}, name) {
				at = folder
			}
			known = append(known, id)
		}
		if at == "" {
			slices.Sort(known)
			return nil, &misuseError{fmt.Sprintf("no lab %q; there is: %s", name, strings.Join(slices.Compact(known), ", "))}
		}
		folders = append(folders, at)
	}
	return slices.DeleteFunc(problems, func(p labs.Problem) bool {
		if !strings.Contains(p.File, "/labs/") {
			return false // of the module
		}
		return !slices.ContainsFunc(folders, func(f string) bool { return p.File == f || strings.HasPrefix(p.File, f+"/") })
	}), nil
}

type problemRecord struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"` // from 1
	Reason string `json:"reason"`
	Cure   string `json:"cure,omitempty"`
}

func problemRecords(problems []labs.Problem) []problemRecord {
	records := []problemRecord{}
	for _, p := range problems {
		records = append(records, problemRecord{p.File, p.Line, p.Reason, p.Cure})
	}
	return records
}
