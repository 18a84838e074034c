package e2e

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// A reading is the content of a page, as a reader found it or as expected.
type reading []readFamily

type readFamily struct {
	name, typ, help, unit string
	samples               []readSample
}

type readSample struct {
	name     string
	labels   map[string]string
	value    float64
	recent   bool // expected: the value is a time in seconds, not long ago
	at       *moment
	exemplar *readExemplar
}

type readExemplar struct {
	labels map[string]string
	value  float64
	at     *moment
}

// comparison says how readings are compared.
type comparison struct {
	ordered bool      // families and samples come in the order of the page
	began   time.Time // what is recent is not before
}

// difference describes the first difference between what was wanted and what
// was found, "" if there is none.
func (c comparison) difference(want, got reading) string {
	if !c.ordered {
		want, got = sorted(want), sorted(got)
	}
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			return fmt.Sprintf("family %q is missing", want[i].name)
		case i >= len(want):
			return fmt.Sprintf("family %q was not expected: %s", got[i].name, got[i])
		}
		if d := c.family(want[i], got[i]); d != "" {
			return d
		}
	}
	return ""
}

func (c comparison) family(want, got readFamily) string {
	if want.name != got.name || want.typ != got.typ || want.help != got.help || want.unit != got.unit {
		return fmt.Sprintf("want family %s\n got family %s", want.header(), got.header())
	}
	for i := range max(len(want.samples), len(got.samples)) {
		switch {
		case i >= len(got.samples):
			return fmt.Sprintf("family %q: missing %s", want.name, want.samples[i])
		case i >= len(want.samples):
			return fmt.Sprintf("family %q: not expected: %s", want.name, got.samples[i])
		case !c.sameSample(want.samples[i], got.samples[i]):
			return fmt.Sprintf("family %q:\nwant %s\n got %s", want.name, want.samples[i], got.samples[i])
		}
	}
	return ""
}

func (c comparison) sameSample(want, got readSample) bool {
	if want.recent {
		if !c.isRecent(int64(got.value * 1e9)) {
			return false
		}
	} else if !sameNumber(want.value, got.value) {
		return false
	}
	return want.name == got.name && maps.Equal(want.labels, got.labels) &&
		c.sameMoment(want.at, got.at) && c.sameExemplar(want.exemplar, got.exemplar)
}

func (c comparison) sameExemplar(want, got *readExemplar) bool {
	if want == nil || got == nil {
		return want == got
	}
	return maps.Equal(want.labels, got.labels) && sameNumber(want.value, got.value) && c.sameMoment(want.at, got.at)
}

func (c comparison) sameMoment(want, got *moment) bool {
	if want == nil || got == nil {
		return want == got
	}
	if want.recent {
		return c.isRecent(got.ns)
	}
	return want.ns == got.ns
}

// isRecent allows for rounding to milliseconds and to float64.
func (c comparison) isRecent(ns int64) bool {
	const slack = 2 * time.Millisecond
	return ns >= c.began.Add(-slack).UnixNano() && ns <= time.Now().Add(slack).UnixNano()
}

// nanoseconds returns a time that is given in parts of a second; one too far
// away for a moment becomes the last whole second, or the first, that is not.
func nanoseconds(time, parts int64) int64 {
	const end = math.MaxInt64 / 1_000_000_000
	switch second := time / parts; {
	case second >= end:
		return end * 1e9
	case second <= -end:
		return -end * 1e9
	}
	return time * (1e9 / parts)
}

// sameNumber distinguishes -0 from 0 and treats all NaNs as equal.
func sameNumber(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Float64bits(a) == math.Float64bits(b)
}

func sorted(r reading) reading {
	r = slices.Clone(r)
	for i := range r {
		r[i].samples = slices.SortedStableFunc(slices.Values(r[i].samples), func(a, b readSample) int {
			return strings.Compare(a.key(), b.key())
		})
	}
	slices.SortStableFunc(r, func(a, b readFamily) int { return strings.Compare(a.name, b.name) })
	return r
}

func (s readSample) key() string { return fmt.Sprintf("%q %s", s.name, labelText(s.labels)) }

func labelText(labels map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&b, "%q=%q ", name, labels[name])
	}
	return "{" + strings.TrimSuffix(b.String(), " ") + "}"
}

func (f readFamily) header() string {
	return fmt.Sprintf("%q type %s help %q unit %q", f.name, f.typ, f.help, f.unit)
}

func (f readFamily) String() string {
	var b strings.Builder
	b.WriteString(f.header())
	for _, s := range f.samples {
		fmt.Fprintf(&b, "\n  %s", s)
	}
	return b.String()
}

func (s readSample) String() string {
	text := fmt.Sprintf("%q %s %v", s.name, labelText(s.labels), s.value)
	if s.recent {
		text = fmt.Sprintf("%q %s (recently)", s.name, labelText(s.labels))
	}
	if s.at != nil {
		text += " at " + s.at.String()
	}
	if e := s.exemplar; e != nil {
		text += fmt.Sprintf(" # %s %v", labelText(e.labels), e.value)
		if e.at != nil {
			text += " at " + e.at.String()
		}
	}
	return text
}

func (m moment) String() string {
	if m.recent {
		return "(recently)"
	}
	return fmt.Sprintf("%d ns", m.ns)
}
