package main

import (
	"context"
	"fmt"
	"strings"

	"telltale/lint"
)

// lintVerb is the verb that checks names, units and labels against conventions.
type lintVerb struct {
	Format     pageFormat `help:"Read the page in this format: auto, json, ${writable} (${default})." default:"auto" placeholder:"FORMAT"`
	Lenient    bool       `help:"Accept common mistakes of exporters."`
	Disable    []silenced `help:"Leave out this rule, for all metrics or for one; may be repeated." placeholder:"RULE[:METRIC]" sep:"none"`
	Rules      bool       `help:"List the rules and exit."`
	AllowEmpty bool       `help:"Accept a page without metrics."`
	source
}

// Help is what kong prints below the usage.
func (*lintVerb) Help() string {
	return `The rules are those of Prometheus's naming practices; --rules lists them. A finding is a line "page: metric: rule: message".

The exit status is 0 without findings, 1 with findings or if the page has errors, and 2 for wrong usage.`
}

// Run checks the page.
func (l *lintVerb) Run(ctx context.Context, out output, diag diagnostics) error {
	if l.Rules {
		for _, r := range lint.Rules() {
			if _, err := fmt.Fprintf(out, "%-22s %s\n", r, r.Explanation()); err != nil {
				return err
			}
		}
		return nil
	}
	d, err := l.read(ctx, l.Format, diag)
	if err != nil {
		return err
	}
	families, err := d.families(l.Lenient)
	if err != nil {
		return err
	}
	if err := d.empty(len(families)); err != nil && !l.AllowEmpty {
		return err
	}
	var opts []lint.Option
	for _, s := range l.Disable {
		opts = append(opts, s.option())
	}
	findings := lint.Lint(families, opts...)
	for _, f := range findings {
		if _, err := fmt.Fprintf(out, "%s: %s\n", d.name, printable(f.String())); err != nil {
			return err
		}
	}
	if len(findings) > 0 {
		return fmt.Errorf("%s: %s", d.name, counted(len(findings), "finding"))
	}
	return nil
}

// silenced is a rule that is left out, for one metric or for all.
type silenced struct {
	rule   lint.Rule
	metric string
}

// UnmarshalText is called by kong.
func (s *silenced) UnmarshalText(text []byte) error {
	name, metric, one := strings.Cut(string(text), ":")
	var err error
	s.metric = metric
	switch s.rule, err = lint.ParseRule(name); {
	case err != nil:
		return fmt.Errorf("there is no rule %q; --rules lists them", name)
	case one && metric == "":
		return fmt.Errorf("%q names no metric after the colon", text)
	}
	return nil
}

func (s silenced) option() lint.Option {
	if s.metric == "" {
		return lint.Without(s.rule)
	}
	return lint.WithoutFor(s.metric, s.rule)
}
