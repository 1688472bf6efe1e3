package config

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The table in the README has exactly the settings that there are.
func TestReadmeHasEverySetting(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| setting | default | what it is |\n|---|---|---|\n")
	if !found {
		t.Fatal("README.md has no table of settings")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var want strings.Builder
	for _, s := range Settings() {
		value := "`" + s.Default + "`"
		switch {
		case s.Key == "data":
			value = "`$XDG_DATA_HOME/sysnerd`, for root `/var/lib/sysnerd`"
		case s.Default == "":
			value = ""
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", s.Key, value, s.Usage)
	}
	if strings.TrimSpace(table) != strings.TrimSpace(want.String()) {
		t.Errorf("table of settings in README.md differs; it has to be:\n%s", want.String())
	}
}
