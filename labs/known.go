package labs

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"sysnerd/spelling"
)

// known is what links of a module can lead to: all that has a folder or a file, or is
// promised in module.yaml, whether it is sound or not.
type known struct {
	labs       map[string][]string // tasks, by lab
	sections   map[string]int      // number, by id
	questions  []string            // ids, in order
	unreadable bool                // gauntlet.yaml is there, and no question of it
}

func (r *reader) known(dir string, f moduleFile) *known {
	quiet := &reader{fsys: r.fsys, refused: map[string]bool{}}
	k := &known{labs: map[string][]string{}, sections: map[string]int{}}
	for _, lab := range quiet.folders(path.Join(dir, "labs")) {
		k.labs[folderID(lab)] = nil
		for _, task := range quiet.folders(path.Join(dir, "labs", lab, "tasks")) {
			k.labs[folderID(lab)] = append(k.labs[folderID(lab)], folderID(task))
		}
	}
	for _, s := range f.Sections {
		if s.ID != "" {
			k.sections[s.ID] = s.Number
		}
	}
	return k
}

// folders are the names of folders in dir; none when it is not there.
func (r *reader) folders(dir string) (names []string) {
	for _, e := range r.list(dir) {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// place reads "lab" or "lab/task"; reason is "" when it is there.
func (k *known) place(name string) (p Place, reason string) {
	p.Lab, p.Task, _ = strings.Cut(name, "/")
	tasks, ok := k.labs[p.Lab]
	switch {
	case !ok:
		return p, fmt.Sprintf("there is no lab %q", cut(p.Lab, 80))
	case strings.Contains(name, "/") && !slices.Contains(tasks, p.Task):
		return p, fmt.Sprintf("lab %s has no task %q", p.Lab, cut(p.Task, 80))
	}
	return p, ""
}

// labCure names what is nearest to the name of a lab or task that is not there.
func (k *known) labCure(name string) string {
	lab, task, _ := strings.Cut(name, "/")
	if tasks, ok := k.labs[lab]; ok && task != "" {
		return nearest(task, tasks)
	}
	return nearest(lab, slices.Sorted(maps.Keys(k.labs)))
}

// nearest is the cure for a name that is none of the valid ones.
func nearest(name string, valid []string) string {
	if len(valid) == 0 {
		return "there is none yet; take it out"
	}
	return fmt.Sprintf("the nearest that is there is %q", spelling.Nearest(name, valid))
}
