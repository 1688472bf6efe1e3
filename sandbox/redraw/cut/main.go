// Command cut prints, as JSON in base64, the prefixes for a stream that is cut at
// the offsets in its arguments, each OFFSET or OFFSET:ROWS. The stream is its
// standard input. It is there for the test against another terminal.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"

	"sysnerd/sandbox/redraw"
)

func main() {
	log.SetFlags(0)
	if err := cut(os.Stdin, os.Stdout, os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func cut(in io.Reader, out io.Writer, cuts []string) error {
	stream, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	prefixes := [][]byte{}
	for _, text := range cuts {
		offset, rows, _ := strings.Cut(text, ":")
		at, err := strconv.Atoi(offset)
		if err != nil || at < 0 || at > len(stream) {
			return fmt.Errorf("cut at %q: want 0 to %d", offset, len(stream))
		}
		lines := 0
		if rows != "" {
			if lines, err = strconv.Atoi(rows); err != nil {
				return fmt.Errorf("rows %q: want a number", rows)
			}
		}
		var s redraw.State
		s.Feed(stream[:at])
		prefixes = append(prefixes, s.Prefix(lines))
	}
	return json.NewEncoder(out).Encode(prefixes)
}
