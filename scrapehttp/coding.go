package scrapehttp

import (
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"telltale"
)

// Coding is a content coding of HTTP, that is, a compression of the page.
type Coding uint8

// The codings that a page can have.
const (
	Gzip Coding = iota + 1
	Zstd
)

var codingNames = [...]string{"identity", Gzip: "gzip", Zstd: "zstd"}

// String returns the coding's name in HTTP headers.
func (c Coding) String() string {
	if int(c) < len(codingNames) {
		return codingNames[c]
	}
	return "Coding(" + strconv.Itoa(int(c)) + ")"
}

// identity is no coding, which is always possible.
const identity Coding = 0

// negotiate returns the offered coding that the Accept-Encoding headers prefer
// (RFC 9110, section 12.5.3), the first of several. A coding that is not named
// is not used: "*" does not mean that a client can decode it. If the client
// refuses everything, identity is used.
func negotiate(offered []Coding, accept []string) Coding {
	if len(accept) == 0 {
		return identity
	}
	weights := acceptedCodings(accept)
	best, bestQ := identity, weights[identity]
	for _, c := range offered {
		if int(c) < len(weights) && weights[c] > 0 && (weights[c] > bestQ || best == identity && weights[c] == bestQ) {
			best, bestQ = c, weights[c]
		}
	}
	return best
}

// acceptedCodings returns the q-values that a client gives the codings, 0 for
// those it does not name.
func acceptedCodings(accept []string) (weights [len(codingNames)]float64) {
	var named [len(codingNames)]bool
	others := 0.0
	for _, header := range accept {
		for one := range strings.SplitSeq(header, ",") {
			token, params, _ := strings.Cut(one, ";")
			token = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(token)), "x-") // x-gzip is gzip
			if token == "*" {
				others = max(others, weight(params))
			}
			for c, name := range codingNames {
				if token == name {
					named[c], weights[c] = true, max(weights[c], weight(params))
				}
			}
		}
	}
	if !named[identity] {
		weights[identity] = others
	}
	return weights
}

// weight reads the q-value among a coding's parameters. Text that is not a
// number from 0 to 1 counts as 0: identity is always understood.
func weight(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}

// compressor writes a coding.
type compressor interface {
	io.WriteCloser
	Reset(io.Writer)
}

// zstdWindow bounds the memory of a zstd stream. Lines of metrics resemble those
// just before them, so that a larger window saves almost nothing.
const zstdWindow = 128 << 10

// compressors holds the compressors that are not in use, by coding. They are set
// to be fast: a scraper on the same network waits for the page.
var compressors = [...]sync.Pool{
	Gzip: {New: func() any {
		return telltale.Must(gzip.NewWriterLevel(nil, gzip.BestSpeed))
	}},
	Zstd: {New: func() any {
		return telltale.Must(zstd.NewWriter(nil,
			zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithEncoderConcurrency(1), // in the caller's goroutine
			zstd.WithWindowSize(zstdWindow),
		))
	}},
}

// borrow returns a compressor that writes to w, nil for identity.
func (c Coding) borrow(w io.Writer) compressor {
	if c == identity {
		return nil
	}
	z := compressors[c].Get().(compressor)
	z.Reset(w)
	return z
}

// giveBack returns a compressor to the pool, in any state.
func (c Coding) giveBack(z compressor) {
	if z != nil {
		z.Reset(nil) // retains nothing of the response
		compressors[c].Put(z)
	}
}
