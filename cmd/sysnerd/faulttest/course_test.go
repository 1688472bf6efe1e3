package faulttest

import (
	"os"
	"path/filepath"
)

// writeCourse writes a lab whose checks are as the faults need them.
func writeCourse(dir string) error {
	files := map[string]string{
		"os/module.yaml":            "schema: 1\nid: os\ntitle: OS\nsummary: All of it.\nminutes: 9\nsections:\n  - number: 5\n    title: Calls\n",
		"os/labs/01-one/lab.yaml":   "schema: 1\ntitle: one\nsummary: First.\nlevel: core\nminutes: 5\nsection: 5\n",
		"os/labs/01-one/lab.md":     "Why.\n",
		"os/labs/02-other/lab.yaml": "schema: 1\ntitle: other\nsummary: Second.\nlevel: core\nminutes: 5\nsection: 5\n",
		"os/labs/02-other/lab.md":   "Why.\n",
	}
	for _, task := range []struct{ id, front, check string }{
		{"10-file", "", "if [ -e /home/learner/done ]; then pass 'The file is there.'; fi\nfail 'There is no file yet.'\n"},
		{"20-word", "answer: true\n", "if answered && [[ $REPLY == secret* ]]; then pass 'That is the word.'; fi\nfail 'Not that word.'\n"},
		// Slow once it is wanted, and never a pass: one that was cut short must not become one.
		{"30-slow", "", "[ -s /home/learner/slow ] || fail 'Not asked for.'\n: >/tmp/begun-$(cat /home/learner/slow)\nsleep 9\nfail 'Too late.'\n"},
	} {
		for _, lab := range []string{"01-one", "02-other"} {
			at := "os/labs/" + lab + "/tasks/" + task.id + "/"
			files[at+"task.md"] = "---\nschema: 1\ntitle: " + task.id[3:] + "\nwhy: So.\n" + task.front + "hints:\n  - Try.\n---\nDo it.\n"
			files[at+"check.sh"] = task.check
			files[at+"solve.sh"] = "true\n"
			files[at+"solution.md"] = "The solution.\n"
			files[at+"wrong/no.sh"] = "#!/bin/bash\n# Not that.\nfalse\n"
		}
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
