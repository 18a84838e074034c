package lint

import (
	"hash/maphash"
	"slices"
	"strings"
	"unicode"

	"telltale/model"
)

// view is what rules look at.
type view struct {
	*model.Family
	name     string   // of the family in text
	words    []string // of the name, in lower case
	labels   []string // all names, in the order in which they come
	repeated string   // labels that are there twice at one time
}

// look walks a family once.
func look(f *model.Family) *view {
	v := &view{Family: f, name: f.SampleName()}
	v.words = strings.Split(strings.ToLower(v.name), "_")
	names := map[string]bool{}
	seen := map[uint64]bool{}
	seed := maphash.MakeSeed()
	var scratch model.Point
	_ = f.Visit(&scratch, func(p *model.Point) error {
		hash := uint64(0)
		for _, labels := range []model.Labels{p.Labels, p.Info} {
			for name, value := range labels.Raw() { // alike in every order
				hash += maphash.String(seed, name+"="+value)
			}
			for name := range labels.All() {
				if !names[name] {
					names[name] = true
					v.labels = append(v.labels, name)
				}
			}
		}
		hash += maphash.String(seed, p.Timestamp.String())
		if seen[hash] && v.repeated == "" {
			v.repeated = p.Labels.Append(p.Info).String()
		}
		seen[hash] = true
		return nil
	})
	return v
}

type report func(format string, args ...any)

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
	if v.Help == "" {
		found("it has no help text")
	}
}

func checkBaseUnit(v *view, found report) {
	for _, word := range strings.Split(v.name, "_") {
		if base, known := baseUnit(word); known {
			if base != word {
				found("use %s instead of %s", base, word)
			}
			return // the first unit is the metric's
		}
	}
}

func checkCounterWithoutTotal(v *view, found report) {
	if v.Type == model.Counter && !strings.HasSuffix(v.name, "_total") {
		found(`a counter should be named "%s_total"`, v.name)
	}
}

func checkTotalWithoutCounter(v *view, found report) {
	if v.Type != model.Counter && v.Type != model.Unknown && strings.HasSuffix(v.name, "_total") {
		found(`a %s should not end in "_total"`, v.Type)
	}
}

func checkReservedSuffix(v *view, found report) {
	if v.Type == model.Unknown {
		return
	}
	for suffix, owners := range map[string][]model.Type{
		"_bucket": {model.Histogram, model.GaugeHistogram},
		"_count":  {model.Histogram, model.GaugeHistogram, model.Summary},
		"_sum":    {model.Histogram, model.GaugeHistogram, model.Summary},
	} {
		if strings.HasSuffix(v.name, suffix) && !slices.Contains(owners, v.Type) {
			found("a %s should not end in %q", v.Type, suffix)
		}
	}
}

func checkReservedLabel(v *view, found report) {
	if v.Type == model.Unknown {
		return
	}
	if slices.Contains(v.labels, "le") && v.Type != model.Histogram && v.Type != model.GaugeHistogram {
		found(`a %s should not have the label "le"`, v.Type)
	}
	if slices.Contains(v.labels, "quantile") && v.Type != model.Summary {
		found(`a %s should not have the label "quantile"`, v.Type)
	}
}

func checkTypeInName(v *view, found report) {
	switch v.Type {
	case model.Unknown, model.Info, model.StateSet: // an info ends in "_info"
		return
	}
	if slices.Contains(v.words[1:], v.Type.String()) {
		found("the name should not include the type %s", v.Type)
	}
}

func checkColon(v *view, found report) {
	if strings.Contains(v.name, ":") {
		found("the name should not have colons")
	}
}

func checkCamelCase(v *view, found report) {
	if isCamelCase(v.name) {
		found("the name should be in snake_case")
	}
}

func checkCamelCaseLabel(v *view, found report) {
	for _, name := range v.labels {
		if isCamelCase(name) {
			found("the label %q should be in snake_case", name)
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
	for _, word := range v.words[1:] {
		if slices.Contains(abbreviations, word) {
			found("the unit %q should be written out", word)
			return
		}
	}
}

func checkDuplicateSeries(v *view, found report) {
	if v.repeated != "" {
		found("the series %s is there more than once", v.repeated)
	}
}

func checkUnitSuffix(v *view, found report) {
	base := v.BaseName()
	if v.Unit != "" && base != v.Unit && !strings.HasSuffix(base, "_"+v.Unit) {
		found("the name should end in the unit, %s", v.Unit)
	}
}

func checkSingularUnit(v *view, found report) {
	words := v.words
	if n := len(words); n > 1 && words[n-1] == "total" {
		words = words[:n-1]
	}
	n := len(words)
	if n > 1 && words[n-2] == "per" {
		return
	}
	if plural, ok := plurals[words[n-1]]; ok && n > 1 {
		found("use %s instead of %s", plural, words[n-1])
	}
}

func checkPercent(v *view, found report) {
	for _, word := range v.words {
		if word == "percent" || word == "percentage" || word == "pct" {
			found("use a ratio from 0 to 1 instead of %s", word)
			return
		}
	}
}

func checkTotalNotLast(v *view, found report) {
	if i := slices.Index(v.words, "total"); i > 0 && i < len(v.words)-1 {
		found(`"total" should be the last word of the name`)
	}
}

func checkLabelInName(v *view, found report) {
	for _, name := range v.labels {
		by := "_by_" + strings.ToLower(name)
		lower := strings.ToLower(v.name)
		if strings.HasSuffix(lower, by) || strings.Contains(lower, by+"_") {
			found("the name should not say the label %q", name)
		}
	}
}

func checkPrivateLabel(v *view, found report) {
	for _, name := range v.labels {
		if strings.HasPrefix(name, "__") {
			found("the label %q should not begin with two underscores", name)
		}
	}
}

func checkQuotedName(v *view, found report) {
	if !model.LegacyName(v.name) {
		found("the name should have letters, digits and underscores alone%s", hint(v.name, model.Underscores.MetricName(v.name)))
	}
	for _, name := range v.labels {
		if !model.LegacyLabelName(name) {
			found("the label %q should have letters, digits and underscores alone%s", name, hint(name, model.Underscores.LabelName(name)))
		}
	}
}

// hint proposes another name where it says as much.
func hint(name, other string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
		return ""
	}
	return ", as in " + other
}
