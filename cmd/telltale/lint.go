package main

import (
	"bytes"
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
	JSON       bool       `name:"json" help:"Print a JSON array of objects, one for each page, with its findings."`
	annotated
	reading
	Pages []operand `arg:"" optional:"" name:"page" default:"-" help:"Files, URLs of pages, unix: and the paths of sockets that serve them, or -, which is standard input. Gzip is unpacked."`
}

// Help is what kong prints below the usage.
func (*lintVerb) Help() string {
	return `The rules are those of Prometheus's naming practices; --rules lists them. A finding is a line "page: metric: rule: message".`
}

// lintReport is what lint finds of a page. The names in the JSON do not change.
type lintReport struct {
	Page     string        `json:"page"`
	Findings []lintFinding `json:"findings"`
	Error    string        `json:"error,omitempty"` // why the page could not be looked at
}

// lintFinding is a finding, with the line at which the metric begins.
type lintFinding struct {
	Line       int    `json:"line,omitempty"`
	Metric     string `json:"metric"`
	Rule       string `json:"rule"`
	Label      string `json:"label,omitempty"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"`
}

// Run looks at the pages.
func (l *lintVerb) Run(ctx context.Context, out output, diag diagnostics) error {
	if l.Rules {
		for _, r := range lint.Rules() {
			if _, err := fmt.Fprintf(out, "%-22s %s\n", r, r.Explanation()); err != nil {
				return err
			}
		}
		return nil
	}
	reports := make([]lintReport, len(l.Pages))
	var last error
	wrong := 0
	for i, name := range l.Pages {
		page := string(name)
		err := l.page(ctx, page, &reports[i], out, diag)
		if err != nil {
			wrong++
			last = err
		}
		if err != nil && len(l.Pages) > 1 {
			diag.fail(err)
		}
	}
	if l.JSON {
		if err := writeJSON(out, reports); err != nil {
			return err
		}
	}
	if len(l.Pages) > 1 && wrong > 0 {
		return fmt.Errorf("%d of %s have findings or errors", wrong, counted(len(l.Pages), "page"))
	}
	return last
}

// page looks at a page. It returns an error if there are findings, too.
func (l *lintVerb) page(ctx context.Context, page string, r *lintReport, out output, diag diagnostics) error {
	r.Page, r.Findings = shown(page), []lintFinding{}
	d, findings, err := l.findings(ctx, page, diag)
	if err != nil {
		r.Error = printable(err.Error())
		if l.annotates() {
			_, _ = fmt.Fprintln(diag, annotationOf(page, "not a page of metrics", err, err.Error())) // as all messages
		}
		return err
	}
	for _, f := range findings {
		line := 0
		if l.JSON || l.annotates() {
			line = d.lineOf(f.Metric)
		}
		r.Findings = append(r.Findings, lintFinding{line, f.Metric, f.Rule.String(), f.Label, f.Message, f.Suggestion})
		if l.annotates() {
			_, _ = fmt.Fprintln(diag, annotation{page: page, line: line, title: f.Rule.String(), text: f.Metric + ": " + f.Message}) // as all messages
		}
		if !l.JSON {
			if _, err := fmt.Fprintf(out, "%s: %s\n", d.name, printable(f.String())); err != nil {
				return err
			}
		}
	}
	if len(findings) > 0 {
		return fmt.Errorf("%s: %s", d.name, counted(len(findings), "finding"))
	}
	return nil
}

func (l *lintVerb) findings(ctx context.Context, page string, diag diagnostics) (*document, []lint.Finding, error) {
	d, err := l.read(ctx, page, l.Format, diag)
	if err != nil {
		return nil, nil, err
	}
	families, err := d.families(l.Lenient)
	if err != nil {
		return nil, nil, err
	}
	if err := d.empty(len(families)); err != nil && !l.AllowEmpty {
		return nil, nil, err
	}
	var opts []lint.Option
	for _, s := range l.Disable {
		opts = append(opts, s.option())
	}
	defer diag.during("looking at "+d.name, nil)()
	return d, lint.Lint(families, opts...), nil
}

// lineOf returns the first line that is about a metric, or 0.
func (d *document) lineOf(metric string) int {
	if d.format.name == inJSON || d.format.name == inProtobuf {
		return 0
	}
	line := 0
	for text := range bytes.Lines(d.content) {
		line++
		text = bytes.TrimPrefix(text, []byte("# "))
		for _, keyword := range []string{"HELP ", "TYPE ", "UNIT "} {
			text = bytes.TrimPrefix(text, []byte(keyword))
		}
		rest, begins := bytes.CutPrefix(text, []byte(strings.TrimSuffix(metric, "_total")))
		if begins && (len(rest) == 0 || bytes.ContainsAny(rest[:1], "_ {\r\n")) {
			return line
		}
	}
	return 0
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
