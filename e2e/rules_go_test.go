package e2e

import "strings"

// What Prometheus's textparse v0.315.0 and common's expfmt v0.72.1 do.

var textparseRules = []*rule{
	{
		name: "negative milliseconds",
		why:  "the lexer of the text format takes digits only for a timestamp, and refuses the page",
		keepsBack: func(f *familyPlan, d dialect) bool {
			return !d.openMetrics && f.anyTime(false, func(ns int64) bool { return ns < 0 })
		},
	},
	{
		name: "NUL in exemplars",
		why:  "its lexer takes a NUL in an exemplar's label value, and there alone, for the end of the page",
		keepsBack: func(f *familyPlan, d dialect) bool {
			return d.openMetrics && f.anyExemplarValue(func(value string) bool { return strings.Contains(value, "\x00") })
		},
	},
	{
		name: "times in milliseconds",
		why:  "OpenMetrics timestamps are read as float64 seconds and cut to milliseconds, towards 1970",
		changes: func(page reading, d dialect) {
			everyTime(page, func(ns int64) int64 {
				if !d.openMetrics {
					return ns
				}
				return int64(seconds(ns)*1000) * 1e6
			})
		},
	},
	{
		name: "escapes of exemplars",
		why:  "names and values of an exemplar's labels are returned as they stand on the page, escapes and all",
		changes: func(page reading, _ dialect) {
			everySample(page, func(_ *readFamily, s *readSample) {
				if s.exemplar == nil {
					return
				}
				raw := map[string]string{}
				for name, value := range s.exemplar.labels {
					raw[escaped(name)] = escaped(value)
				}
				s.exemplar.labels = raw
			})
		},
	},
	{
		name: "escapes of names in metadata",
		why:  "the quoted name of a HELP, TYPE or UNIT line loses its quotes but keeps its escapes",
		changes: func(page reading, _ dialect) {
			for i := range page {
				page[i].name = escaped(page[i].name)
			}
		},
	},
}

var expfmtRules = []*rule{
	{
		name: "empty families",
		why:  "families without samples are left out",
		keepsBack: func(f *familyPlan, _ dialect) bool {
			return len(f.series) == 0
		},
	},
	{
		name: "leading blanks of help",
		why:  "blanks and tabs between a name and its help are not part of either",
		changes: func(page reading, _ dialect) {
			for i := range page {
				page[i].help = strings.TrimLeft(page[i].help, " \t")
			}
		},
	},
	{
		name: "fractions without a count",
		why:  "a histogram that has fractions of observations in its buckets is given a count of 0 if it has none",
		keepsBack: func(f *familyPlan, _ dialect) bool {
			for i := range f.series {
				s := &f.series[i]
				if (s.count == nil || f.typ == "gaugehistogram") && s.fractional() {
					return true
				}
			}
			return false
		},
	},
}

func textparseReader() reader {
	return reader{
		name: "textparse", ordered: true, read: readTextparse, rules: textparseRules,
		takes: func(d dialect) bool { return !d.protobuf },
	}
}

func expfmtReader() reader {
	return reader{
		name: "expfmt", read: readExpfmt, rules: expfmtRules,
		takes: func(d dialect) bool { return !d.openMetrics && !d.protobuf },
	}
}
