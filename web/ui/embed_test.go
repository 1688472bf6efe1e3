package ui

import (
	"testing"
	"testing/fstest"
)

func TestNamesRefusesABundleWithHoles(t *testing.T) {
	whole := fstest.MapFS{
		manifest:            {Data: []byte(`{"site.css": "site-0A1B2C3D.css"}`)},
		"site-0A1B2C3D.css": {},
	}
	names, err := Names(whole)
	if err != nil || names["site.css"] != "site-0A1B2C3D.css" {
		t.Errorf("Names = %v, %v", names, err)
	}
	for name, files := range map[string]fstest.MapFS{
		"no manifest": {},
		"no JSON":     {manifest: {Data: []byte("{")}},
		"no file":     {manifest: {Data: []byte(`{"site.css": "site-0A1B2C3D.css"}`)}},
	} {
		if names, err := Names(files); err == nil {
			t.Errorf("%s: Names = %v, want an error", name, names)
		}
	}
}
