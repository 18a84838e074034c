package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"syscall"
	"testing"

	"telltale"
	"telltale/exposition"
	"telltale/push"
)

// A current Pushgateway has what it is pushed, native histograms too, also after a restart.
func TestPushgateway(t *testing.T) {
	program := requireBuilt(t, "pushgateway", "github.com/prometheus/pushgateway")
	file := filepath.Join(t.TempDir(), "kept")
	begin := func() (*process, string) {
		return server(t, "pushgateway", program, "/-/ready", func(address string) []string {
			return []string{"--web.listen-address=" + address, "--persistence.file=" + file}
		})
	}
	p, base := begin()
	registry := telltale.NewRegistry()
	in := telltale.In(registry)
	telltale.Must(telltale.NewCounterVec("rows", "Rows.", []string{"table"}, in)).With("a\"\\\nü").Add(7)
	native := telltale.Must(telltale.NewHistogram("latency", "Time.", in, telltale.WithUnit("seconds"), telltale.WithBuckets(0.1, 1), telltale.WithNativeSchema(3)))
	for _, v := range []float64{0.05, 0.5, 2} {
		native.Observe(v)
	}
	page := func(base string) []byte {
		t.Helper()
		body, err := get(t.Context(), base+"/metrics", exposition.Protobuf.ContentType())
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	// has looks for what was pushed under a job, with native buckets or without.
	has := func(base, job string) (rows, buckets bool) {
		t.Helper()
		p := exposition.NewParser(bytes.NewReader(page(base)), exposition.Protobuf)
		for {
			f, err := p.Next()
			if errors.Is(err, io.EOF) {
				return rows, buckets
			}
			if err != nil {
				t.Fatal(err)
			}
			for s := range f.Samples() {
				labels := s.Labels.Map()
				if labels["job"] != job {
					continue
				}
				rows = rows || s.Name == "rows_total" && s.Value == 7 && labels["table"] == "a\"\\\nü"
				buckets = buckets || s.NativeHistogram != nil && s.NativeHistogram.Count == 3 && s.NativeHistogram.Schema == 3
			}
		}
	}
	jobs := map[string][]push.Option{
		"text":     {push.WithGzip()},
		"a/b .ü":   {push.WithGrouping("instance", "")},
		"protobuf": {push.WithFormat(exposition.Protobuf)},
	}
	for job, options := range jobs {
		g, err := push.NewGateway(base, job, options...)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Push(context.Background(), registry); err != nil {
			t.Fatalf("%s: %v", job, err)
		}
		if rows, buckets := has(base, job); !rows || buckets != (job == "protobuf") {
			t.Errorf("%s: what was pushed is there: %v, with native buckets: %v", job, rows, buckets)
		}
	}
	if err := p.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, base = begin()
	for job := range jobs {
		if rows, buckets := has(base, job); !rows || buckets != (job == "protobuf") {
			t.Errorf("%s: after a restart what was pushed is there: %v, with native buckets: %v", job, rows, buckets)
		}
	}
}
