package lines

import (
	"telltale/internal/hash"
	"telltale/model"
)

// distinct finds series of a family that an escaping scheme prints with the labels of
// another one: {"a.b"="1"} and {a_b="1"}. Only families whose series have different label
// names can have such series, or whose labels are joined, and only they take memory for
// each series.
type distinct struct {
	look  func(*model.Point) error // bound once
	names []byte                   // of the first series, as in the text of labels
	ends  []int                    // of each name in names
	first bool                     // that one is still to come
	odd   bool                     // a name is not a legacy name
	mixed bool                     // series have different names, or names become one

	seen map[uint64]uint64 // hash of a series as it is printed, to that of the series itself
	text []byte
}

// mayMix walks a family of which it is not known whether all label names are legacy names,
// and reports whether two of its series may be printed as one.
func (n *names) mayMix(f *model.Family, scratch *model.Point) bool {
	d := &n.distinct
	if d.look == nil {
		d.look = n.lookAt
	}
	d.first, d.odd, d.mixed = true, false, false
	_ = f.Visit(scratch, d.look) // the source returns its error again
	loose := f.Loose()
	for i := range loose {
		*scratch = model.Point{Labels: loose[i].Labels}
		_ = d.look(scratch)
	}
	return d.odd && d.mixed
}

// looseLegacy reports whether the labels of samples that fit no point have legacy names.
func looseLegacy(samples []model.Sample) bool {
	for i := range samples {
		if hasQuotedName(samples[i].Labels.Text()) {
			return false
		}
	}
	return true
}

// lookAt looks at the names of a series.
func (n *names) lookAt(pt *model.Point) error {
	d := &n.distinct
	d.odd = d.odd || hasQuotedName(pt.Labels.Text()) || hasQuotedName(pt.Info.Text())
	if d.first {
		d.first, d.names, d.ends = false, d.names[:0], d.ends[:0]
		for _, l := range [...]model.Labels{pt.Labels, pt.Info} {
			for name := range l.Raw() {
				d.names = append(d.names, name...)
				d.ends = append(d.ends, len(d.names))
			}
		}
		joined := n.joined
		n.joined = false
		d.text = n.appendRewritten(d.text[:0], pt.Labels.Text(), pt.Info.Text())
		d.mixed, n.joined = n.joined, joined
	} else if !d.mixed {
		d.mixed = !d.hasNames(pt.Labels, pt.Info)
	}
	if d.odd && d.mixed {
		return errFirst
	}
	return nil
}

// hasNames reports whether labels have the names of the first series.
func (d *distinct) hasNames(labels, info model.Labels) bool {
	i, start := 0, 0
	for _, l := range [...]model.Labels{labels, info} {
		for name := range l.Raw() {
			if i == len(d.ends) || string(d.names[start:d.ends[i]]) != name {
				return false
			}
			i, start = i+1, d.ends[i]
		}
	}
	return i == len(d.ends)
}

// mostSeen is how many series the memory for them is kept for from family to family.
const mostSeen = 4096

// begin begins a walk of a family that mixes names.
func (d *distinct) begin() {
	if len(d.seen) > mostSeen || d.seen == nil {
		d.seen = make(map[uint64]uint64)
	}
	clear(d.seen)
}

// repeats reports whether the series of a point is printed as another one was in this
// walk. A further point of the same series is no repetition.
func (n *names) repeats(pt *model.Point) bool { return n.repeatsUnder(0, pt) }

// repeatsLoose is repeats for a sample that fits no point of the family, whose name has the
// given hash. It may have the name that points of one sample have.
func (n *names) repeatsLoose(f *model.Family, s *model.Sample, under uint64, owned bool) bool {
	switch f.Type {
	case model.Unknown, model.Gauge, model.Counter, model.Info:
		if owned {
			under = 0
		}
	}
	return n.repeatsUnder(under, &model.Point{Labels: s.Labels, Timestamp: s.Timestamp})
}

// repeatsUnder is repeats for a series with another name than those of points, which have
// 0; it is given by its hash.
func (n *names) repeatsUnder(name uint64, pt *model.Point) bool {
	d := &n.distinct
	d.text = n.appendRewritten(d.text[:0], pt.Labels.Text(), pt.Info.Text())
	sec, rest := pt.Timestamp.Key()
	printed := hash.Fold(hash.Fold(hashLabels(view(d.text))+name, sec^hash.Keys[1]), rest^hash.Keys[0])
	series := hashLabels(pt.Labels.Text()) + hashLabels(pt.Info.Text())
	before, seen := d.seen[printed]
	if !seen {
		d.seen[printed] = series
	}
	return seen && before != series
}

// hashLabels returns a hash of label text that does not depend on the order of the labels.
func hashLabels(text string) (h uint64) {
	for name, value := range model.LabelsFromText(text).Raw() {
		h += hash.String(hash.String(hash.Keys[0], name), value)
	}
	return h
}
