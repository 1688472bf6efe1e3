package labtest

import "testing"

func TestNumbersAndAddressesAreTold(t *testing.T) {
	for text, want := range map[string]string{
		"inode 4711 in state `0A`":                "inode N in state `NA`",
		"inode 10203040 in state `01`":            "inode N in state `N`",
		"socket:[99999999999]":                    "socket:[N]",
		"7ffd1c2a3000-7ffd1c2c4000":               "A-A",
		"559012345000":                            "A",
		"00400000-0040b000":                       "A-A",
		"read at `0x10`, signal 11":               "read at `A`, signal N",
		"a deadbeef is an address, a face is not": "a A is an address, a face is not",
	} {
		if got := withoutNumbers(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
