package scrapehttp_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"telltale"
	"telltale/scrapehttp"
)

// The scrape over loopback stands beside the same scrape in memory. Read the
// ratio of both, in one run:
//
//	go test -run '^$' -bench . -count 5 ./scrapehttp

const benchmarked = 100_000

func BenchmarkInMemory(b *testing.B) {
	reg := filled(b, benchmarked)
	b.ReportAllocs()
	for b.Loop() {
		if err := telltale.WriteLatest(context.Background(), io.Discard, reg); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkHTTP(b *testing.B, coding string) {
	s := listen(b, scrapehttp.NewServer("", filled(b, benchmarked)).Handler)
	b.ReportAllocs()
	var size int64
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), "GET", s.URL+"/metrics", nil)
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", coding)
		response, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		if size, err = io.Copy(io.Discard, response.Body); err != nil {
			b.Fatal(err)
		}
		_ = response.Body.Close()
	}
	b.ReportMetric(float64(size), "page-bytes")
}

func BenchmarkHTTP(b *testing.B) {
	for _, coding := range []string{"identity", "gzip", "zstd"} {
		b.Run(coding, func(b *testing.B) { benchmarkHTTP(b, coding) })
	}
}
