package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"sysnerd/sandbox"
)

// Bounds of what a terminal's client may say.
const (
	maxTab     = 9
	minCols    = 2
	maxCols    = 500
	minRows    = 1
	maxRows    = 300
	maxMessage = 64 << 10 // bytes of one message; a paste comes in many
	maxControl = 4 << 10  // bytes of one JSON message
)

// control is what a client says beside what it types.
type control struct {
	Type   string `json:"type"`   // resize, ack, interrupt, writer
	Cols   int    `json:"cols"`   // of resize
	Rows   int    `json:"rows"`   // of resize
	Offset int64  `json:"offset"` // of ack
	Writer bool   `json:"writer"` // of writer: true takes over
}

// violation says why a socket is closed.
type violation struct {
	code   int
	reason string
}

func (v *violation) Error() string { return fmt.Sprintf("close %d: %s", v.code, v.reason) }

// parseControl reads a text message. Sizes come back within their bounds.
func parseControl(text []byte) (control, error) {
	var c control
	switch {
	case len(text) > maxControl:
		return c, &violation{websocket.CloseMessageTooBig, "control message too long"}
	case !utf8.Valid(text):
		return c, &violation{websocket.CloseInvalidFramePayloadData, "text is not UTF-8"}
	case !json.Valid(text):
		return c, &violation{websocket.CloseInvalidFramePayloadData, "control message is not JSON"}
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, &violation{websocket.ClosePolicyViolation, "control message has a wrong type"}
	}
	switch c.Type {
	case "resize":
		size := clampSize(c.Cols, c.Rows)
		c.Cols, c.Rows = size.Cols, size.Rows
	case "ack":
		if c.Offset < 0 {
			return c, &violation{websocket.ClosePolicyViolation, "offset is negative"}
		}
	case "interrupt":
	case "writer":
		if !c.Writer {
			return c, &violation{websocket.ClosePolicyViolation, "writer can be taken, not given"}
		}
	default:
		return c, &violation{websocket.ClosePolicyViolation, "unknown control message"}
	}
	return c, nil
}

func clampSize(cols, rows int) sandbox.Size {
	return sandbox.Size{Cols: max(minCols, min(cols, maxCols)), Rows: max(minRows, min(rows, maxRows))}
}

// joining is what the address of a terminal asks for.
type joining struct {
	tab int
	sandbox.ViewOptions
}

func parseJoining(query url.Values) (joining, error) {
	j := joining{tab: 1}
	cols, rows, since := int64(80), int64(24), int64(-1)
	tab := int64(j.tab)
	for _, p := range []struct {
		name      string
		value     *int64
		low, high int64
	}{
		{"tab", &tab, 1, maxTab},
		{"cols", &cols, 0, 1 << 30}, // clamped below
		{"rows", &rows, 0, 1 << 30},
		{"since", &since, 0, 1 << 62},
	} {
		if !query.Has(p.name) {
			continue
		}
		n, err := strconv.ParseInt(query.Get(p.name), 10, 64)
		if err != nil || n < p.low || n > p.high || len(query[p.name]) > 1 {
			return j, newProblem(http.StatusBadRequest, "request", "Request not understood",
				fmt.Sprintf("%s is %q.", p.name, shorten(query.Get(p.name))),
				fmt.Sprintf("Send one number from %d to %d.", p.low, p.high))
		}
		*p.value = n
	}
	j.tab, j.Since, j.Size = int(tab), since, clampSize(int(cols), int(rows))
	return j, nil
}
