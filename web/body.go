package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"time"
	"unicode/utf8"
)

// maxBody bounds the body of a request. It bounds the depth of its JSON too,
// together with encoding/json, which stops at 10,000.
const maxBody = 64 << 10

// decode reads a JSON body into v, which lists all keys that are known.
func decode(w http.ResponseWriter, r *http.Request, v any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return newProblem(http.StatusUnsupportedMediaType, "media-type", "Wrong content type",
			fmt.Sprintf("The body is %q.", shorten(r.Header.Get("Content-Type"))), "Send JSON, with Content-Type: application/json.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, "too-large", "Body too large",
			fmt.Sprintf("The body has more than %d KiB.", maxBody>>10), "Send less; no call needs that much.")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return newProblem(http.StatusRequestTimeout, "slow-body", "Body came too slowly",
			"The body did not arrive in time.", "Send it at once.")
	case err != nil:
		return problemRequest("The body ended early.", "Send it whole.")
	}
	// What follows may take longer than a body may.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})

	if !utf8.Valid(body) {
		return problemRequest("The body is not UTF-8.", "Send JSON in UTF-8.")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return problemRequest("The body can't be read: "+err.Error()+".", "See /api/v1/openapi.yaml for what this call takes.")
	}
	if _, err := d.Token(); err != io.EOF {
		return problemRequest("Something follows the JSON in the body.", "Send one JSON object.")
	}
	return nil
}

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
	return nil
}
