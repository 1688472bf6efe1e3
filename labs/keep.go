package labs

import (
	"slices"
	"strings"
)

// Keep is next with those modules, sections, questions and labs of last that next lacks because of a problem:
// what is broken stays as it was when it last was sound. What was taken out is gone.
func Keep(last, next *Library, problems []Problem) *Library {
	broken := func(folder string) bool {
		return slices.ContainsFunc(problems, func(p Problem) bool {
			return p.File == folder || strings.HasPrefix(p.File, folder+"/")
		})
	}
	kept := &Library{}
	for _, m := range next.Modules {
		old, ok := last.Module(m.ID)
		if !ok {
			kept.Modules = append(kept.Modules, m)
			continue
		}
		whole := *m
		whole.Labs = slices.Clone(m.Labs)
		for _, lab := range old.Labs {
			if _, there := m.Lab(lab.ID); !there && broken(lab.dir) {
				whole.Labs = append(whole.Labs, lab)
			}
		}
		slices.SortFunc(whole.Labs, func(a, b *Lab) int { return strings.Compare(a.dir, b.dir) })
		whole.Sections = slices.Clone(m.Sections)
		for _, section := range old.Sections {
			if _, there := m.Section(section.ID); !there && broken(section.file) {
				whole.Sections = append(whole.Sections, section)
			}
		}
		slices.SortFunc(whole.Sections, func(a, b *Section) int { return a.Number - b.Number })
		if len(m.Gauntlet) < len(old.Gauntlet) && broken(m.dir+"/gauntlet.yaml") {
			whole.Gauntlet = old.Gauntlet
		}
		if len(m.Terms) < len(old.Terms) && broken(m.dir+"/glossary.yaml") {
			whole.Terms = old.Terms
		}
		if len(m.Facts) < len(old.Facts) && broken(m.dir+"/facts.yaml") {
			whole.Facts = old.Facts
		}
		kept.Modules = append(kept.Modules, &whole)
	}
	for _, m := range last.Modules {
		if _, there := kept.Module(m.ID); !there && broken(m.dir) {
			kept.Modules = append(kept.Modules, m)
		}
	}
	slices.SortFunc(kept.Modules, func(a, b *Module) int { return strings.Compare(a.dir, b.dir) })
	return kept
}
