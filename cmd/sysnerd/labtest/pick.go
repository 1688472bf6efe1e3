package labtest

import (
	"fmt"
	"strings"

	"sysnerd/labs"
)

// Pick returns the labs of a library with the tasks that names choose, as LAB or
// LAB/TASK; without names, all. A module limits it to that one. Its error tells which
// name leads nowhere, and what there is.
func Pick(library *labs.Library, module string, names []string) (picked []Picked, err error) {
	if _, ok := library.Module(module); module != "" && !ok {
		var all []string
		for _, m := range library.Modules {
			all = append(all, m.ID)
		}
		return nil, fmt.Errorf("no module %q; there is: %s", module, strings.Join(all, ", "))
	}
	found := map[string]bool{}
	var known []string
	for _, m := range library.Modules {
		if module != "" && m.ID != module {
			continue
		}
		for _, lab := range m.Labs {
			known = append(known, lab.ID)
			chosen := Picked{Lab: lab}
			for _, task := range lab.Tasks {
				if len(names) == 0 {
					chosen.Tasks = append(chosen.Tasks, task)
					continue
				}
				for _, name := range names {
					labID, taskID, _ := strings.Cut(strings.TrimPrefix(name, m.ID+"/"), "/")
					if labID == lab.ID && (taskID == "" || taskID == task.ID) {
						found[name] = true
						chosen.Tasks = append(chosen.Tasks, task)
						break
					}
				}
			}
			if len(chosen.Tasks) > 0 {
				picked = append(picked, chosen)
			}
		}
	}
	for _, name := range names {
		if found[name] {
			continue
		}
		for _, m := range library.Modules {
			labID, taskID, _ := strings.Cut(strings.TrimPrefix(name, m.ID+"/"), "/")
			if lab, ok := m.Lab(labID); ok && taskID != "" {
				var tasks []string
				for _, t := range lab.Tasks {
					tasks = append(tasks, labID+"/"+t.ID)
				}
				return nil, fmt.Errorf("no task %q; there is: %s", name, strings.Join(tasks, ", "))
			}
		}
		return nil, fmt.Errorf("no lab %q; there is: %s", name, strings.Join(known, ", "))
	}
	return picked, nil
}

// Picked is a lab and those of its tasks that are to be proved.
type Picked struct {
	Lab   *labs.Lab
	Tasks []*labs.Task
}
