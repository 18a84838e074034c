package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"telltale/model"
)

// compare finds families of the source that read back otherwise from the page that
// was written, although nothing was told of them. So a conversion without a loss is
// one that comes back whole.
func (l *losses) compare(source, written []*model.Family) {
	back := map[string]*model.Family{}
	for _, f := range written {
		back[f.SampleName()] = f
	}
	for _, f := range source {
		if l.told[f] {
			continue
		}
		if why := difference(f, back[f.SampleName()]); why != "" {
			l.add("a family reads back otherwise", f, f.Name+" ("+why+")")
		}
	}
}

// difference says what of a family another one lacks or has instead, or nothing. The
// order of series does not count.
func difference(f, back *model.Family) string {
	switch {
	case back == nil:
		return "it is not there"
	case f.Type != back.Type:
		return fmt.Sprintf("the type %s is %s", f.Type, back.Type)
	case f.Help != back.Help:
		return fmt.Sprintf("the help %.40q is %.40q", f.Help, back.Help)
	case f.Unit != back.Unit:
		return fmt.Sprintf("the unit %q is %q", f.Unit, back.Unit)
	}
	want, got := samplesOf(f), samplesOf(back)
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got) || i < len(want) && want[i] < got[i]:
			return "lost is " + want[i]
		case i >= len(want) || want[i] != got[i]:
			return "added is " + got[i]
		}
	}
	return ""
}

// samplesOf returns all samples of a family in words, sorted.
func samplesOf(f *model.Family) []string {
	var all []string
	for s := range f.Samples() {
		if f.Type.Parts()&model.PartCreated != 0 && s.Name == f.NameOf(model.PartCreated) {
			continue // which comes below, as exactly as it is known
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s{%s} %s", s.Name, inWords(s.Labels), exactly(s.Value))
		at(&b, s.Timestamp)
		exemplars(&b, s.Exemplar)
		if h := s.NativeHistogram; h != nil {
			plain := *h
			plain.Exemplars = nil
			fmt.Fprintf(&b, " %+v", plain)
			for i := range h.Exemplars {
				exemplars(&b, &h.Exemplars[i])
			}
		}
		all = append(all, b.String())
	}
	eachPoint(f, func(p *model.Point) {
		if p.Created.IsSet() {
			var b strings.Builder
			fmt.Fprintf(&b, "created{%s} %s", inWords(p.Labels), p.Created)
			at(&b, p.Timestamp)
			all = append(all, b.String())
		}
	})
	slices.Sort(all)
	return all
}

// inWords returns labels sorted by name.
func inWords(labels model.Labels) string { return strings.TrimSuffix(seriesKey(labels), "\n") }

// exactly spells a number such that -0 is another than 0, and NaN the same as NaN.
func exactly(v float64) string {
	if v == 0 && math.Signbit(v) {
		return "-0.0"
	}
	return model.FormatValue(v)
}

func at(b *strings.Builder, t model.Timestamp) {
	if t.IsSet() {
		fmt.Fprintf(b, " @%s", t)
	}
}

func exemplars(b *strings.Builder, x *model.Exemplar) {
	for ; x != nil; x = x.Older {
		fmt.Fprintf(b, " # {%s} %s", inWords(x.Labels), exactly(x.Value))
		at(b, x.Timestamp)
	}
}
