package labs

import (
	"strings"
	"testing"
)

func TestKeepHoldsOnToWhatWasSound(t *testing.T) {
	const lab = "os/labs/01-one/"
	yaml := string(course(nil)[lab+"lab.yaml"].Data)
	last, problems := Load(course(nil))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	kept := func(change map[string]string) *Library {
		t.Helper()
		next, problems := Load(course(change))
		return Keep(last, next, problems)
	}
	for _, c := range []struct {
		name   string
		change map[string]string
		want   string // module, and titles of its labs
	}{
		{"nothing", nil, "OS: One One"},
		{"a broken lab stays as it was", map[string]string{lab + "lab.yaml": strings.Replace(yaml, "level: core", "level: odd", 1)}, "OS: One One"},
		{"beside it, another changes", map[string]string{lab + "lab.yaml": "", "os/labs/02-two/lab.yaml": strings.Replace(yaml, "One", "Two", 1)}, "OS: One Two"},
		{"a changed lab is taken", map[string]string{lab + "lab.yaml": strings.Replace(yaml, "One", "Uno", 1)}, "OS: Uno One"},
		{"a broken module stays whole", map[string]string{"os/module.yaml": "schema: 1\n"}, "OS: One One"},
		{"a lab that was taken out is gone", map[string]string{
			lab + "lab.yaml": "-", lab + "lab.md": "-", lab + "tasks/10-a/task.md": "-", lab + "tasks/10-a/check.sh": "-",
			lab + "tasks/10-a/solve.sh": "-", lab + "tasks/10-a/solution.md": "-", lab + "tasks/10-a/wrong/no.sh": "-"}, "OS: One"},
	} {
		var got []string
		for _, m := range kept(c.change).Modules {
			got = append(got, m.Title+":")
			for _, l := range m.Labs {
				got = append(got, l.Title)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}
