package model

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ValidName reports whether name can name a family, a sample or a label: not
// empty and valid UTF-8 (Prometheus 3 naming).
func ValidName(name string) bool { return name != "" && utf8.ValidString(name) }

// LegacyName reports whether a family's or sample's name follows the rule from
// before UTF-8 names, [a-zA-Z_:][a-zA-Z0-9_:]*. Such names are written without
// quotes.
func LegacyName(name string) bool { return legacy(name, true) }

// LegacyLabelName reports whether a label's name follows the rule from before
// UTF-8 names, [a-zA-Z_][a-zA-Z0-9_]*.
func LegacyLabelName(name string) bool { return legacy(name, false) }

func legacy(name string, colons bool) bool {
	for i := 0; i < len(name); i++ {
		if !legacyByte(name[i], i == 0, colons) {
			return false
		}
	}
	return name != ""
}

func legacyByte(c byte, first, colons bool) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
		return true
	case '0' <= c && c <= '9':
		return !first
	default:
		return c == ':' && colons
	}
}

// CheckName returns an error if name cannot name a family.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("model: a metric name is empty")
	case !utf8.ValidString(name):
		return fmt.Errorf("model: metric name %q is not valid UTF-8", name)
	}
	return nil
}

// CheckLabelNames returns an error if the names cannot label the series of a
// family of the given type and name: an empty name, one that is not UTF-8, one
// given twice, one beginning with an underscore (reserved by OpenMetrics,
// section "Label"), "le" on histograms, "quantile" on summaries, and a state
// set's own name. It also returns an error if an [Escaping] scheme makes two of
// them equal, such as "a.b" and "a_b", or one of them "__name__": different
// series would be equal on some pages.
func CheckLabelNames(family string, typ Type, names []string) error {
	for i, name := range names {
		var why string
		switch {
		case name == "":
			why = "is empty"
		case !utf8.ValidString(name):
			why = "is not valid UTF-8"
		case name[0] == '_':
			why = "is reserved: OpenMetrics keeps names that begin with an underscore"
		case name == "le" && (typ == Histogram || typ == GaugeHistogram),
			name == "quantile" && typ == Summary,
			name == family && typ == StateSet:
			why = fmt.Sprintf("is reserved on a %s", typ)
		default:
			for _, earlier := range names[:i] {
				if earlier == name {
					why = "is given twice"
				}
			}
		}
		if why != "" {
			return fmt.Errorf("model: label name %q of %s %q %s", name, typ, family, why)
		}
	}
	if typ == StateSet {
		names = append(names[:len(names):len(names)], family) // the label of its states
	}
	for i, name := range names {
		for scheme := Underscores; scheme <= Values; scheme++ {
			if why := escapedClash(scheme, name, i, names); why != "" {
				return fmt.Errorf("model: label name %q of %s %q %s under the escaping scheme %q", name, typ, family, why, scheme)
			}
		}
	}
	return nil
}

// escapedClash returns what is wrong with the i-th name under a scheme, or "".
// Names that the scheme keeps clash only with others.
func escapedClash(scheme Escaping, name string, i int, names []string) string {
	if scheme.Keeps() && LegacyLabelName(name) {
		return ""
	}
	escaped := scheme.LabelName(name)
	if escaped == "__name__" {
		return `becomes "__name__"`
	}
	for j, other := range names {
		if j != i && scheme.LabelName(other) == escaped {
			return fmt.Sprintf("becomes %q, as label name %q does,", escaped, other)
		}
	}
	return ""
}

// WithUnitSuffix returns name with the unit at its end: "_seconds" is added
// unless the name ends so already or is the unit itself. A counter's "_total"
// stays last.
func WithUnitSuffix(name, unit string, typ Type) string {
	if unit == "" {
		return name
	}
	base, total := name, ""
	if typ == Counter {
		if cut, ok := strings.CutSuffix(name, "_total"); ok && cut != "" {
			base, total = cut, "_total"
		}
	}
	if base != unit && !strings.HasSuffix(base, "_"+unit) {
		base += "_" + unit
	}
	return base + total
}

// CheckUnit returns an error if a family of this type cannot have the unit: an
// info or a state set has none, and a unit consists of characters that a metric
// name may have.
func CheckUnit(family string, typ Type, unit string) error {
	switch {
	case unit == "":
		return nil
	case typ == Info || typ == StateSet:
		return fmt.Errorf("model: %s %q cannot have a unit (%q)", typ, family, unit)
	case !utf8.ValidString(unit):
		return fmt.Errorf("model: unit %q of %q is not valid UTF-8", unit, family)
	case typ == Counter && unit == "total":
		return fmt.Errorf("model: counter %q cannot have the unit \"total\": it is the suffix of every counter", family)
	case strings.ContainsAny(unit, "\n "):
		return fmt.Errorf("model: unit %q of %q contains white space", unit, family)
	}
	return nil
}
