package modeltest

import (
	"fmt"
	"slices"
	"strings"
)

// quantiles are the quantiles of a summary that has any.
var quantiles = []float64{0, 0.5, 1}

// lines returns the samples of a family, in order.
func (f *family) lines(name string) (lines []text) {
	for _, s := range f.series {
		lines = append(lines, s.lines(name)...)
	}
	return lines
}

func (s *series) lines(name string) (lines []text) {
	var labels [][2]string
	if s.of.constant != "" {
		labels = append(labels, [2]string{"k", s.of.constant})
	}
	for i, label := range s.of.labels {
		labels = append(labels, [2]string{label, s.values[i]})
	}
	add := func(suffix, value string, exemplar *exemplar, more ...[2]string) {
		t := text{name: name + suffix, labels: labelText(append(slices.Clip(labels), more...)), value: value, own: len(labels), of: s}
		if exemplar != nil {
			t.exemplar = fmt.Sprintf(" # {id=%q} %s", exemplar.labels, number(exemplar.value))
		}
		lines = append(lines, t)
	}
	switch s.of.kind {
	case "counter":
		add("_total", number(s.value), s.exemplar[0])
	case "gauge":
		if s.function != "" {
			add("", s.function, nil)
			return lines
		}
		add("", number(s.value), nil)
	case "histogram", "both":
		for i, upper := range buckets {
			n := 0
			for _, v := range s.observed {
				if v <= upper {
					n++
				}
			}
			add("_bucket", number(float64(n)), s.exemplar[i], [2]string{"le", number(upper)})
		}
		add("_bucket", number(float64(len(s.observed))), s.exemplar[len(buckets)], [2]string{"le", "+Inf"})
	case "native":
		add("_bucket", number(float64(len(s.observed))), nil, [2]string{"le", "+Inf"})
	case "quantiles":
		for _, q := range quantiles {
			add("", "~", nil, [2]string{"quantile", number(q)}) // see checkQuantiles
		}
	case "info":
		var info [][2]string
		for _, key := range sorted(s.info) {
			info = append(info, [2]string{key, s.info[key]})
		}
		add("_info", "1.0", nil, info...)
	case "enum":
		for _, state := range states {
			value := "0.0"
			if state == s.state {
				value = "1.0"
			}
			add("", value, nil, [2]string{name, state})
		}
	}
	if kinds[s.of.kind] == "histogram" || kinds[s.of.kind] == "summary" {
		add("_count", number(float64(len(s.observed))), nil)
		add("_sum", number(s.sum()), nil)
	}
	return lines
}

// labelText writes labels as in the text formats, without braces.
func labelText(labels [][2]string) string {
	var parts []string
	for _, l := range labels {
		escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(l[1])
		parts = append(parts, l[0]+`="`+escaped+`"`)
	}
	return strings.Join(parts, ",")
}

// pairsOf splits label text into pairs, each as written.
func pairsOf(labels string) (pairs []string) {
	for len(labels) > 0 {
		end := strings.IndexByte(labels, '"') + 1
		for ; labels[end] != '"'; end++ {
			if labels[end] == '\\' {
				end++
			}
		}
		pairs = append(pairs, labels[:end+1])
		labels = strings.TrimPrefix(labels[end+1:], ",")
	}
	return pairs
}

// labelsOf returns the names in label text.
func labelsOf(labels string) (names []string) {
	for _, pair := range pairsOf(labels) {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	return names
}

// String writes a sample without its exemplar.
func (t text) String() string {
	if t.labels == "" {
		return t.name + " " + t.value
	}
	return t.name + "{" + t.labels + "} " + t.value
}

// textPage writes the page in the text format 0.0.4, without HELP lines.
func (p *page) textPage() string {
	var b strings.Builder
	for _, f := range p.families {
		kind := f.kind
		if kind == "info" || kind == "stateset" {
			kind = "gauge"
		}
		fmt.Fprintf(&b, "# TYPE %s %s\n", sampleName(f.name, f.kind), kind)
		for _, t := range f.lines {
			fmt.Fprintln(&b, t)
		}
	}
	return b.String()
}

// openMetricsPage writes the page in OpenMetrics 1.0, without HELP lines and the
// times of exemplars. It reports false if it cannot, which is so if samples are
// left out of families, or have to be because a sum or a quantile is negative.
func (p *page) openMetricsPage() (string, bool) {
	var b strings.Builder
	for _, f := range p.families {
		if f.masked {
			return "", false
		}
		name, kind := f.name, f.kind
		if f.literal {
			name, kind = sampleName(f.name, f.kind), "unknown"
		}
		fmt.Fprintf(&b, "# TYPE %s %s\n", name, kind)
		for _, t := range f.lines {
			if t.of != nil && slices.ContainsFunc(t.of.observed, func(v float64) bool { return v < 0 }) {
				return "", false
			}
			exemplar := t.exemplar
			if f.literal {
				exemplar = ""
			}
			fmt.Fprintln(&b, t.String()+exemplar)
		}
	}
	return b.String() + "# EOF\n", true
}
