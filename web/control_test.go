package web

import (
	"encoding/json"
	"errors"
	"testing"
)

// FuzzControl holds what a client says to its bounds: what is taken is known, in
// bounds, and says the same again when it is written and read once more.
func FuzzControl(f *testing.F) {
	for _, seed := range []string{
		`{"type":"resize","cols":80,"rows":24}`, `{"type":"resize","cols":-1,"rows":1e3}`, `{"type":"ack","offset":9007199254740993}`,
		`{"type":"interrupt"}`, `{"type":"writer","writer":true}`, `{"type":"take"}`, `[[[[`, "", "null", "{\"type\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseControl(text)
		if err != nil {
			var v *violation
			if !errors.As(err, &v) || v.reason == "" || len(v.reason) > 123 || v.code < 1002 || v.code > 1009 {
				t.Fatalf("error %v is no reason to close", err)
			}
			return
		}
		if c.Type == "resize" && (c.Cols < minCols || c.Cols > maxCols || c.Rows < minRows || c.Rows > maxRows) || c.Offset < 0 && c.Type == "ack" {
			t.Fatalf("out of bounds: %+v", c)
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := parseControl(again); err != nil || second != c {
			t.Fatalf("%s is %+v, then %+v, %v", text, c, second, err)
		}
	})
}
