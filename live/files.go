package live

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed page
var embedded embed.FS

// file is a file of the page.
type file struct {
	content     []byte
	contentType string
	tag         string // its ETag
}

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

// readFiles returns the files of the page by name.
var readFiles = sync.OnceValue(func() map[string]file {
	files := make(map[string]file)
	entries, err := embedded.ReadDir("page")
	if err != nil {
		panic(err) // the program was built without them
	}
	for _, e := range entries {
		content, err := embedded.ReadFile("page/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(content)
		files[e.Name()] = file{content, contentTypes[path.Ext(e.Name())], `"` + hex.EncodeToString(sum[:16]) + `"`}
	}
	return files
})

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("Cache-Control", "no-cache") // but asked with the tag
	w.Header().Set("ETag", f.tag)
	if r.Header.Get("If-None-Match") == f.tag || r.Method == http.MethodHead || r.Header.Get("Range") != "" {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
		return
	}
	writeCompressed(w, r, f.content)
}

var compressors = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one that gzip has
	}
	return z
}}

// writeCompressed writes the parts of a body, with gzip if the client accepts it, until
// the client is gone.
func writeCompressed(w http.ResponseWriter, r *http.Request, parts ...[]byte) {
	w.Header().Add("Vary", "Accept-Encoding")
	if !acceptsGzip(r.Header.Get("Accept-Encoding")) || w.Header().Get("Content-Encoding") != "" {
		for _, part := range parts {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := compressors.Get().(*gzip.Writer)
	defer func() {
		z.Reset(io.Discard) // the pool keeps no connection
		compressors.Put(z)
	}()
	z.Reset(w)
	for _, part := range parts {
		if _, err := z.Write(part); err != nil {
			return
		}
	}
	_ = z.Close()
}

// acceptsGzip reports whether a client names gzip without refusing it.
func acceptsGzip(accept string) bool {
	for _, coding := range strings.Split(accept, ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(coding), ";")
		quality = strings.TrimSpace(quality)
		if strings.TrimSpace(name) == "gzip" {
			return quality != "q=0" && quality != "q=0.0" && quality != "q=0.00" && quality != "q=0.000"
		}
	}
	return false
}
