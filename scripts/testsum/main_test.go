package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSummaryCountsWhatDidNotPass(t *testing.T) {
	const events = `{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Test":"TestA","Output":"said by A\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.5}
{"Action":"output","Package":"p","Test":"TestB","Output":"said by B\n"}
{"Action":"fail","Package":"p","Test":"TestB","Elapsed":1}
{"Action":"output","Package":"p","Test":"TestC","Output":"no engine\n"}
{"Action":"skip","Package":"p","Test":"TestC"}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"fail","Package":"p","Elapsed":2}
{"Action":"skip","Package":"q"}
{"ImportPath":"r","Action":"build-output","Output":"r.go:1: broken\n"}
{"Action":"fail","Package":"r"}
not an event
`
	const want = `PASS p TestA (0.50 s)
said by B
FAIL p TestB (1.00 s)
no engine
SKIP p TestC
FAIL
FAIL p (2.00 s)
r.go:1: broken
FAIL r (0.00 s)
not an event
`
	var out strings.Builder
	bad, err := summarize(strings.NewReader(events), &out)
	if err != nil || bad != 4 {
		t.Errorf("summarize = %d, %v; want 4 that did not pass", bad, err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}
