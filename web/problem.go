package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sysnerd/sandbox"
)

// problem is an RFC 9457 document: what could not be done, why, what cures it.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Cure      string `json:"cure,omitempty"`
	Place     int    `json:"place,omitempty"`       // in the queue, from 1
	Capacity  int    `json:"capacity,omitempty"`    // sandboxes that fit
	Wait      int    `json:"wait,omitempty"`        // seconds, estimate until it is your turn
	Retry     int    `json:"retry_after,omitempty"` // seconds, as Retry-After says
	Reference string `json:"reference,omitempty"`   // of a fault, as in the log

	retry time.Duration
	cause error // for the log alone
}

func (p *problem) Error() string { return p.Title + ": " + p.Detail }

func newProblem(status int, code, title, detail, cure string) *problem {
	return &problem{Type: "urn:sysnerd:problem:" + code, Title: title, Status: status, Detail: detail, Cure: cure}
}

// again adds after what time the caller may try again.
func (p problem) again(after time.Duration) *problem {
	p.retry = after
	return &p
}

// because adds what the log shall say.
func (p problem) because(err error) *problem {
	p.cause = err
	return &p
}

var (
	problemNobody = newProblem(http.StatusUnauthorized, "nobody", "Not known yet",
		"This call needs the cookie that the first page sets.", "Open the page at / first.")
	problemNoOrigin = newProblem(http.StatusForbidden, "origin", "No origin",
		"This call is taken from our own pages only, and it names no Origin.", "Send an Origin header with the address of this server.")
	problemOrigin = newProblem(http.StatusForbidden, "origin", "Foreign origin",
		"This call is taken from our own pages only.", "Open the page at the server's own address; behind a proxy, set --url to it.")
	problemNoPage = newProblem(http.StatusNotFound, "not-found", "Not found",
		"There is nothing here.", "The map at / leads to everything.")
	problemNoSandbox = newProblem(http.StatusNotFound, "no-sandbox", "No such sandbox",
		"This sandbox does not exist, or it is not yours.", "Start one from the lab's page.")
	problemEnded = newProblem(http.StatusConflict, "ended", "Sandbox has ended",
		"This sandbox has ended. Results are kept, files are not.", "Start a new one.")
	problemInterrupted = newProblem(http.StatusServiceUnavailable, "interrupted", "Check was interrupted",
		"The sandbox changed, or did not answer, while the check looked. So it says nothing.", "The next command checks again.").again(2 * time.Second)
	problemAway = newProblem(http.StatusServiceUnavailable, "engine-away", "No answer from the engine",
		"The sandbox engine doesn't answer. Text works; the terminal returns by itself.", "Who runs this server: see sysnerd doctor.").again(5 * time.Second)
	problemTooLarge = newProblem(http.StatusServiceUnavailable, "too-large", "No room for this lab",
		"A sandbox of this lab may need more memory than this server has for all.", "Who runs this server: raise sandbox.budget, or set sandbox.capacity.")
	problemImage = newProblem(http.StatusServiceUnavailable, "image-missing", "No sandbox image",
		"The image that sandboxes start from is not built yet.", "Who runs this server: run sysnerd image build.").again(30 * time.Second)
	problemSilent = newProblem(http.StatusServiceUnavailable, "silent", "No answer from the sandbox",
		"Your sandbox doesn't answer, so its processes could not be ended.", "Reset makes it new; results are kept, files are not.").again(time.Second)
	problemSlow = newProblem(http.StatusServiceUnavailable, "slow", "Still starting",
		"The sandbox was not there in time.", "Try again; it may be there by then.").again(2 * time.Second)
	problemClosing = newProblem(http.StatusServiceUnavailable, "closing", "Server is restarting",
		"The server is being stopped. Your shell runs on.", "Try again in a moment.").again(2 * time.Second)
	problemNotSaved = newProblem(http.StatusServiceUnavailable, "not-saved", "Not saved",
		"The server can't write down what was found, so it does not count yet. Your sandbox runs on.", "Try again; if it stays so, tell who runs this server.").again(5 * time.Second)
)

func problemHost(host string) *problem {
	return newProblem(http.StatusMisdirectedRequest, "host", "Unknown host",
		fmt.Sprintf("This server does not go by the name %q.", shorten(host)),
		"Use the address that it printed at its start, or start it with --url set to this one.")
}

func problemMethod(method string, allow []string) *problem {
	return newProblem(http.StatusMethodNotAllowed, "method", "Wrong method",
		fmt.Sprintf("%s is not possible here.", shorten(method)), "Use "+strings.Join(allow, " or ")+".")
}

func problemNoLab(module, lab string) *problem {
	return newProblem(http.StatusNotFound, "no-lab", "No such lab",
		fmt.Sprintf("There is no lab %q in module %q.", shorten(lab), shorten(module)), "GET /api/v1/modules lists what there is.")
}

func problemRequest(detail, cure string) *problem {
	return newProblem(http.StatusBadRequest, "request", "Request not understood", detail, cure)
}

func shorten(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}

func allOf(sandboxes int) string {
	if sandboxes == 1 {
		return "The one sandbox is"
	}
	return fmt.Sprintf("All %d sandboxes are", sandboxes)
}

// explain finds the problem in an error; nil for one that nobody expected.
func explain(err error) *problem {
	var p *problem
	var full *sandbox.FullError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &full):
		p := newProblem(http.StatusServiceUnavailable, "full", "All sandboxes are in use",
			fmt.Sprintf("%s in use. You are %s, about %s.", allOf(full.Capacity), ordinal(full.Place), minutes(full.Wait)),
			"Ask again after Retry-After seconds; your place is kept. The text works meanwhile.").again(full.Retry)
		p.Place, p.Capacity = full.Place, full.Capacity
		p.Wait, p.Retry = int(math.Ceil(full.Wait.Seconds())), int(math.Ceil(full.Retry.Seconds()))
		return p
	case errors.Is(err, sandbox.ErrTooLarge):
		return problemTooLarge.because(err)
	case errors.Is(err, sandbox.ErrImageMissing):
		return problemImage.because(err)
	case errors.Is(err, sandbox.ErrUnavailable):
		return problemAway.because(err)
	case errors.Is(err, sandbox.ErrNotFound):
		return problemNoSandbox
	case errors.Is(err, sandbox.ErrNotRunning):
		return problemEnded.because(err)
	case errors.Is(err, context.DeadlineExceeded):
		return problemSlow.because(err)
	}
	return nil
}

// refuse answers with the problem that the error is. One that nobody expected is
// shown as a reference, and goes to the log under it.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := explain(err)
	switch {
	case p == nil && r.Context().Err() != nil:
		return // who asked has gone
	case p == nil && s.ctx.Err() != nil:
		p = problemClosing
	case p == nil:
		p = newProblem(http.StatusInternalServerError, "fault", "Something broke",
			"Something broke on the server. That is our fault.", "Try again; if it stays so, tell the reference to who runs this server.").because(err)
	}
	if p.cause != nil {
		named := *p
		named.Reference = reference()
		p = &named
		s.Log.Error("request failed", "reference", p.Reference, "method", r.Method, "path", shorten(r.URL.Path), "error", p.cause)
	}
	body, err := json.Marshal(p)
	if err != nil {
		s.Log.Error("encode problem", "error", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retry.Seconds()))))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n'))
}

// reference is short enough to be read out.
func reference() string {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	return strings.ToUpper(hex.EncodeToString(random[:]))
}

func ordinal(n int) string {
	suffix := "th"
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		suffix = "st"
	case n%10 == 2:
		suffix = "nd"
	case n%10 == 3:
		suffix = "rd"
	}
	return strconv.Itoa(n) + suffix
}

func minutes(d time.Duration) string {
	if d < time.Minute {
		return strconv.Itoa(max(1, int(math.Ceil(d.Seconds())))) + " s"
	}
	return strconv.Itoa(int(math.Ceil(d.Minutes()))) + " min"
}
