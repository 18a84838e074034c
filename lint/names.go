package lint

import (
	"slices"
	"strings"

	"telltale/model"
)

// rounds is the number of times that the rules are applied to a name: the change
// for one rule may break another.
const rounds = 10

// renamed returns the view with a name and a unit that pass all rules that have
// a right form, and whether the name differs.
func (v *view) renamed() (*view, bool) {
	w := *v
	for range rounds {
		before := w.name
		w.rename()
		if w.name == before {
			break
		}
	}
	return &w, w.name != v.name && model.LegacyName(w.name)
}

// rename does what the rules ask for, once.
func (v *view) rename() {
	name := model.Underscores.MetricName(v.name)
	if !isASCII(v.name) {
		return // the spelling is ambiguous
	}
	words := strings.Split(strings.ReplaceAll(name, ":", "_"), "_")
	for i, word := range words {
		if slices.Contains(binaryBytes, strings.ToLower(word)) { // "KiB" is no camel
			words[i] = "bytes"
		}
	}
	words = strings.Split(snake(strings.Join(words, "_")), "_")
	words = v.withoutLabels(words)
	words = v.withoutTypes(words)
	baseUnits := rightUnits(words[1:])
	words = append(words[:1:1], baseUnits...)
	if base, known := baseUnit(words[0]); known {
		words[0] = base
	}
	words[0] = rightShare(words[0])
	v.name = strings.Join(words, "_")
	v.unit = v.rightUnit()
	v.suffix()
}

// suffix puts unit and "_total" at the end, and removes suffixes of other types.
func (v *view) suffix() {
	words := strings.Split(v.name, "_")
	if v.typ == model.Counter {
		words = append(words[:1:1], slices.DeleteFunc(words[1:], func(word string) bool { return strings.EqualFold(word, "total") })...)
	}
	name := strings.Join(words, "_")
	if v.typ == model.Info {
		name = strings.TrimSuffix(name, "_info")
	}
	for _, suffix := range foreignSuffixes(v.typ) {
		name = strings.TrimSuffix(name, suffix)
	}
	if v.unit != "" && name != v.unit && !strings.HasSuffix(name, "_"+v.unit) {
		name += "_" + v.unit
	}
	switch v.typ {
	case model.Counter:
		name += "_total"
	case model.Info:
		name += "_info"
	}
	v.name = name
}

// foreignSuffixes are those that a metric of the type should not end in.
func foreignSuffixes(t model.Type) []string {
	switch t {
	case model.Unknown:
		return nil
	case model.Counter:
		return []string{"_bucket", "_count", "_sum"}
	case model.Histogram, model.GaugeHistogram:
		return []string{"_total"}
	case model.Summary:
		return []string{"_total", "_bucket"}
	}
	return []string{"_total", "_bucket", "_count", "_sum"}
}

// withoutLabels removes "by" and the names of labels.
func (v *view) withoutLabels(words []string) []string {
	for _, label := range v.labels {
		for _, name := range []string{label, rightLabel(label)} {
			by := append([]string{"by"}, strings.Split(strings.ToLower(name), "_")...)
			for i := 1; i+len(by) <= len(words); i++ {
				if slices.EqualFunc(words[i:i+len(by)], by, strings.EqualFold) {
					words = slices.Delete(slices.Clone(words), i, i+len(by))
				}
			}
		}
	}
	return words
}

func (v *view) withoutTypes(words []string) []string {
	if isTypeless(v.typ) {
		return words
	}
	return append(words[:1:1], slices.DeleteFunc(words[1:], func(word string) bool { return strings.EqualFold(word, v.typ.String()) })...)
}

// isTypeless reports whether a metric of the type may have any type in its name:
// an info ends in "_info".
func isTypeless(t model.Type) bool {
	return t == model.Unknown || t == model.Info || t == model.StateSet
}

// rightUnits writes units out, and puts them in base units and in the plural.
func rightUnits(words []string) []string {
	right := slices.Clone(words)
	for i, word := range right {
		if base := abbreviations[strings.ToLower(word)]; base != "" {
			right[i] = base
		}
		right[i] = rightShare(right[i])
	}
	if i := slices.IndexFunc(right, func(word string) bool { _, known := baseUnit(word); return known }); i >= 0 {
		right[i], _ = baseUnit(right[i])
	}
	last := len(right) - 1
	if last > 0 && strings.EqualFold(right[last], "total") {
		last--
	}
	if last >= 0 && (last == 0 || !strings.EqualFold(right[last-1], "per")) {
		if plural, singular := plurals[strings.ToLower(right[last])]; singular {
			right[last] = plural
		}
	}
	return right
}

func rightShare(word string) string {
	if slices.Contains(percents, strings.ToLower(word)) {
		return "ratio"
	}
	return word
}

// rightUnit returns the unit that the metric should have, which its name ends in.
func (v *view) rightUnit() string {
	if v.unit == "" {
		return ""
	}
	words := rightUnits(strings.Split(snake(model.Underscores.MetricName(v.unit)), "_"))
	if base, known := baseUnit(words[0]); known {
		words[0] = base
	}
	unit := strings.Join(v.withoutTypes(append([]string{""}, words...))[1:], "_")
	if !isASCII(v.unit) || !model.LegacyName("_"+unit) {
		return ""
	}
	for _, suffix := range append(foreignSuffixes(v.typ), "_total") {
		if strings.HasSuffix("_"+unit, suffix) {
			return "" // no name can end in it
		}
	}
	return unit
}

// snake returns a name in camelCase in snake_case.
func snake(name string) string {
	if !isCamelCase(name) {
		return name
	}
	var out strings.Builder
	for i := range len(name) {
		if i > 0 && isCamelCase(name[i-1:i+1]) {
			out.WriteByte('_')
		}
		out.WriteByte(name[i])
	}
	return strings.ToLower(out.String())
}

// rightLabel returns a label's name in the form that the rules ask for.
func rightLabel(name string) string {
	if !isASCII(name) {
		return name
	}
	name = strings.TrimLeft(snake(model.Underscores.LabelName(name)), "_")
	if !model.LegacyLabelName(name) {
		name = "_" + name
	}
	return name
}

// relabeled returns the view with one label in the right form, and whether that
// is another name, which no other label of the metric has.
func (v *view) relabeled(label string) (*view, bool) {
	w := *v
	right := rightLabel(label)
	if right == label || slices.Contains(v.labels, right) || !model.LegacyLabelName(right) {
		return v, false
	}
	w.labels = slices.Clone(v.labels)
	w.labels[slices.Index(w.labels, label)] = right
	return &w, true
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' })
}
