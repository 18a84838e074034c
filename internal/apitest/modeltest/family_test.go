package modeltest

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func newSeries(f *definition, values []string) *series {
	return &series{of: f, values: values, info: map[string]string{}, state: states[0], exemplar: make(map[int]*exemplar)}
}

// clean returns the label values as a page shows them, and counts invalid UTF-8.
func (f *definition) clean(values []string) []string {
	cleaned := slices.Clone(values)
	for i, v := range cleaned {
		cleaned[i] = f.cleanOne(i, v)
	}
	return cleaned
}

// cleanOne is clean for the i-th label.
func (f *definition) cleanOne(i int, v string) string {
	switch {
	case i < len(f.sets) && f.sets[i] != nil && !slices.Contains(f.sets[i], v):
		return "other"
	case !utf8.ValidString(v):
		f.misuse("invalid_utf8")
		return strings.ToValidUTF8(v, "\uFFFD")
	}
	return v
}

// takes reports whether a program can pass the values to the family that a
// script calls name: any number of them to a Vec, but not to an instrument
// without labels, nor to the family that Replace of a typed one fills in.
func (f *definition) takes(name string, values []string) bool {
	return len(values) == len(f.labels) || len(f.labels) > 0 && name != "next"
}

func (f *definition) misuse(reason string) {
	if f.account != nil {
		f.account.faults.add(reason, 1, 1)
	}
}

func (f *family) find(values []string) (i int) {
	return slices.IndexFunc(f.series, func(s *series) bool { return slices.Equal(s.values, values) })
}

// with returns the series with the values, or nil if their number is wrong.
func (f *family) with(values []string) *series {
	if len(values) != len(f.labels) {
		f.misuse("arity")
		return nil
	}
	values = f.clean(values)
	if i := f.find(values); i >= 0 {
		return f.series[i]
	}
	if f.whole == f && !isOverflow(values) && f.full() {
		f.misuse("series_limit")
		f.refusals++
		if !slices.Contains([]string{"counter", "histogram", "summary"}, kinds[f.kind]) {
			return f.apart()
		}
		values = slices.Repeat([]string{"overflow"}, len(f.labels))
		if i := f.find(values); i >= 0 {
			return f.series[i]
		}
	}
	return f.create(values)
}

// populate makes the series of all declared values. It reports false if some label has
// none, or there are more series than the limit allows.
func (f *family) populate() bool {
	rows := [][]string{nil}
	for i := range f.labels {
		if f.sets[i] == nil {
			return false
		}
		var longer [][]string
		for _, row := range rows {
			for _, v := range append(slices.Clone(f.sets[i]), "other") {
				longer = append(longer, append(slices.Clone(row), v))
			}
		}
		rows = longer
	}
	if f.limit > 0 && len(rows) > f.limit {
		return false
	}
	for _, row := range rows {
		f.create(row)
	}
	return true
}

// create makes a series whatever the limits.
func (f *family) create(values []string) *series {
	s := newSeries(f.definition, values)
	f.series = append(f.series, s)
	return s
}

func isOverflow(values []string) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return v != "overflow" })
}

// full reports whether there is no room for a series more.
func (f *family) full() bool {
	if f.limit > 0 && f.limited() >= f.limit {
		return true
	}
	if f.home == nil || f.home.total == 0 {
		return false
	}
	total, there := 0, false
	for _, e := range f.home.entries {
		if of, ok := e.of.(*family); ok && of.home == f.home {
			total += of.limited()
			there = there || of == f
		}
	}
	return there && total >= f.home.total
}

// limited returns how many series limits count.
func (f *family) limited() (n int) {
	for _, s := range f.series {
		if len(f.labels) == 0 || !isOverflow(s.values) {
			n++
		}
	}
	return n
}

// change removes or creates series.
func (f *family) change(o op) string {
	switch o.verb {
	case "remove":
		if len(o.plain(1)) != len(f.labels) {
			f.misuse("arity")
			return "false"
		}
		i := f.find(f.clean(o.plain(1)))
		if i >= 0 {
			f.series = slices.Delete(f.series, i, i+1)
		}
		return strconv.FormatBool(i >= 0)
	case "match":
		labels := make(map[string]string)
		for i, name := range []string{"a", "b"} {
			if o.has(name) {
				if i >= len(f.labels) {
					f.misuse("unknown_label")
					return "0"
				}
				labels[name] = f.cleanOne(i, o.opt(name))
			}
		}
		before := len(f.series)
		if len(labels) > 0 {
			f.series = slices.DeleteFunc(slices.Clone(f.series), func(s *series) bool {
				for i, name := range f.labels {
					if want, asked := labels[name]; asked && s.values[i] != want {
						return false
					}
				}
				return true
			})
		}
		return strconv.Itoa(before - len(f.series))
	case "clear":
		f.series = nil
	case "init":
		if len(o.plain(1)) != len(f.labels) {
			return refused
		}
		if values := f.clean(o.plain(1)); f.find(values) < 0 {
			f.create(values)
		}
	case "fill":
		for _, values := range o.rows(len(f.labels)) {
			f.with(values)
		}
	case "drain":
		before := len(f.series)
		for _, values := range o.rows(len(f.labels)) {
			if i := f.find(f.clean(values)); i >= 0 {
				f.series = slices.Delete(f.series, i, i+1)
			}
		}
		return strconv.Itoa(before - len(f.series))
	case "len":
		return strconv.Itoa(len(f.series))
	}
	return fine
}

// rows are the label values of the series that a fill creates or a drain removes, one
// by one: of n series each step-th, with its number in the first label, perhaps
// from the last back to the first.
func (o op) rows(labels int) (rows [][]string) {
	for i := 0; i < int(o.number("n")); i += max(1, int(o.number("step"))) {
		values := make([]string, labels)
		for l := range values {
			values[l] = "x"
		}
		values[0] = o.opt("prefix") + strconv.Itoa(i)
		rows = append(rows, values)
	}
	if o.has("back") {
		slices.Reverse(rows)
	}
	return rows
}

// apart returns the series that is on no page.
func (f *family) apart() *series {
	if f.detached == nil {
		f.detached = newSeries(f.definition, nil)
	}
	return f.detached
}

// begin returns the family for Replace to fill in.
func (f *family) begin() *family { return &family{definition: f.definition} }

// finish replaces all series by those that were filled in.
func (f *family) finish(next *family) { f.series, next.series = next.series, nil }
