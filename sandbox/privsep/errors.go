package privsep

import (
	"context"
	"errors"
	"strings"

	"sysnerd/sandbox"
)

// kind names an error that a caller acts on.
type kind string

// kinds are all that cross. What else an error wraps stays behind; its text comes.
var kinds = []struct {
	kind kind
	err  error
}{
	{"not found", sandbox.ErrNotFound},
	{"exists", sandbox.ErrExists},
	{"not running", sandbox.ErrNotRunning},
	{"image missing", sandbox.ErrImageMissing},
	{"unavailable", sandbox.ErrUnavailable},
	{"limit below use", sandbox.ErrLimitBelowUse},
	{"cancelled", context.Canceled},
	{"too late", context.DeadlineExceeded},
}

// failure is what crosses of err. An error without a kind has no kinds but a text.
func failure(err error) (found []kind, text string) {
	if err == nil {
		return nil, ""
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			found = append(found, k.kind)
		}
	}
	text = err.Error()
	if len(text) > maxText {
		text = text[:maxText]
	}
	return found, strings.ToValidUTF8(text, "?")
}

// remote is an error of the helper's side, with the same text and sentinels.
type remote struct {
	text string
	errs []error
}

func (r *remote) Error() string   { return r.text }
func (r *remote) Unwrap() []error { return r.errs }

// received is the error of an answer, or nil.
func received(found []kind, text string) error {
	if len(found) == 0 && text == "" {
		return nil
	}
	r := &remote{text: text}
	for _, k := range kinds {
		for _, f := range found {
			if k.kind == f {
				r.errs = append(r.errs, k.err)
			}
		}
	}
	return r
}
