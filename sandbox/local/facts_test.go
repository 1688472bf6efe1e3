package local

import "testing"

func TestParseVersion(t *testing.T) {
	for said, want := range map[string][3]any{
		"runc version 1.5.3\nspec: 1.3.0\ngo: go1.26.8\nlibseccomp: 2.5.4\n":                                      {"1.5.3", "", true},
		"runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\nspec: 1.0.2-dev\ngo: go1.19.8\nlibseccomp: 2.5.4\n": {"1.1.5+ds1", "1.1.5+ds1-1+deb12u1", true},
		"runc version 1.5.3\nspec: 1.3.0\n":                                                                       {"1.5.3", "", false},
		"something else":                                                                                          {"", "", false},
	} {
		version, build, seccomp := parseVersion(said)
		if got := [3]any{version, build, seccomp}; got != want {
			t.Errorf("parse %q = %v, want %v", said, got, want)
		}
	}
}
