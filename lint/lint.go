package lint

import (
	"fmt"

	"telltale/model"
)

// Finding is something that a rule has found.
type Finding struct {
	Metric  string // the family's name, as the text format has it: a counter's with "_total"
	Rule    Rule
	Message string // what is wrong, and mostly what would be right
}

// String returns metric, rule and message.
func (f Finding) String() string { return f.Metric + ": " + f.Rule.String() + ": " + f.Message }

// Option is an option of [Lint].
type Option func(*silence)

// silence is what is not looked for.
type silence struct {
	rules   [numRules]bool
	metrics map[string]map[Rule]bool
}

// Without leaves rules out.
func Without(rules ...Rule) Option {
	return func(s *silence) {
		for _, r := range rules {
			if r < numRules {
				s.rules[r] = true
			}
		}
	}
}

// WithoutFor leaves rules out for one metric: a family's name, with or without
// the "_total" of a counter.
func WithoutFor(metric string, rules ...Rule) Option {
	return func(s *silence) {
		if s.metrics[metric] == nil {
			s.metrics[metric] = map[Rule]bool{}
		}
		for _, r := range rules {
			s.metrics[metric][r] = true
		}
	}
}

// Lint returns what the rules find, in the order of the families and, for each,
// of the rules. A rule finds the same thing once for a family.
func Lint(families []*model.Family, opts ...Option) []Finding {
	s := silence{metrics: map[string]map[Rule]bool{}}
	for _, opt := range opts {
		opt(&s)
	}
	var findings []Finding
	for _, f := range families {
		v := look(f)
		for rule := range numRules {
			if s.rules[rule] || s.metrics[v.name][rule] || s.metrics[f.Name][rule] || s.metrics[f.BaseName()][rule] {
				continue
			}
			checks[rule](v, func(format string, args ...any) {
				findings = append(findings, Finding{v.name, rule, fmt.Sprintf(format, args...)})
			})
		}
	}
	return findings
}
