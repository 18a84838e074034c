package rules_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"telltale"
	"telltale/rules"
)

// wide returns a registry of a hundred families, counters and gauges in turn, of a
// thousand series each.
func wide(b testing.TB, series int) *telltale.Registry {
	reg := telltale.NewRegistry()
	labels := []string{"method", "handler", "status"}
	for i := range 100 {
		name := fmt.Sprintf("app_part%02d_requests", i)
		counters := must(telltale.NewCounterVec(name, "Help.", labels, telltale.In(reg)))
		gauges := must(telltale.NewGaugeVec(name+"_now", "Help.", labels, telltale.In(reg)))
		for n := range series / 100 {
			values := []string{[]string{"GET", "POST", "PUT", "DELETE"}[n%4], fmt.Sprintf("/api/v1/resource/%05d", n/20), []string{"200", "201", "400", "404", "500"}[n/4%5]}
			if i%2 == 0 {
				counters.With(values...).Add(float64(n * 7919 % 1_000_000))
			} else {
				gauges.With(values...).Set(float64(n * 7919 % 1_000_000))
			}
		}
	}
	return reg
}

// hundred returns rules as operators have them, most of them for metrics of other
// programs.
func hundred(ofLabels bool) (list []rules.Rule) {
	for i := range 60 {
		list = append(list, rules.Drop(fmt.Sprintf("(go|jvm|etcd)_part%02d_.*", i)))
	}
	for i := range 20 {
		list = append(list, rules.Drop(fmt.Sprintf("other%02d_requests_total;5..", i), "__name__", "status"))
	}
	for i := range 10 {
		list = append(list, rules.Rename(fmt.Sprintf("old%02d_(.*)", i), "new_$1"))
	}
	for i := range 9 {
		list = append(list, rules.LabelDrop(fmt.Sprintf("pod_%d|node_.*", i)))
	}
	if ofLabels {
		return append(list, rules.Drop(".*;DELETE;404", "__name__", "method", "status"))
	}
	return append(list, rules.LabelDrop("container"))
}

func BenchmarkScrape(b *testing.B) {
	reg := wide(b, 100_000)
	for _, test := range []struct {
		name string
		of   telltale.Collector
	}{
		{"without", reg},
		{"names", must(rules.New(reg, hundred(false)...))},
		{"labels", must(rules.New(reg, hundred(true)...))},
		{"relabelled", must(rules.New(reg, append(hundred(true)[1:], rules.Replace("class", "${1}xx", "(.)..", "status"))...))},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			scrape := func() {
				if err := telltale.WriteLatest(context.Background(), io.Discard, test.of); err != nil {
					b.Fatal(err)
				}
			}
			scrape()
			for b.Loop() {
				scrape()
			}
		})
	}
}
