package lint

import (
	"fmt"

	"telltale/model"
)

// Finding is something that a rule has found.
type Finding struct {
	Metric     string // the family's name, as the text format has it: a counter's with "_total"
	Rule       Rule
	Label      string // the name of the label that it is about; empty if it is about the metric
	Message    string // what is wrong, and what would be right if that is known
	Suggestion string // a name for the metric, or for the label, that passes all rules; may be empty
}

// String returns metric, rule and message.
func (f Finding) String() string { return f.Metric + ": " + f.Rule.String() + ": " + f.Message }

// Option is an option of [Lint].
type Option interface{ applyLint(*silence) }

type option func(*silence)

func (o option) applyLint(to *silence) { o(to) }

// silence holds the rules that are left out.
type silence struct {
	rules   [numRules]bool
	metrics map[string]map[Rule]bool
}

// Without leaves rules out.
func Without(rules ...Rule) Option {
	return option(func(s *silence) {
		for _, r := range rules {
			if r < numRules {
				s.rules[r] = true
			}
		}
	})
}

// WithoutFor leaves rules out for one metric: a family's name, with or without
// the "_total" of a counter.
func WithoutFor(metric string, rules ...Rule) Option {
	return option(func(s *silence) {
		if s.metrics[metric] == nil {
			s.metrics[metric] = map[Rule]bool{}
		}
		for _, r := range rules {
			s.metrics[metric][r] = true
		}
	})
}

// Lint returns what the rules find, in the order of the families and, for each,
// of the rules. A rule finds the same thing once for a family. Following one
// suggestion, or all, brings no new finding.
func Lint(families []*model.Family, opts ...Option) []Finding {
	s := silence{metrics: map[string]map[Rule]bool{}}
	for _, opt := range opts {
		opt.applyLint(&s)
	}
	views := make([]*view, len(families))
	for i, f := range families {
		views[i] = look(f)
	}
	suggestions := suggest(views)
	var findings []Finding
	for i, f := range families {
		v := views[i]
		for _, found := range v.findings() {
			rule := found.Rule
			if s.rules[rule] || s.metrics[v.name][rule] || s.metrics[f.Name][rule] || s.metrics[f.BaseName()][rule] {
				continue
			}
			if found.Suggestion = suggestions[i].of(found); found.Suggestion != "" {
				found.Message += ", as in " + found.Suggestion
			}
			findings = append(findings, found)
		}
	}
	return findings
}

// findings returns all that the rules find.
func (v *view) findings() []Finding {
	var all []Finding
	for rule := range numRules {
		checks[rule](v, func(label, format string, args ...any) {
			all = append(all, Finding{Metric: v.name, Rule: rule, Label: label, Message: fmt.Sprintf(format, args...)})
		})
	}
	return all
}
