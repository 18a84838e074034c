package lint

import "fmt"

// Rule is one thing that [Lint] looks for.
type Rule uint8

// The rules. The first twelve are those of Prometheus's own linter, promlint.
const (
	Help                Rule = iota // no help text
	BaseUnit                        // a unit that is none of the base units
	CounterWithoutTotal             // a counter not named "_total"
	TotalWithoutCounter             // another type named "_total"
	ReservedSuffix                  // a name with a suffix of another type's samples
	ReservedLabel                   // a label that belongs to another type
	TypeInName                      // a name that says the type
	Colon                           // a name with a colon
	CamelCase                       // a name in camelCase
	CamelCaseLabel                  // a label in camelCase
	AbbreviatedUnit                 // a unit that is not written out
	DuplicateSeries                 // a series that is on the page twice
	UnitSuffix                      // a unit that the name does not end in
	SingularUnit                    // a unit in the singular
	Percent                         // a percentage
	TotalNotLast                    // "_total" within a name
	LabelInName                     // a name that says a label
	PrivateLabel                    // a label that belongs to Prometheus
	QuotedName                      // a name or label that has to be quoted
	numRules
)

var rules = [numRules]struct{ name, explanation string }{
	Help:                {"help", "Every metric says in its help text what it is."},
	BaseUnit:            {"base-unit", "Units are base units, such as seconds and bytes, so that metrics can be compared and calculated with."},
	CounterWithoutTotal: {"counter-without-total", `Counters end in "_total", as OpenMetrics demands.`},
	TotalWithoutCounter: {"total-without-counter", `What ends in "_total" is taken for a counter.`},
	ReservedSuffix:      {"reserved-suffix", `"_bucket", "_count" and "_sum" belong to the samples of histograms and summaries.`},
	ReservedLabel:       {"reserved-label", `The label "le" belongs to histograms, "quantile" to summaries.`},
	TypeInName:          {"type-in-name", "A name does not repeat the type, which is known and may change."},
	Colon:               {"colon", "Colons are for the names that recording rules give."},
	CamelCase:           {"camel-case", "Names are in snake_case."},
	CamelCaseLabel:      {"camel-case-label", "Label names are in snake_case."},
	AbbreviatedUnit:     {"abbreviated-unit", "Units are written out."},
	DuplicateSeries:     {"duplicate-series", "A series is there once at a time."},
	UnitSuffix:          {"unit-suffix", "A name ends in the metric's unit, as OpenMetrics demands."},
	SingularUnit:        {"singular-unit", "Units are in the plural."},
	Percent:             {"percent", "Shares are ratios from 0 to 1."},
	TotalNotLast:        {"total-not-last", `"_total" is the last word of a name, behind the unit.`},
	LabelInName:         {"label-in-name", "A name does not repeat a label: it would be wrong once the label is aggregated away."},
	PrivateLabel:        {"private-label", `Labels that begin with "__" belong to Prometheus.`},
	QuotedName:          {"quoted-name", "Names of letters, digits and underscores need no quotes in queries."},
}

// Rules returns all rules.
func Rules() []Rule {
	all := make([]Rule, numRules)
	for i := range all {
		all[i] = Rule(i)
	}
	return all
}

// String returns the rule's name, in words with hyphens between.
func (r Rule) String() string {
	if r < numRules {
		return rules[r].name
	}
	return fmt.Sprintf("Rule(%d)", uint8(r))
}

// Explanation returns a sentence that says what the rule asks for.
func (r Rule) Explanation() string {
	if r < numRules {
		return rules[r].explanation
	}
	return ""
}

// ParseRule returns the rule with the name, or an error if there is none.
func ParseRule(name string) (Rule, error) {
	for r, known := range rules {
		if known.name == name {
			return Rule(r), nil
		}
	}
	return 0, fmt.Errorf("lint: no rule is named %q", name)
}
