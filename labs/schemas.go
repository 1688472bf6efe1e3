package labs

import (
	"embed"
	"strings"
)

//go:embed schema/*.json
var schemas embed.FS

// Schemas lists what [Schema] knows: one name for each kind of YAML in a module, and for
// each kind of block in a section.
func Schemas() (names []string) {
	entries, err := schemas.ReadDir("schema")
	if err != nil {
		panic("labs: embedded schemas: " + err.Error()) // the name is right by construction
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	return names
}

// Schema is the JSON Schema (draft 2020-12) of a YAML file, by its name without
// extension; of the front matter of task.md or a section, by the name task or section;
// or of a block in a section, by the word behind its fence.
func Schema(name string) (json []byte, ok bool) {
	json, err := schemas.ReadFile("schema/" + name + ".json")
	return json, err == nil
}
