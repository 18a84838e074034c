package scrapehttp_test

import (
	"bytes"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"telltale"
	"telltale/scrapehttp"
)

// decode undoes the response's coding.
func decode(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var body io.Reader = w.Body
	var err error
	switch coding := w.Header().Get("Content-Encoding"); coding {
	case "":
	case "gzip":
		body, err = gzip.NewReader(body)
	case "zstd":
		body, err = zstd.NewReader(body)
	default:
		t.Fatalf("unknown coding %q", coding)
	}
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestCodings(t *testing.T) {
	for _, test := range []struct{ accept, want string }{
		{"", ""},
		{"identity", ""},
		{"gzip", "gzip"},
		{"GZIP", "gzip"},
		{"x-gzip", "gzip"},
		{"zstd", "zstd"},
		{"deflate, br", ""},
		{"*", ""},
		{"gzip, deflate, br, zstd", "zstd"},
		{"gzip;q=0", ""},
		{"gzip;q=0.000", ""},
		{"gzip; q=0, zstd", "zstd"},
		{"gzip;q=1.0, zstd;q=0.5", "gzip"},
		{"gzip ; Q=0.1", "gzip"},
		{"gzip;q=0.5, identity", ""},
		{"gzip;q=0.5, identity;q=0.5", "gzip"},
		{"gzip;q=0.5, *", ""},
		{"gzip;q=0.5, *;q=0", "gzip"},
		{"identity;q=0", ""},
		{"identity;q=0, *;q=0", ""},
		{"gzip;q=high", ""},
		{"gzip;q=2", ""},
		{"gzip;q=NaN", ""},
		{",;,gzip,;q=1", "gzip"},
	} {
		r := request("GET", "/metrics")
		if test.accept != "" {
			r.Header.Set("Accept-Encoding", test.accept)
		}
		w := answer(scrapehttp.Handler(shop(t)), r)
		wantStatus(t, w, 200)
		if got := w.Header().Get("Content-Encoding"); got != test.want {
			t.Errorf("Accept-Encoding %q: %q, want %q", test.accept, got, test.want)
		}
		if page := decode(t, w); page != shopPage {
			t.Errorf("Accept-Encoding %q: page %q", test.accept, page)
		}
	}
}

func TestCodingsCanBeChosen(t *testing.T) {
	all := request("GET", "/metrics", "Accept-Encoding", "gzip", "Accept-Encoding", "zstd")
	wantHeader(t, answer(scrapehttp.Handler(shop(t), scrapehttp.WithCodings()), all), "Content-Encoding", "")
	wantHeader(t, answer(scrapehttp.Handler(shop(t), scrapehttp.WithCodings(scrapehttp.Gzip, scrapehttp.Zstd)), all), "Content-Encoding", "gzip")
	wantHeader(t, answer(scrapehttp.Handler(shop(t), scrapehttp.WithCodings(scrapehttp.Coding(77))), all), "Content-Encoding", "")
}

func TestBigPageSurvivesEveryCoding(t *testing.T) {
	reg := filled(t, 20_000)
	h := scrapehttp.Handler(reg)
	want, err := telltale.GenerateLatest(reg)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time with compressors that were used
		for _, coding := range []string{"identity", "gzip", "zstd"} {
			w := answer(h, request("GET", "/metrics", "Accept-Encoding", coding))
			size := w.Body.Len()
			if decode(t, w) != string(want) {
				t.Errorf("%s: the page is not what it should be", coding)
			}
			if coding != "identity" && size > len(want)/4 {
				t.Errorf("%s: %d bytes became %d", coding, len(want), size)
			}
		}
	}
}

func TestOptionsAreCopied(t *testing.T) {
	codings := []scrapehttp.Coding{scrapehttp.Gzip}
	option := scrapehttp.WithCodings(codings...)
	codings[0] = scrapehttp.Zstd
	w := answer(scrapehttp.Handler(shop(t), option), request("GET", "/metrics", "Accept-Encoding", "gzip"))
	wantHeader(t, w, "Content-Encoding", "gzip")
	if !bytes.HasPrefix(w.Body.Bytes(), []byte{0x1f, 0x8b}) {
		t.Error("the page is not gzip")
	}
	if s := scrapehttp.Zstd.String() + " " + scrapehttp.Coding(9).String(); s != "zstd Coding(9)" {
		t.Error(s)
	}
}
