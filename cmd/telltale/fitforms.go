package main

import (
	"maps"
	"math"
	"slices"
	"strings"

	"telltale/model"
)

// foldCreated moves the times of gauges "x_created", which text pages have
// beside a counter, histogram or summary "x", to the points of x. A gauge with a
// time that belongs to no point stays.
func foldCreated(families []*model.Family, lost *losses) []*model.Family {
	places := map[string]int{} // indexes of families that can have created times, by the name of the gauge
	for i, f := range families {
		if f.Type.Parts()&model.PartCreated != 0 && !f.IsLiteral() {
			places[f.NameOf(model.PartCreated)] = i
		}
	}
	out := slices.Clone(families)
	for i, f := range families {
		place, ok := places[f.Name]
		if !ok || f.Type != model.Gauge && f.Type != model.Unknown {
			continue
		}
		if with := withCreated(out[place], f); with != nil {
			out[place], out[i] = with, nil
			lost.explain(families[place])
			lost.add("a family of created times becomes the created timestamps of the family that they are about", f, f.Name)
		}
	}
	return slices.DeleteFunc(out, func(f *model.Family) bool { return f == nil })
}

// withCreated returns a family with the times of the gauges, or nil if a time
// belongs to no point or to one that has a time already.
func withCreated(f, times *model.Family) *model.Family {
	created := map[string]model.Timestamp{}
	fits := len(times.Loose()) == 0
	eachPoint(times, func(p *model.Point) {
		at, ok := model.UnixSeconds(p.Value)
		key := seriesKey(p.Labels) + p.Timestamp.String()
		_, again := created[key]
		fits = fits && ok && !again && p.Exemplar == nil
		created[key] = at
	})
	if !fits {
		return nil
	}
	with := f.WithPoints(nil)
	eachPoint(f, func(p *model.Point) {
		c := p.Clone()
		key := seriesKey(p.Labels) + p.Timestamp.String()
		if at, ok := created[key]; ok && !p.Created.IsSet() {
			c.Created = at
			delete(created, key)
		}
		with.Append(c)
	})
	if len(created) > 0 {
		return nil
	}
	return with
}

// eachPoint calls do with each point of a family that was read from a page, whose
// source has no errors.
func eachPoint(f *model.Family, do func(p *model.Point)) {
	var scratch model.Point
	_ = f.Visit(&scratch, func(p *model.Point) error {
		do(p)
		return nil
	})
}

// seriesKey returns a key of labels that does not depend on their order.
func seriesKey(labels model.Labels) string { return writtenKey(model.AllowUTF8, labels) }

// writtenKey returns a key of labels as they are written under the scheme, in
// any order. The values of names that become equal are joined, as encoders do.
func writtenKey(scheme model.Escaping, lists ...model.Labels) string {
	if len(lists) == 1 && sortedAsWritten(scheme, lists[0]) { // the usual case
		return lists[0].Text() + "\n"
	}
	values := map[string]string{}
	for _, labels := range lists {
		for name, value := range labels.All() {
			name = scheme.LabelName(name)
			if before, ok := values[name]; ok {
				value = before + ";" + value
			}
			values[name] = value
		}
	}
	var key []byte
	for _, name := range slices.Sorted(maps.Keys(values)) {
		key = model.AppendLabel(key, name, values[name])
	}
	return string(append(key, '\n'))
}

// pointKey returns the same key for points of one series.
func pointKey(scheme model.Escaping, p *model.Point) string {
	if p.Info.IsEmpty() {
		return writtenKey(scheme, p.Labels)
	}
	return writtenKey(scheme, p.Labels, p.Info)
}

// sortedAsWritten reports whether labels are sorted by name and are written
// unchanged.
func sortedAsWritten(scheme model.Escaping, labels model.Labels) bool {
	before := ""
	for name := range labels.Raw() {
		if name <= before || name[0] == '"' || !scheme.Keeps() {
			return false
		}
		before = name
	}
	return true
}

// regrouped returns a family with the points of each series together, in the
// order of time, as OpenMetrics demands, and without repeated ones, whose number
// it returns. Series are compared by their labels as written.
func regrouped(f *model.Family, scheme model.Escaping) (ordered *model.Family, again int) {
	groups := map[string][]model.Point{}
	var order []string
	eachPoint(f, func(p *model.Point) {
		key := pointKey(scheme, p)
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], *p)
	})
	ordered = f.WithPoints(nil)
	for _, key := range order {
		points := groups[key]
		slices.SortStableFunc(points, func(a, b model.Point) int { return a.Timestamp.Compare(b.Timestamp) })
		for i, p := range points {
			if i > 0 && p.Timestamp == points[i-1].Timestamp {
				again++
				continue
			}
			ordered.Append(p)
		}
	}
	seen := map[string]bool{}
	if len(f.Loose()) == 0 {
		return ordered, again
	}
	for s := range ordered.WithLoose(nil).Samples() {
		seen[s.Name+writtenKey(scheme, s.Labels)+s.Timestamp.String()] = true
	}
	var loose []model.Sample
	for _, s := range f.Loose() {
		key := s.Name + writtenKey(scheme, s.Labels) + s.Timestamp.String()
		if seen[key] {
			again++
			continue
		}
		seen[key] = true
		loose = append(loose, s)
	}
	return ordered.WithLoose(loose), again
}

// newest returns a regrouped family with only the last point of each series, and
// the number of older ones.
func newest(f *model.Family, scheme model.Escaping) (single *model.Family, older int) {
	single = f.WithPoints(nil)
	var last model.Point
	key, some := "", false
	eachPoint(f, func(p *model.Point) {
		if k := pointKey(scheme, p); some && k == key {
			older++
		} else {
			if some {
				single.Append(last)
			}
			key, some = k, true
		}
		last = *p
	})
	if some {
		single.Append(last)
	}
	return single, older
}

// withInfinity returns a family whose histograms have the bucket +Inf if their
// count is known, and the number of histograms without any bucket.
func withInfinity(f *model.Family) (closed *model.Family, open int) {
	if f.Type != model.Histogram && f.Type != model.GaugeHistogram {
		return f, 0
	}
	infinity, _ := model.NewBounds([]float64{math.Inf(1)}) // one bound is always valid
	closed = f.WithPoints(nil)
	eachPoint(f, func(p *model.Point) {
		c := *p
		if p.Has&model.PartBucket == 0 && p.Has&(model.PartCount|model.PartGCount) != 0 {
			open++
			h := *p.Histogram
			h.Bounds, h.Cumulative = infinity, []float64{h.Count}
			c.Histogram, c.Has = &h, c.Has|model.PartBucket
		}
		closed.Append(c)
	})
	return closed, open
}

// untyped returns the samples of a family by name, each a family of unknown type.
// Native histograms are no samples.
func untyped(f *model.Family) []*model.Family {
	var all []*model.Family
	places := map[string]*model.Family{}
	for s := range f.Samples() {
		if s.NativeHistogram != nil || s.Name == "" {
			continue
		}
		one := places[s.Name]
		if one == nil {
			one = &model.Family{Name: s.Name, Help: f.Help, Type: model.Unknown}
			if strings.HasSuffix(s.Name, "_"+f.Unit) {
				one.Unit = f.Unit
			}
			places[s.Name] = one
			all = append(all, one)
		}
		one.Append(model.Point{Labels: s.Labels, Has: model.PartValue, Value: s.Value, Timestamp: s.Timestamp, Exemplar: s.Exemplar})
	}
	return all
}
