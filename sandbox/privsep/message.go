package privsep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"sysnerd/sandbox"
)

// version is of the protocol. Both sides are built from one source, so another is an error.
const version = 1

const (
	maxMessage = 32 << 10 // bytes of one packet
	maxText    = 4 << 10  // bytes of an error's text
	maxPending = 256      // requests under way
	maxListed  = 64       // sandboxes in one packet
)

type verb string

const (
	verbCreate verb = "create"
	verbAttach verb = "attach"
	verbUpdate verb = "update"
	verbList   verb = "list"
	verbRemove verb = "remove"
	verbImage  verb = "image"
	verbGiveUp verb = "give up" // of the request of that number; it has no answer of its own
)

var verbs = []verb{verbCreate, verbAttach, verbUpdate, verbList, verbRemove, verbImage, verbGiveUp}

// request is what the server asks. Numbers are the server's; none is used while
// another request of that number is under way.
type request struct {
	Number  uint64          `json:"number"`
	Verb    verb            `json:"verb"`
	Timeout time.Duration   `json:"timeout,omitempty"` // 0: none
	ID      string          `json:"id,omitempty"`      // attach, update, remove
	Spec    *sandbox.Spec   `json:"spec,omitempty"`    // create
	Limits  *sandbox.Limits `json:"limits,omitempty"`  // update
}

// answer ends a request, unless there is more to come. That of attach carries
// one descriptor when it has no errors.
type answer struct {
	Number uint64           `json:"number"`
	Errors []kind           `json:"errors,omitempty"`
	Text   string           `json:"text,omitempty"` // of an error
	Listed []sandbox.Listed `json:"listed,omitempty"`
	More   bool             `json:"more,omitempty"`
	Image  string           `json:"image,omitempty"`
	Direct bool             `json:"direct,omitempty"` // the descriptor is a socket to the guest itself
}

// greeting is the helper's first message: that its engine is open, or why it is not.
type greeting struct {
	Version  int    `json:"version"`
	Instance string `json:"instance"`
	Errors   []kind `json:"errors,omitempty"`
	Text     string `json:"text,omitempty"`
}

// decode reads one message and nothing behind it.
func decode(packet []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(packet))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("message %.100q: %w", packet, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("message %.100q: something follows it", packet)
	}
	return nil
}

// decodeRequest reads a request and says whether it is well formed. What it asks
// for is judged by [Helper].
func decodeRequest(packet []byte) (r request, err error) {
	if err := decode(packet, &r); err != nil {
		return r, err
	}
	switch {
	case !slices.Contains(verbs, r.Verb):
		err = fmt.Errorf("verb %.40q is none", r.Verb)
	case r.Timeout < 0:
		err = fmt.Errorf("timeout %d is below zero", r.Timeout)
	case (r.Spec != nil) != (r.Verb == verbCreate):
		err = fmt.Errorf("%s with a spec or create without one", r.Verb)
	case (r.Limits != nil) != (r.Verb == verbUpdate):
		err = fmt.Errorf("%s with limits or update without any", r.Verb)
	case r.ID != "" && r.Verb != verbAttach && r.Verb != verbUpdate && r.Verb != verbRemove:
		err = fmt.Errorf("%s with an id", r.Verb)
	}
	return r, err
}

// labPattern is narrower than Spec.Check: as ids of modules and labs are.
var labPattern = regexp.MustCompile(`^[a-z0-9-]{1,64}/[a-z0-9-]{1,64}$`)
