package labs

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"
)

// A Schema and the struct that a file is decoded into name the same keys with the same
// types, both ways.
func TestSchemasAreThoseOfTheFiles(t *testing.T) {
	files := map[string]any{
		"module": moduleFile{}, "lab": labFile{}, "task": taskFile{}, "section": sectionFile{}, "gauntlet": gauntletFile{}, "glossary": glossaryFile{}, "facts": factsFile{},
		"predict": predictBlock{}, "recall": recallBlock{}, "table": tableBlock{}, "stepper": stepperBlock{}, "picture": picture[map[string]any]{},
	}
	for _, name := range Schemas() {
		text, _ := Schema(name)
		var schema map[string]any
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if files[name] == nil {
			t.Errorf("schema %s belongs to no file", name)
			continue
		}
		definitions, _ := schema["$defs"].(map[string]any)
		compare(t, name, schema, reflect.TypeOf(files[name]), definitions)
		delete(files, name)
		if name == "picture" {
			comparePictures(t, definitions)
		}
	}
	for name := range files {
		t.Errorf("%s has no schema", name)
	}
}

// comparePictures holds the data of each kind of picture against its struct.
func comparePictures(t *testing.T, definitions map[string]any) {
	kinds := map[string]any{"address-space": addressSpace{}, "page-walk": pageWalk{}, "states": stateMap{}, "descriptors": descriptors{},
		"latency": latencies{}, "cycle": cycle{}, "layers": layerMap{}}
	if len(kinds) != len(pictureKinds) || len(definitions) != len(pictureKinds) {
		t.Errorf("pictures are %v; %d are compared, the schema has %d", pictureKinds, len(kinds), len(definitions))
	}
	for _, kind := range pictureKinds {
		definition, _ := definitions[kind].(map[string]any)
		compare(t, "picture."+kind, definition, reflect.TypeOf(kinds[kind]), nil)
	}
}

// compare holds the schema of an object against a struct.
func compare(t *testing.T, at string, schema map[string]any, s reflect.Type, definitions map[string]any) {
	properties, _ := schema["properties"].(map[string]any)
	if schema["additionalProperties"] != false {
		t.Errorf("%s: the schema takes keys that are not known", at)
	}
	var has, want []string
	for key := range properties {
		has = append(has, key)
	}
	types := map[string]reflect.Type{}
	for i := range s.NumField() {
		key := s.Field(i).Tag.Get("yaml")
		want = append(want, key)
		types[key] = s.Field(i).Type
	}
	sort.Strings(has)
	sort.Strings(want)
	if !slices.Equal(has, want) {
		t.Errorf("%s: the schema has %v, the struct %v", at, has, want)
	}
	for key, value := range properties {
		property, _ := value.(map[string]any)
		field, known := types[key]
		if !known {
			continue
		}
		if reference, ok := property["$ref"].(string); ok {
			property, _ = definitions[strings.TrimPrefix(reference, "#/$defs/")].(map[string]any)
		} else if property["description"] == nil {
			t.Errorf("%s.%s: not described", at, key)
		}
		if field.Kind() == reflect.Pointer {
			field = field.Elem()
		}
		if got, want := typeOf(property), schemaType(field); got != want {
			t.Errorf("%s.%s: the schema has %s, the struct %s", at, key, got, want)
		}
		switch field.Kind() {
		case reflect.Struct:
			compare(t, at+"."+key, property, field, definitions)
		case reflect.Map:
			if values, ok := property["additionalProperties"].(map[string]any); ok {
				compare(t, at+"."+key, values, field.Elem(), definitions)
			}
		case reflect.Slice:
			items, _ := property["items"].(map[string]any)
			if got, want := typeOf(items), schemaType(field.Elem()); got != want {
				t.Errorf("%s.%s: items are %s in the schema, %s in the struct", at, key, got, want)
			}
			if field.Elem().Kind() == reflect.Struct {
				compare(t, at+"."+key, items, field.Elem(), definitions)
			}
		}
	}
}

// typeOf is the type of a property, that of its values where these are listed.
func typeOf(property map[string]any) string {
	if name, ok := property["type"].(string); ok {
		return name
	}
	value := property["const"]
	if list, ok := property["enum"].([]any); ok && len(list) > 0 {
		value = list[0]
	}
	switch value.(type) {
	case string:
		return "string"
	case float64:
		return "integer"
	}
	return "nothing"
}

func schemaType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Int:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.Bool:
		return "boolean"
	case reflect.Slice:
		return "array"
	case reflect.Struct, reflect.Map:
		return "object"
	}
	return t.String()
}

// What the loader lists, the schema lists.
func TestSchemasListTheSameWords(t *testing.T) {
	for _, c := range []struct {
		schema, key string
		want        []string
	}{
		{"lab", "level", levels}, {"task", "mode", []string{Once, While}}, {"section", "layer", layers}, {"predict", "input", inputs}, {"recall", "kind", recallKinds},
		{"stepper", "kind", slices.Sorted(maps.Keys(scenes))}, {"picture", "kind", pictureKinds},
	} {
		text, _ := Schema(c.schema)
		var schema struct {
			Properties map[string]struct{ Enum []any }
		}
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, word := range schema.Properties[c.key].Enum {
			got = append(got, word.(string))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s.%s is one of %v, want %v", c.schema, c.key, got, c.want)
		}
	}
}
