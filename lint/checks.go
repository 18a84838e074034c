package lint

import (
	"slices"
	"strings"

	"telltale/model"
)

// report takes a finding about the metric, or about a label of it.
type report func(label, format string, args ...any)

var checks = [numRules]func(v *view, found report){
	Help:                checkHelp,
	BaseUnit:            checkBaseUnit,
	CounterWithoutTotal: checkCounterWithoutTotal,
	TotalWithoutCounter: checkTotalWithoutCounter,
	ReservedSuffix:      checkReservedSuffix,
	ReservedLabel:       checkReservedLabel,
	TypeInName:          checkTypeInName,
	Colon:               checkColon,
	CamelCase:           checkCamelCase,
	CamelCaseLabel:      checkCamelCaseLabel,
	AbbreviatedUnit:     checkAbbreviatedUnit,
	DuplicateSeries:     checkDuplicateSeries,
	UnitSuffix:          checkUnitSuffix,
	SingularUnit:        checkSingularUnit,
	Percent:             checkPercent,
	TotalNotLast:        checkTotalNotLast,
	LabelInName:         checkLabelInName,
	PrivateLabel:        checkPrivateLabel,
	QuotedName:          checkQuotedName,
}

func checkHelp(v *view, found report) {
	if v.help == "" {
		found("", "it has no help text")
	}
}

func checkBaseUnit(v *view, found report) {
	for _, word := range strings.Split(v.name, "_") {
		if base, known := baseUnit(word); known {
			if base != word {
				found("", "use %s instead of %s", base, word)
			}
			return // the first unit is the metric's
		}
	}
}

func checkCounterWithoutTotal(v *view, found report) {
	if v.typ == model.Counter && !strings.HasSuffix(v.name, "_total") {
		found("", `a counter should end in "_total"`)
	}
}

func checkTotalWithoutCounter(v *view, found report) {
	if v.typ != model.Counter && v.typ != model.Unknown && strings.HasSuffix(v.name, "_total") {
		found("", `a %s should not end in "_total"`, v.typ)
	}
}

func checkReservedSuffix(v *view, found report) {
	for _, suffix := range foreignSuffixes(v.typ) {
		if suffix != "_total" && strings.HasSuffix(v.name, suffix) { // TotalWithoutCounter is about that one
			found("", "a %s should not end in %q", v.typ, suffix)
		}
	}
}

func checkReservedLabel(v *view, found report) {
	if v.typ == model.Unknown {
		return
	}
	if slices.Contains(v.labels, "le") && v.typ != model.Histogram && v.typ != model.GaugeHistogram {
		found("", `a %s should not have the label "le"`, v.typ)
	}
	if slices.Contains(v.labels, "quantile") && v.typ != model.Summary {
		found("", `a %s should not have the label "quantile"`, v.typ)
	}
}

func checkTypeInName(v *view, found report) {
	switch v.typ {
	case model.Unknown, model.Info, model.StateSet: // an info ends in "_info"
		return
	}
	if slices.Contains(v.words()[1:], v.typ.String()) {
		found("", "the name should not include the type %s", v.typ)
	}
}

func checkColon(v *view, found report) {
	if strings.Contains(v.name, ":") {
		found("", "the name should not have colons")
	}
}

func checkCamelCase(v *view, found report) {
	if isCamelCase(v.name) {
		found("", "the name should be in snake_case")
	}
}

func checkCamelCaseLabel(v *view, found report) {
	for _, name := range v.labels {
		if isCamelCase(name) {
			found(name, "the label %q should be in snake_case", name)
		}
	}
}

// isCamelCase reports whether a small letter stands before a capital.
func isCamelCase(name string) bool {
	for i := 1; i < len(name); i++ {
		if a, b := name[i-1], name[i]; 'a' <= a && a <= 'z' && 'A' <= b && b <= 'Z' {
			return true
		}
	}
	return false
}

func checkAbbreviatedUnit(v *view, found report) {
	for _, word := range v.words()[1:] {
		if _, short := abbreviations[word]; short {
			found("", "the unit %q should be written out", word)
			return
		}
	}
}

func checkDuplicateSeries(v *view, found report) {
	if v.repeated != "" {
		found("", "the series %s is there more than once", v.repeated)
	}
}

func checkUnitSuffix(v *view, found report) {
	base := v.base()
	if v.unit != "" && base != v.unit && !strings.HasSuffix(base, "_"+v.unit) {
		found("", "the name should end in the unit, %s", v.unit)
	}
}

func checkSingularUnit(v *view, found report) {
	words := v.words()
	if n := len(words); n > 1 && words[n-1] == "total" {
		words = words[:n-1]
	}
	n := len(words)
	if n > 1 && words[n-2] == "per" {
		return
	}
	if plural, ok := plurals[words[n-1]]; ok && n > 1 {
		found("", "use %s instead of %s", plural, words[n-1])
	}
}

func checkPercent(v *view, found report) {
	if slices.Contains(settled, v.name) {
		return
	}
	for _, word := range v.words() {
		if slices.Contains(percents, word) {
			found("", "use a ratio from 0 to 1 instead of %s", word)
			return
		}
	}
}

func checkTotalNotLast(v *view, found report) {
	words := v.words()
	if i := slices.Index(words, "total"); v.typ == model.Counter && i > 0 && i < len(words)-1 {
		found("", `"total" should be the last word of the name`)
	}
}

func checkLabelInName(v *view, found report) {
	for _, name := range v.labels {
		by := "_by_" + strings.ToLower(name)
		lower := strings.ToLower(v.name)
		if strings.HasSuffix(lower, by) || strings.Contains(lower, by+"_") {
			found("", "the name should not say the label %q", name)
		}
	}
}

func checkPrivateLabel(v *view, found report) {
	for _, name := range v.labels {
		if strings.HasPrefix(name, "__") {
			found(name, "the label %q should not begin with two underscores", name)
		}
	}
}

func checkQuotedName(v *view, found report) {
	if !model.LegacyName(v.name) {
		found("", "the name should have letters, digits and underscores alone")
	}
	for _, name := range v.labels {
		if !model.LegacyLabelName(name) {
			found(name, "the label %q should have letters, digits and underscores alone", name)
		}
	}
}
