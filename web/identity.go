package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
)

const (
	cookieName = "sysnerd"
	cookieAge  = 365 * 24 * 60 * 60 // seconds
)

// signer makes and reads the cookie of a learner without an account:
// 128 random bits in hex, a dot, and their HMAC-SHA256.
type signer struct {
	key    []byte
	secure bool // people reach us by https
}

func (s signer) sign(id string) string {
	return base64.RawURLEncoding.EncodeToString(s.mac("learner " + id))
}

// seed is what a sandbox's values to be found come from: the same after a reset, and
// nobody's guess who does not know the key.
func (s signer) seed(sandbox string) string {
	return hex.EncodeToString(s.mac("seed " + sandbox)[:16])
}

func (s signer) mac(text string) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// read returns the learner that the request's cookie names, if we signed it.
func (s signer) read(r *http.Request) (id string, ok bool) {
	for _, cookie := range r.CookiesNamed(cookieName) {
		id, mac, _ := strings.Cut(cookie.Value, ".")
		if hmac.Equal([]byte(mac), []byte(s.sign(id))) {
			return id, true
		}
	}
	return "", false
}

// issue makes a new learner and has the browser keep the cookie.
func (s signer) issue(w http.ResponseWriter) string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	id := hex.EncodeToString(random[:])
	http.SetCookie(w, &http.Cookie{
		Name:     cookieName,
		Value:    id + "." + s.sign(id),
		Path:     "/",
		MaxAge:   cookieAge,
		HttpOnly: true,
		Secure:   s.secure,
		SameSite: http.SameSiteLaxMode,
	})
	return id
}
