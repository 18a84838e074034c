package lint

import "strings"

// baseUnits are the units to use, and the words that stand for others of the
// same quantity (Prometheus documentation, "Metric and label naming", section
// "Base units").
var baseUnits = map[string][]string{
	"amperes": nil,
	"bytes":   {"bits"},
	"celsius": {"fahrenheit", "rankine"},
	"grams":   {"pounds", "ounces"},
	"joules":  {"calories"},
	"kelvin":  {"kelvins"}, // of colours, say
	"meters":  {"inches", "yards", "miles"},
	"metres":  nil,
	"seconds": {"minutes", "hours", "days", "weeks"},
	"volts":   nil,
}

// prefixes make other units of all those.
var prefixes = []string{
	"pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto",
	"kilo", "kibi", "mega", "mebi", "giga", "gibi", "tera", "tebi", "peta", "pebi",
}

// abbreviations are short forms of units, with the base unit that they stand
// for: "m" may be minutes or meters.
var abbreviations = map[string]string{
	"s": "seconds", "ms": "seconds", "us": "seconds", "ns": "seconds", "sec": "seconds", "h": "seconds", "d": "seconds",
	"b": "bytes", "kb": "bytes", "mb": "bytes", "gb": "bytes", "tb": "bytes", "pb": "bytes",
	"m": "",
}

// binaryBytes are short forms that no rule looks for.
var binaryBytes = []string{"kib", "mib", "gib", "tib", "pib"}

// percents are the words for shares of a hundred.
var percents = []string{"percent", "percentage", "pct"}

// settled are names that break a rule of this package's own and that all clients
// have: Go's package runtime/metrics gives the unit.
var settled = []string{"go_gc_gogc_percent"}

// plurals are the base units by their singular.
var plurals = map[string]string{
	"ampere": "amperes", "byte": "bytes", "gram": "grams", "joule": "joules",
	"meter": "meters", "metre": "metres", "second": "seconds", "volt": "volts",
}

// unitBases has the base unit of every word that stands for a unit without a
// prefix.
var unitBases = func() map[string]string {
	all := map[string]string{}
	for base, others := range baseUnits {
		all[base] = base
		for _, other := range others {
			all[other] = base
		}
	}
	return all
}()

// baseUnit returns the base unit of a word that stands for a unit.
func baseUnit(word string) (base string, known bool) {
	if base, known = unitBases[word]; known {
		return base, true
	}
	for _, prefix := range prefixes {
		if unit, cut := strings.CutPrefix(word, prefix); cut {
			if base, known = unitBases[unit]; known {
				return base, true
			}
		}
	}
	return "", false
}
