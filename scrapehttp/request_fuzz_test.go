package scrapehttp_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"telltale/exposition"
	"telltale/scrapehttp"
)

// Whatever a stranger asks for, the answer is a whole page in a format that is
// announced, or a refusal that says why.
func FuzzRequest(f *testing.F) {
	f.Add("", "", "", "", "192.0.2.1:1")
	f.Add("name[]=orders", "application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1", "gzip;q=0.5, zstd", "10", "[2001:db8::1%eth0]:1")
	f.Add("name[]=%zz;&", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", "*;q=NaN", "1e-400", "@")
	f.Add("name[]=orders_total&name[]=&name%5B%5D=%00%ff", "text/plain;version=1.0.0;escaping=allow-utf-8", "x-gzip;q=1e400", "0x1p10", "::ffff:192.0.2.1")
	h := scrapehttp.Handler(shop(f), scrapehttp.WithMaxInFlightPerPeer(1))
	f.Fuzz(func(t *testing.T, query, accept, encoding, timeout, peer string) {
		r := &http.Request{
			Method: "GET", URL: &url.URL{Path: "/metrics", RawQuery: query}, RemoteAddr: peer, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Accept": {accept}, "Accept-Encoding": {encoding}, "X-Prometheus-Scrape-Timeout-Seconds": {timeout}},
		}
		for range 2 { // a slot that was not given back would be missed
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			switch w.Code {
			case 200:
				page, contentType := decode(t, w), w.Header().Get("Content-Type")
				format, ok := exposition.FormatOf(contentType)
				if !ok {
					t.Fatalf("content type %q", contentType)
				}
				parser := exposition.NewParser(strings.NewReader(page), format)
				for {
					_, err := parser.Next()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						t.Fatalf("page %q of type %q: %v", page, contentType, err)
					}
				}
			case 400, 431:
				if !strings.Contains(w.Body.String(), ": the ") {
					t.Errorf("refused with %q", w.Body)
				}
			default:
				t.Errorf("status %d: %q", w.Code, w.Body)
			}
		}
	})
}
