package apitest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"telltale"
	"telltale/model"
)

func TestSampleTellsWhatWasMissed(t *testing.T) {
	reg := telltale.NewRegistry()
	in := telltale.In(reg)
	requests := telltale.Must(telltale.NewCounterVec("http_requests", "", []string{"method", "code"}, in))
	requests.With("GET", "200").Inc()
	requests.With("PUT", "500").Inc()
	telltale.Must(telltale.NewCounterVec("orders", "", []string{"country"}, in))
	telltale.Must(telltale.NewHistogram("latency_seconds", "", in, telltale.WithBuckets(0.5, 1))).Observe(0.7)
	telltale.Must(telltale.NewHistogram("native_seconds", "", in, telltale.WithNativeBuckets(1.1))).Observe(0.7)
	summary := family("size", model.Summary)
	summary.AddSample("size", map[string]string{"quantile": "0.5"}, 7)
	register(t, reg, nameless(summary))

	for _, tt := range []struct {
		name   string
		sample string
		labels labelMap
		want   []string // parts of the error
	}{
		{"a letter", "http_request_total", labelMap{"method": "GET", "code": "200"}, []string{"these are alike: http_requests_total"}},
		{"a namespace", "shop_http_requests_total", nil, []string{"these are alike: http_requests_total"}},
		{"a suffix", "latency_seconds_cuont", nil, []string{"latency_seconds_count"}},
		{"no series yet", "orders_total", labelMap{"country": "de"}, []string{`orders_total{country="de"}: a family that is registered has samples of that name, but none now`}},
		{"nothing alike", "go_goroutines", nil, []string{"go_goroutines: nothing has that name"}},
		{"nothing", "", nil, []string{"nothing has that name"}},
		{"a family", "http_requests", nil, []string{"that is a family, whose samples are http_requests_total"}},
		{"a value", "http_requests_total", labelMap{"method": "GET", "code": "500"}, []string{"of 2 with that name the closest is http_requests_total{", "\"200\", not \"500\""}},
		{"a label too few", "http_requests_total", labelMap{"method": "PUT"}, []string{`method="PUT"`, `it has the label code="500" too`}},
		{"a label too many", "http_requests_total", labelMap{"method": "PUT", "code": "500", "x": ""}, []string{`it has no label x`}},
		{"a bucket's spelling", "latency_seconds_bucket", labelMap{"le": "0.50"}, []string{`le is spelled "0.5", not "0.50"`}},
		{"a whole bucket's spelling", "latency_seconds_bucket", labelMap{"le": "1"}, []string{`le is spelled "1.0", not "1"`}},
		{"the last bucket's spelling", "latency_seconds_bucket", labelMap{"le": "inf"}, []string{`le is spelled "+Inf", not "inf"`}},
		{"a quantile's spelling", "size", labelMap{"quantile": "0.50"}, []string{`quantile is spelled "0.5", not "0.50"`}},
		{"a native histogram", "native_seconds", nil, []string{"it is a native histogram", "native_seconds_count and native_seconds_sum"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := reg.Sample(tt.sample, tt.labels)
			if !errors.Is(err, telltale.ErrNoSample) || v != 0 {
				t.Fatalf("got %v, %v", v, err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error is\n%v\nwithout\n%s", err, part)
				}
			}
			if _, ok := reg.SampleValue(tt.sample, tt.labels); ok {
				t.Error("SampleValue found it")
			}
		})
	}
	if v, err := reg.Sample("http_requests_total", labelMap{"code": "200", "method": "GET"}); v != 1 || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestSampleTellsOfFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book, reg := logged(t), telltale.NewRegistry()
		release := make(chan struct{})
		register(t, reg, described(gauge("found", 1)), new(database))
		hangs := telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error {
			<-release
			return nil
		})
		register(t, reg, hangs)
		if v, err := reg.Sample("found", nil); v != 1 || err != nil {
			t.Errorf("got %v, %v", v, err)
		}
		for _, reason := range []telltale.Reason{telltale.ReasonDeadline, telltale.ReasonStillRunning} {
			_, err := reg.Sample("lost", nil)
			var fault *telltale.Fault
			if !errors.Is(err, telltale.ErrNoSample) || !errors.Is(err, errDatabase) || !errors.As(err, &fault) {
				t.Errorf("got %v", err)
			}
			if n := reg.Stats().Faults[reason]; n == 0 && len(book.lines()) == 0 {
				t.Errorf("no fault %s: %v", reason, reg.Stats().Faults)
			}
		}
		if stats := reg.Stats(); stats.Faults[telltale.ReasonDeadline]+stats.Faults[telltale.ReasonStillRunning] < 2 {
			t.Errorf("the collector that hangs had the faults %v", stats.Faults)
		}
		close(release)
	})
}

// An error is of bounded length and cost, whatever is asked for.
func TestSampleOfHugeNames(t *testing.T) {
	reg := telltale.NewRegistry()
	huge := strings.Repeat("x", 1<<20)
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg), telltale.WithLabelValueLimit(0)))
	v.With(huge).Inc()
	for _, labels := range []labelMap{nil, {"l": huge + "y"}, {huge: "1"}} {
		for _, name := range []string{huge, "c_total"} {
			if _, err := reg.Sample(name, labels); err == nil || len(err.Error()) > 64<<10 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		}
	}
}
