package labs

import (
	"embed"
	"strings"
)

//go:embed schema/*.json
var schemas embed.FS

// Schemas lists what [Schema] knows: one name for each kind of YAML in a module.
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

// Schema is the JSON Schema (draft 2020-12) of module.yaml, lab.yaml or the front
// matter of task.md, by the name module, lab or task.
func Schema(name string) (json []byte, ok bool) {
	json, err := schemas.ReadFile("schema/" + name + ".json")
	return json, err == nil
}
