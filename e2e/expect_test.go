package e2e

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	prometheus "github.com/prometheus/common/model"

	"telltale/exposition"
	"telltale/model"
)

// A dialect is a format under an escaping scheme, with or without created times.
type dialect struct {
	format      exposition.Format
	openMetrics bool
	protobuf    bool
	created     bool
}

// dialects returns all of them. Text 1.0.0 is the text format under the schemes
// that can be asked for; 0.0.4 is the same under underscores.
func dialects() []dialect {
	all := []dialect{{format: exposition.Text004}}
	schemes := []model.Escaping{model.AllowUTF8, model.Underscores, model.Dots, model.Values}
	for _, e := range schemes {
		all = append(all,
			dialect{format: exposition.Text100.WithEscaping(e)},
			dialect{format: exposition.OpenMetrics1.WithEscaping(e), openMetrics: true},
			dialect{format: exposition.OpenMetrics1.WithEscaping(e), openMetrics: true, created: true},
			dialect{format: exposition.Protobuf.WithEscaping(e), protobuf: true, created: true})
	}
	return all
}

func (d dialect) String() string {
	name := d.format.String()
	if d.created {
		name += " with created"
	}
	return name
}

// scheme is the escaping as prometheus/common knows it, whose EscapeName says
// what escaped names have to be.
func (d dialect) scheme() prometheus.EscapingScheme {
	switch d.format.Escaping() {
	case model.Underscores:
		return prometheus.UnderscoreEscaping
	case model.Dots:
		return prometheus.DotsEscaping
	case model.Values:
		return prometheus.ValueEncodingEscaping
	}
	return prometheus.NoEscaping
}

func (d dialect) utf8() bool { return d.scheme() == prometheus.NoEscaping }

// metric returns a name that is escaped as a whole.
func (d dialect) metric(name string) string { return prometheus.EscapeName(name, d.scheme()) }

// sample returns the name of a family's samples of a kind. As common/expfmt has
// it, a counter's and an info's name is escaped with its suffix, and other types
// add theirs to the escaped name. With a suffix of "" it is the family's name in
// OpenMetrics, which every sample's name continues.
func (d dialect) sample(f *familyPlan, suffix string) string {
	if own := f.sampleSuffix(); own != "" {
		return strings.TrimSuffix(d.metric(f.name+own), own) + suffix
	}
	return d.metric(f.name) + suffix
}

// label returns the name of a label. EscapeName lets colons pass, which a label
// name cannot have, so they go through it as another character.
func (d dialect) label(name string) string {
	if d.utf8() {
		return name
	}
	const colon = "\uE000"
	escaped := prometheus.EscapeName(strings.ReplaceAll(name, ":", colon), d.scheme())
	return strings.ReplaceAll(escaped, "_e000_", "_3a_")
}

// labels returns the labels as a reader sees them. Values whose names become
// equal are joined by semicolons.
func (d dialect) labels(lists ...[]label) map[string]string {
	all := map[string]string{}
	for _, list := range lists {
		for _, l := range list {
			name, value := d.label(l.name), mended(l.value)
			if before, twice := all[name]; twice {
				value = before + ";" + value
			}
			all[name] = value
		}
	}
	return all
}

// expect says what the families look like in the dialect.
func expect(families []familyPlan, d dialect) reading {
	var page reading
	for i := range families {
		switch {
		case d.openMetrics:
			page = append(page, expectOpenMetrics(&families[i], d))
		case d.protobuf:
			page = append(page, expectProtobuf(&families[i], d))
		default:
			page = append(page, expectText(&families[i], d)...)
		}
	}
	return page
}

// sampleSuffix is what the type adds to the name of its only kind of sample.
func (f *familyPlan) sampleSuffix() string {
	switch {
	case f.literal:
		return ""
	case f.typ == "counter":
		return "_total"
	case f.typ == "info":
		return "_info"
	}
	return ""
}

// expectText knows the types of the text format (Prometheus documentation,
// "Exposition formats"): one that has none of its own is written as the nearest.
func expectText(f *familyPlan, d dialect) reading {
	types := map[string]string{"unknown": "unknown", "gaugehistogram": "histogram", "info": "gauge", "stateset": "gauge"}
	main := readFamily{name: d.sample(f, f.sampleSuffix()), typ: f.typ, help: mended(f.help)}
	if t, ok := types[f.typ]; ok {
		main.typ = t
	}
	counts := readFamily{name: d.sample(f, "_gcount"), typ: "gauge", help: main.help}
	sums := readFamily{name: d.sample(f, "_gsum"), typ: "gauge", help: main.help}
	for i := range f.series {
		for _, s := range f.samples(&f.series[i], d) {
			s.exemplar = nil
			if s.at != nil {
				s.at = &moment{ns: floorDiv(s.at.ns, 1e6) * 1e6}
			}
			switch s.name {
			case counts.name:
				counts.samples = append(counts.samples, s)
			case sums.name:
				sums.samples = append(sums.samples, s)
			default:
				main.samples = append(main.samples, s)
			}
		}
	}
	page := reading{main}
	for _, aside := range []readFamily{counts, sums} {
		if f.typ == "gaugehistogram" && len(aside.samples) > 0 {
			page = append(page, aside)
		}
	}
	return page
}

// expectOpenMetrics follows OpenMetrics 1.0.
func expectOpenMetrics(f *familyPlan, d dialect) readFamily {
	family := readFamily{name: d.sample(f, ""), typ: f.typ, help: mended(f.help)}
	if f.literal || f.typ == "stateset" && strings.Contains(f.name, ":") {
		// A counter's sample has to end in _total, and a state set's label has
		// to have its name, where a colon cannot be.
		family.typ = "unknown"
	}
	if prometheus.LegacyValidation.IsValidMetricName(f.unit) && strings.HasSuffix(family.name, "_"+f.unit) {
		family.unit = f.unit
	}
	for i := range f.series {
		s := &f.series[i]
		if f.forbidden(s) {
			continue
		}
		family.samples = append(family.samples, f.samples(s, d)...)
		if d.created && s.created != nil {
			created := readSample{name: d.sample(f, "_created"), labels: d.labels(s.labels), at: s.at}
			if created.recent = s.created.recent; !created.recent {
				created.value = seconds(s.created.ns)
			}
			family.samples = append(family.samples, created)
		}
	}
	return family
}

// forbidden reports whether OpenMetrics 1.0 has no place for the series: totals are not
// NaN or below zero ("Counter"), and buckets and counts are whole numbers ("Histogram",
// "GaugeHistogram").
func (f *familyPlan) forbidden(s *seriesPlan) bool {
	switch {
	case f.literal: // of unknown type
		return false
	case f.typ == "counter":
		return !(s.value >= 0)
	case f.typ == "histogram", f.typ == "gaugehistogram":
		fraction := func(v float64) bool { return v != math.Trunc(v) }
		return s.count != nil && fraction(*s.count) || slices.ContainsFunc(s.buckets, func(b bucketPlan) bool { return fraction(b.cumulative) })
	}
	return false
}

// expectProtobuf follows metrics.proto, in which a family's name is that of its
// samples. A created time stands at the sample that it is given here.
func expectProtobuf(f *familyPlan, d dialect) readFamily {
	family := readFamily{name: d.sample(f, f.sampleSuffix()), typ: f.typ, help: mended(f.help), unit: f.unit}
	if f.typ == "info" || f.typ == "stateset" {
		family.typ = "gauge"
	}
	for i := range f.series {
		s := &f.series[i]
		for _, sample := range f.samples(s, d) {
			if sample.at != nil {
				sample.at = &moment{ns: floorDiv(sample.at.ns, 1e6) * 1e6}
			}
			if base, own := strings.CutSuffix(sample.name, "_gcount"); own && f.typ == "gaugehistogram" {
				sample.name = base + "_count"
			}
			if base, own := strings.CutSuffix(sample.name, "_gsum"); own && f.typ == "gaugehistogram" {
				sample.name = base + "_sum"
			}
			family.samples = append(family.samples, sample)
		}
		if s.created != nil {
			created := *s.created
			if f.source == flat { // where it is a sample, of seconds
				created.ns = throughSeconds(created.ns)
			}
			family.samples = append(family.samples, createdSample(family.name, d.labels(s.labels), &created))
		}
	}
	return family
}

// createdSample stands for the created time of a series in protobuf.
func createdSample(family string, labels map[string]string, at *moment) readSample {
	return readSample{name: family + " created", labels: labels, at: at}
}

// samples lists a series' samples, but for its created time.
func (f *familyPlan) samples(s *seriesPlan, d dialect) []readSample {
	var list []readSample
	add := func(suffix string, value float64, e *exemplarPlan, more ...label) {
		list = append(list, readSample{
			name: d.sample(f, suffix), labels: d.labels(s.labels, more),
			value: value, at: s.at, exemplar: f.exemplar(e, d),
		})
	}
	count, sum := "_count", "_sum"
	switch f.typ {
	case "summary":
		for _, q := range s.quantiles {
			if !d.openMetrics || !(q.v < 0) { // OpenMetrics 1.0, "Summary": values are not negative
				add("", q.v, nil, label{"quantile", spelled(q.q)})
			}
		}
	case "gaugehistogram":
		count, sum = "_gcount", "_gsum"
		fallthrough
	case "histogram":
		for _, b := range s.buckets {
			e := b.exemplar
			if e != nil && e.value > b.upper && !d.protobuf {
				e = nil // OpenMetrics 1.0, "Histogram": the bucket covers its value
			}
			add("_bucket", b.cumulative, e, label{"le", spelled(b.upper)})
		}
		if s.count != nil && !math.IsInf(s.lastBound(), 1) {
			add("_bucket", *s.count, nil, label{"le", "+Inf"})
		}
		// OpenMetrics 1.0, "Histogram" and "GaugeHistogram": count and sum come
		// together, and not where the sum is none that is allowed.
		if d.openMetrics && (s.count == nil || s.sum == nil || !s.lawfulSum(f.typ)) {
			return list
		}
	case "stateset":
		for _, state := range s.states {
			value := 0.0
			if state.on {
				value = 1
			}
			add("", value, nil, label{f.name, state.name})
		}
		return list
	case "info":
		add("_info", 1, nil, s.info...)
		if f.source == flat { // all in one sorted list there, which decides in what order values are joined
			list[0].labels = d.labels(slices.SortedFunc(slices.Values(slices.Concat(s.labels, s.info)), byName))
		}
		return list
	default:
		add(f.sampleSuffix(), s.value, s.exemplar)
		return list
	}
	if s.count != nil {
		add(count, *s.count, nil)
	}
	if s.sum != nil && (f.typ != "summary" || !d.openMetrics || *s.sum >= 0) {
		add(sum, *s.sum, nil)
	}
	return list
}

// lawfulSum reports whether OpenMetrics 1.0 allows the sum of a histogram.
func (s *seriesPlan) lawfulSum(typ string) bool {
	if typ == "gaugehistogram" {
		return *s.sum >= 0 || *s.sum < 0 && s.negative()
	}
	return *s.sum >= 0 && !s.negative()
}

// exemplar returns what is left of an exemplar: nothing if its type cannot have
// one or its labels are too long (OpenMetrics 1.0, "Exemplars").
func (f *familyPlan) exemplar(e *exemplarPlan, d dialect) *readExemplar {
	if e == nil || f.literal && !d.protobuf {
		return nil
	}
	labels, runes := d.labels(e.labels), 0
	for name, value := range labels {
		runes += utf8.RuneCountInString(name) + utf8.RuneCountInString(value)
	}
	if runes > 128 && !d.protobuf {
		return nil
	}
	return &readExemplar{labels: labels, value: e.value, at: e.at}
}

// spelled is how a bound or a quantile has to be written.
func spelled(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	}
	text := strconv.FormatFloat(v, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// seconds is the float64 nearest to the time in seconds.
func seconds(ns int64) float64 {
	v, _ := strconv.ParseFloat(strconv.FormatInt(ns, 10)+"e-9", 64) // an int64 always parses
	return v
}

// throughSeconds returns what the float64 nearest to the time in seconds is
// written as.
func throughSeconds(ns int64) int64 {
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(seconds(ns), 'f', -1, 64), ".")
	ns, _ = strconv.ParseInt(whole+(fraction + "000000000")[:9], 10, 64) // these are all digits
	return ns
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
