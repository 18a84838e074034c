package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"telltale/exposition/text"
	"telltale/lint"
	"telltale/model"
)

type problemText struct {
	text string
	rule lint.Rule
}

// problemTexts are what promlint says, in part, and the rules that find the same.
var problemTexts = []problemText{
	{"no help text", lint.Help},
	{"use base unit", lint.BaseUnit},
	{`counter metrics should have "_total" suffix`, lint.CounterWithoutTotal},
	{`non-counter metrics should not have "_total" suffix`, lint.TotalWithoutCounter},
	{`should not have "_bucket" suffix`, lint.ReservedSuffix},
	{`should not have "_count" suffix`, lint.ReservedSuffix},
	{`should not have "_sum" suffix`, lint.ReservedSuffix},
	{`should not have "le" label`, lint.ReservedLabel},
	{`should not have "quantile" label`, lint.ReservedLabel},
	{"metric name should not include type", lint.TypeInName},
	{"should not contain ':'", lint.Colon},
	{"metric names should be written in 'snake_case'", lint.CamelCase},
	{"label names should be written in 'snake_case'", lint.CamelCaseLabel},
	{"abbreviated units", lint.AbbreviatedUnit},
	{"metric not unique", lint.DuplicateSeries},
}

// Where the two linters differ on purpose. The pages of the test have the other
// differences not at all: promlint takes no page with gauge histograms, infos or
// state sets for what they are.
var lintDifferences = []struct {
	rules  []lint.Rule
	reason string
	where  func(f *model.Family) bool
}{
	{lint.Rules(), "promlint's parser loses families without samples", func(f *model.Family) bool {
		for range f.Samples() {
			return false
		}
		return true
	}},
	{[]lint.Rule{lint.ReservedLabel, lint.CamelCaseLabel, lint.DuplicateSeries}, "a label without a value is none", func(f *model.Family) bool {
		for s := range f.Samples() {
			for _, value := range s.Labels.All() {
				if value == "" {
					return true
				}
			}
		}
		return false
	}},
	{[]lint.Rule{lint.Help}, "an empty help text is none", func(f *model.Family) bool { return f.Help == "" }},
	{[]lint.Rule{lint.DuplicateSeries}, "a series at another time is none that is there twice", func(f *model.Family) bool {
		for s := range f.Samples() {
			if s.Timestamp.IsSet() {
				return true
			}
		}
		return false
	}},
}

// page makes up a text page whose names break rules.
func (d dice) sloppyPage() string {
	words := []string{
		"requests", "seconds", "milliseconds", "kibibytes", "bytes", "days", "kelvins", "megabits", "today", "second", "ms", "s", "MB",
		"total", "count", "sum", "bucket", "gauge", "counter", "Summary", "histogram", "camelCase", "HTTP", "a:b", "info", "percent", "by", "code", "decagrams",
	}
	labels := []string{"code", "le", "quantile", "camelCase", "CODE", "method"}
	var page strings.Builder
	for i := range 12 {
		typ := pick(d, "counter", "gauge", "summary", "histogram", "untyped")
		name := fmt.Sprintf("f%d", i)
		for range 1 + d.IntN(4) {
			name += "_" + pick(d, words...)
		}
		if typ == "counter" && d.chance(50) {
			name += "_total"
		}
		switch d.IntN(5) {
		case 0:
		case 1:
			fmt.Fprintf(&page, "# HELP %s \n", name)
		default:
			fmt.Fprintf(&page, "# HELP %s Help.\n", name)
		}
		fmt.Fprintf(&page, "# TYPE %s %s\n", name, typ)
		for range d.IntN(4) {
			var own []string
			for _, l := range labels {
				if d.chance(20) && (typ != "histogram" || l != "le") && (typ != "summary" || l != "quantile") {
					own = append(own, fmt.Sprintf("%s=%q", l, pick(d, "a", "b", "")))
				}
			}
			with := strings.Join(own, ",")
			at := ""
			if d.chance(20) {
				at = fmt.Sprint(" ", d.IntN(3))
			}
			switch typ {
			case "summary":
				fmt.Fprintf(&page, "%s_sum{%s} 1%s\n%s_count{%s} 1%s\n", name, with, at, name, with, at)
			case "histogram":
				fmt.Fprintf(&page, "%s_bucket{%s} 1%s\n", name, strings.Trim(with+`,le="+Inf"`, ","), at)
			default:
				fmt.Fprintf(&page, "%s{%s} 1%s\n", name, with, at)
			}
		}
	}
	return page.String()
}

// Our linter finds what promlint does, and by the rules they share nothing else.
func TestLintersAgree(t *testing.T) {
	agreed := map[lint.Rule]int{}
	for seed := range uint64(500) {
		page := dice{rand.New(rand.NewPCG(seed, math.MaxUint64-1))}.sloppyPage()
		problems, err := promlint.New(strings.NewReader(page)).Lint()
		if err != nil {
			t.Fatalf("seed %d: promlint: %v in\n%s", seed, err, page)
		}
		type finding struct {
			metric string
			rule   lint.Rule
		}
		theirs := map[finding]bool{}
		for _, p := range problems {
			i := slices.IndexFunc(problemTexts, func(known problemText) bool { return strings.Contains(p.Text, known.text) })
			if i < 0 {
				t.Fatalf("promlint has a rule that we do not know: %s", p.Text)
			}
			theirs[finding{p.Metric, problemTexts[i].rule}] = true
		}
		families := map[string]*model.Family{}
		var all []*model.Family
		parser := text.NewParser(bytes.NewReader([]byte(page)), text.WithLenient()) // strictly, no series is there twice
		for {
			f, err := parser.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("seed %d: %v in\n%s", seed, err, page)
			}
			families[f.SampleName()] = f
			all = append(all, f)
		}
		ours := map[finding]bool{}
		for _, f := range lint.Lint(all) {
			if f.Rule <= lint.DuplicateSeries { // the rest are no rules of promlint
				ours[finding{f.Metric, f.Rule}] = true
			}
		}
		for f := range theirs {
			if ours[f] {
				agreed[f.rule]++
			}
		}
		for _, side := range []struct {
			name      string
			has, lack map[finding]bool
		}{{"promlint", theirs, ours}, {"telltale", ours, theirs}} {
			for f := range side.has {
				if side.lack[f] || differs(families[f.metric], f.rule) {
					continue
				}
				t.Errorf("seed %d: only %s finds %s: %s in\n%s", seed, side.name, f.metric, f.rule, page)
			}
		}
	}
	for rule := range lint.DuplicateSeries + 1 {
		if agreed[rule] < 10 {
			t.Errorf("the pages have shown the rule %s %d times", rule, agreed[rule])
		}
	}
}

func differs(f *model.Family, rule lint.Rule) bool {
	for _, d := range lintDifferences {
		if f != nil && slices.Contains(d.rules, rule) && d.where(f) {
			return true
		}
	}
	return false
}
