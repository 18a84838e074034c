package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"telltale/model"
)

// compare finds families of the source that differ when the written page is
// read, although no loss of them was reported. So a conversion without a
// reported loss is complete.
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

// difference describes what of a family another one lacks or changes, or returns
// "". The order of series does not matter.
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
	var line []byte
	for s := range f.Samples() {
		if isCreated(f, &s) {
			continue // added below with all known digits
		}
		line = append(append(line[:0], s.Name...), '{')
		line = append(append(line, inWords(s.Labels)...), '}', ' ')
		line = appendAt(appendExactly(line, s.Value), s.Timestamp)
		line = appendExemplars(line, s.Exemplar)
		if h := s.NativeHistogram; h != nil {
			plain := *h
			plain.Exemplars = nil
			line = fmt.Appendf(line, " %+v", plain)
			for i := range h.Exemplars {
				line = appendExemplars(line, &h.Exemplars[i])
			}
		}
		all = append(all, string(line))
	}
	eachPoint(f, func(p *model.Point) {
		if p.Created.IsSet() {
			line = append(append(line[:0], "created{"...), inWords(p.Labels)...)
			line = p.Created.AppendSeconds(append(line, '}', ' '))
			all = append(all, string(appendAt(line, p.Timestamp)))
		}
	})
	slices.Sort(all)
	return all
}

// isCreated reports whether a sample of the family is a created timestamp.
func isCreated(f *model.Family, s *model.Sample) bool {
	return f.Type.Parts()&model.PartCreated != 0 && s.Name == f.NameOf(model.PartCreated)
}

// inWords returns labels sorted by name.
func inWords(labels model.Labels) string { return strings.TrimSuffix(seriesKey(labels), "\n") }

// appendExactly appends a number such that -0 and 0 differ and all NaNs are
// equal.
func appendExactly(dst []byte, v float64) []byte {
	if v == 0 && math.Signbit(v) {
		return append(dst, "-0.0"...)
	}
	return model.AppendValue(dst, v)
}

func appendAt(dst []byte, t model.Timestamp) []byte {
	if t.IsSet() {
		dst = t.AppendSeconds(append(dst, " @"...))
	}
	return dst
}

func appendExemplars(dst []byte, x *model.Exemplar) []byte {
	for x := range x.All() {
		dst = append(append(append(dst, " # {"...), inWords(x.Labels)...), '}', ' ')
		dst = appendAt(appendExactly(dst, x.Value), x.Timestamp)
	}
	return dst
}
