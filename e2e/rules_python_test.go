package e2e

import (
	"strings"
	"unicode"
)

// What Python's prometheus_client 0.16 does.

var pythonRules = []*rule{
	{
		name: "legacy names only",
		why:  "it is older than UTF-8 names",
		keepsBack: func(f *familyPlan, d dialect) bool {
			if !d.utf8() {
				return false
			}
			return !legacyMetric(f.name) || f.typ == "stateset" && !legacyLabel(f.name) ||
				f.anyLabelName(d.openMetrics, func(name string) bool { return !legacyLabel(name) })
		},
	},
	{
		name: "one group of infos",
		why:  "all series of an info are taken for one, which may not have timestamps on some lines only",
		keepsBack: func(f *familyPlan, d dialect) bool {
			with := 0
			for _, s := range f.series {
				if s.at != nil {
					with++
				}
			}
			return d.openMetrics && f.typ == "info" && with > 0 && with < len(f.series)
		},
	},
	{
		name: "braces in exemplars",
		why:  "the first closing brace in an exemplar's label value is taken for the end of its labels",
		keepsBack: func(f *familyPlan, d dialect) bool {
			return d.openMetrics && f.anyExemplarValue(func(value string) bool { return strings.Contains(value, "}") })
		},
	},
	{
		name: "the second before 1970",
		why:  "the sign of -0.5 is lost",
		changes: func(page reading, d dialect) {
			everyTime(page, func(ns int64) int64 {
				if d.openMetrics && -1e9 < ns && ns < 0 {
					return -ns
				}
				return ns
			})
		},
	},
	{
		name: "stripped help",
		why:  "white space of every alphabet is stripped from the help of the text format, as it stands on the page",
		changes: func(page reading, d dialect) {
			for i := range page {
				if !d.openMetrics {
					page[i].help = stripHelp(page[i].help)
				}
			}
		},
	},
	{
		name: "counters renamed",
		why:  "the text format's counters are read as OpenMetrics has them: the family loses _total, the samples get it",
		changes: func(page reading, d dialect) {
			for i := range page {
				f := &page[i]
				if d.openMetrics || f.typ != "counter" {
					continue
				}
				if base, ok := strings.CutSuffix(f.name, "_total"); ok {
					f.name = base
					continue
				}
				for j := range f.samples {
					f.samples[j].name += "_total"
				}
			}
		},
	},
}

// stripHelp strips a help text between being escaped and being read, so that a
// newline, which is two characters then, stays.
func stripHelp(help string) string {
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	unescape := strings.NewReplacer(`\\`, `\`, `\n`, "\n")
	return unescape.Replace(strings.TrimFunc(escape.Replace(help), pythonSpace))
}

// pythonSpace is str.isspace: Unicode's white space and four separators of
// ASCII.
func pythonSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func pythonReaderOf(p *pythonReader) reader {
	return reader{
		name: "python", ordered: true, read: p.read, rules: pythonRules,
		takes: func(d dialect) bool { return !d.protobuf },
	}
}
