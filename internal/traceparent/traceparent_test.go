package traceparent_test

import (
	"strings"
	"testing"

	"telltale/internal/traceparent"
)

func TestSampled(t *testing.T) {
	trace, span := "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for name, c := range map[string]struct {
		headers []string
		want    bool
	}{
		"sampled":       {[]string{"00-" + trace + "-" + span + "-01"}, true},
		"more flags":    {[]string{"00-" + trace + "-" + span + "-ff"}, true},
		"later version": {[]string{"01-" + trace + "-" + span + "-01-more"}, true},
		"not sampled":   {[]string{"00-" + trace + "-" + span + "-00"}, false},
		"none":          {nil, false},
		"two":           {[]string{"00-" + trace + "-" + span + "-01", "00-" + trace + "-" + span + "-01"}, false},
		"upper case":    {[]string{"00-" + strings.ToUpper(trace) + "-" + span + "-01"}, false},
		"no trace":      {[]string{"00-" + strings.Repeat("0", 32) + "-" + span + "-01"}, false},
		"no span":       {[]string{"00-" + trace + "-" + strings.Repeat("0", 16) + "-01"}, false},
		"too long":      {[]string{"00-" + trace + "-" + span + "-01-more"}, false},
		"version ff":    {[]string{"ff-" + trace + "-" + span + "-01"}, false},
		"not hex":       {[]string{"00-" + strings.Repeat("g", 32) + "-" + span + "-01"}, false},
		"no dashes":     {[]string{strings.ReplaceAll("00-"+trace+"-"+span+"-01", "-", "_")}, false},
		"short":         {[]string{"00-"}, false},
	} {
		got := traceparent.Sampled(c.headers)
		if c.want != (got != nil) || c.want && (got["trace_id"] != trace || got["span_id"] != span || len(got) != 2) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
