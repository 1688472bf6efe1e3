package web

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// leastCompressed is the size, in bytes, from which compressing pays: less fits into
// one packet anyway.
const leastCompressed = 1200

// takesGzip tells whether who asks can read gzip.
func takesGzip(r *http.Request) bool {
	for _, offer := range strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(offer, ";")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, "gzip") && name != "*" {
			continue
		}
		q, weighted := strings.CutPrefix(strings.TrimSpace(weight), "q=")
		value, err := strconv.ParseFloat(q, 64)
		return !weighted || err == nil && value > 0
	}
	return false
}

// pageWriters are used again: each has 800 KiB of tables.
var pageWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// squeezePage compresses what is written for one request.
func squeezePage(text []byte) []byte {
	z := pageWriters.Get().(*gzip.Writer)
	defer pageWriters.Put(z)
	return squeeze(text, z)
}

func squeeze(text []byte, z *gzip.Writer) []byte {
	var out bytes.Buffer
	z.Reset(&out)
	_, _ = z.Write(text) // a buffer takes all
	_ = z.Close()
	return out.Bytes()
}

// sendText answers with a text, compressed where that is possible. The header has its
// type already.
func sendText(w http.ResponseWriter, r *http.Request, status int, text []byte) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if len(text) >= leastCompressed && takesGzip(r) {
		text = squeezePage(text)
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // who asked may have gone
}

// squeezed holds the compressed files of the bundle, each made when it is first asked for.
type squeezed struct {
	files fs.FS
	all   sync.Map // name → func() []byte
}

// text is a compressed file; nil for one that compressing makes no smaller.
func (s *squeezed) text(name string) []byte {
	switch path.Ext(name) {
	case ".js", ".css", ".svg", ".json", ".map":
	default:
		return nil
	}
	made, _ := s.all.LoadOrStore(name, sync.OnceValue(func() []byte {
		text, err := fs.ReadFile(s.files, name)
		if err != nil || len(text) < leastCompressed {
			return nil
		}
		z, err := gzip.NewWriterLevel(nil, gzip.BestCompression)
		if err != nil {
			panic("web: " + err.Error()) // the level is right by construction
		}
		return squeeze(text, z)
	}))
	return made.(func() []byte)()
}

// send answers with the compressed file, if there is one and who asks can read it.
func (s *squeezed) send(w http.ResponseWriter, r *http.Request, name string) bool {
	w.Header().Add("Vary", "Accept-Encoding")
	if !takesGzip(r) {
		return false
	}
	text := s.text(name)
	if text == nil {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	h.Set("Content-Encoding", "gzip")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(text)
	return true
}
