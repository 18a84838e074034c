package apitest

import (
	"math"
	"sync/atomic"
	"testing"
	"time"

	"telltale"
	"telltale/model"
)

func TestSampleValue(t *testing.T) {
	reg := telltale.NewRegistry(telltale.WithTargetInfo(map[string]string{"env": "test"}))
	in := telltale.In(reg)
	telltale.Must(telltale.NewCounter("plain", "", in)).Add(2.5)
	telltale.Must(telltale.NewCounterVec("requests", "", []string{"method", "path"}, in)).With("GET", "/").Add(3)
	h := telltale.Must(telltale.NewHistogram("h", "", in, telltale.WithBuckets(0.5, 1, 1e6)))
	h.Observe(0.7)
	h.Observe(2e6)
	n := telltale.Must(telltale.NewHistogram("n", "", in, telltale.WithNativeBuckets(1.1)))
	n.Observe(0.7)
	n.Observe(3)
	telltale.Must(telltale.NewSummary("s", "", in)).Observe(4)
	info := telltale.Must(telltale.NewInfo("build", "", in))
	telltale.Must(info, info.Set(labelMap{"version": "1"}))
	telltale.Must(telltale.NewEnum("state", "", []string{"on", "off"}, in))
	telltale.Must(telltale.NewGauge("nan", "", in)).Set(math.NaN())
	custom := family("custom", model.Summary)
	custom.AddSample("custom", map[string]string{"quantile": "0.5"}, 7)
	custom.AddSample("custom_odd", nil, 8)
	register(t, reg, nameless(custom))

	tests := []struct {
		name   string
		sample string
		labels labelMap
		want   float64
		ok     bool
	}{
		{"a counter's sample", "plain_total", nil, 2.5, true},
		{"no labels are an empty map", "plain_total", labelMap{}, 2.5, true},
		{"a counter's family", "plain", nil, 0, false},
		{"labels", "requests_total", labelMap{"path": "/", "method": "GET"}, 3, true},
		{"a subset of the labels", "requests_total", labelMap{"method": "GET"}, 0, false},
		{"no labels", "requests_total", nil, 0, false},
		{"a superset of the labels", "requests_total", labelMap{"path": "/", "method": "GET", "x": ""}, 0, false},
		{"other values", "requests_total", labelMap{"path": "/", "method": "PUT"}, 0, false},
		{"a superset of none", "plain_total", labelMap{"x": "y"}, 0, false},
		{"a bucket", "h_bucket", labelMap{"le": "0.5"}, 0, true},
		{"a bucket spelled as the page has it", "h_bucket", labelMap{"le": "1.0"}, 1, true},
		{"a bucket spelled otherwise", "h_bucket", labelMap{"le": "1"}, 0, false},
		{"a large bucket", "h_bucket", labelMap{"le": "1e+06"}, 1, true},
		{"the last bucket", "h_bucket", labelMap{"le": "+Inf"}, 2, true},
		{"a histogram's count", "h_count", nil, 2, true},
		{"a histogram's sum", "h_sum", nil, 2e6 + 0.7, true},
		{"a histogram's family", "h", nil, 0, false},
		{"a native histogram, whose value is no number", "n", nil, 0, false},
		{"a native histogram's count", "n_count", nil, 2, true},
		{"a native histogram's sum", "n_sum", nil, 3.7, true},
		{"a summary's count", "s_count", nil, 1, true},
		{"a summary's sum", "s_sum", nil, 4, true},
		{"an info", "build_info", labelMap{"version": "1"}, 1, true},
		{"a state that is", "state", labelMap{"state": "on"}, 1, true},
		{"a state that is not", "state", labelMap{"state": "off"}, 0, true},
		{"target info", "target_info", labelMap{"env": "test"}, 1, true},
		{"a custom collector's quantile", "custom", labelMap{"quantile": "0.5"}, 7, true},
		{"a custom collector's odd sample", "custom_odd", nil, 8, true},
		{"nobody's", "nothing", nil, 0, false},
		{"the empty name", "", nil, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := reg.SampleValue(tt.sample, tt.labels)
			if got != tt.want || ok != tt.ok {
				t.Errorf("SampleValue(%q, %v) = %v, %t; want %v, %t", tt.sample, tt.labels, got, ok, tt.want, tt.ok)
			}
		})
	}
	t.Run("NaN", func(t *testing.T) {
		if got, ok := reg.SampleValue("nan", nil); !ok || !math.IsNaN(got) {
			t.Errorf("got %v, %t", got, ok)
		}
	})
	t.Run("a created time", func(t *testing.T) {
		got, ok := reg.SampleValue("requests_created", labelMap{"path": "/", "method": "GET"})
		if now := float64(time.Now().Unix()); !ok || got > now+1 || got < now-3600 {
			t.Errorf("got %v, %t; want about %v", got, ok, now)
		}
	})
}

func TestSampleValueAsksOnlyWhoCanHaveIt(t *testing.T) {
	reg := telltale.NewRegistry()
	var asked, others, unnamed atomic.Int64
	register(t, reg, counting(&asked, gauge("m", 1)), counting(&others, gauge("other", 1)), counting(&unnamed))
	if _, ok := reg.SampleValue("m", nil); !ok {
		t.Error("the sample was not found")
	}
	if asked.Load() != 1 || others.Load() != 0 {
		t.Errorf("the owner was asked %d times and another %d times", asked.Load(), others.Load())
	}
}

// Finding a sample early leaves other collectors running, which must not cost
// the next scrape anything.
func TestSampleValueLeavesTheNextScrapeWhole(t *testing.T) {
	reg := telltale.NewRegistry()
	begun, finish := make(chan struct{}, 10), make(chan struct{})
	register(t, reg, described(gauge("early", 1)), telltale.CollectorFunc(emitting(gauge("unnamed", 1))))
	register(t, reg, telltale.CollectorFunc(emittingSlowly(begun, finish, gauge("slow", 1), gauge("slower", 2))))
	if _, ok := reg.SampleValue("early", nil); !ok {
		t.Fatal("the sample was not found")
	}
	await(t, "the slow collector", begun)
	result := make(chan string)
	go func() { result <- page(t, reg) }()
	close(finish)
	wantText(t, await(t, "the page", result), gaugePage("early", "1.0", "unnamed", "1.0", "slow", "1.0", "slower", "2.0"))
	wantFaults(t, reg, nil)
}
