package lint_test

import (
	"slices"
	"strings"
	"testing"

	"telltale/lint"
	"telltale/model"
)

// family returns a family with a series for each list of labels.
func family(name string, typ model.Type, labels ...[]string) *model.Family {
	f := &model.Family{Name: name, Help: "Help.", Type: typ}
	for _, pairs := range labels {
		var names, values []string
		for i := 0; i < len(pairs); i += 2 {
			names, values = append(names, pairs[i]), append(values, pairs[i+1])
		}
		f.Append(model.Point{Labels: model.LabelPairs(names, values)})
	}
	return f
}

// unit gives a family a unit, whatever its name.
func unit(f *model.Family, unit string) *model.Family {
	f.Unit = unit
	return f
}

// literal returns a counter as text names it that lacks "_total".
func literal(name string) *model.Family {
	f := family("x", model.Counter).Literal()
	f.Name = name
	return f
}

func label(names ...string) []string {
	var pairs []string
	for _, name := range names {
		pairs = append(pairs, name, "v")
	}
	return pairs
}

// Every rule, by what it finds and what it lets be.
func TestRules(t *testing.T) {
	noHelp := family("a", model.Gauge)
	noHelp.Help = ""
	for _, c := range []struct {
		rule  lint.Rule
		wrong []*model.Family
		right []*model.Family
	}{
		{lint.Help, []*model.Family{noHelp}, []*model.Family{family("a", model.Gauge)}},
		{
			lint.BaseUnit,
			[]*model.Family{family("a_milliseconds", model.Gauge), family("days_left", model.Gauge), family("a_kibibytes", model.Counter), family("a_kelvins", model.Unknown), family("a_megabits", model.Gauge)},
			[]*model.Family{family("a_seconds", model.Gauge), family("a_seconds_of_days", model.Gauge), family("a_kelvin", model.Gauge), family("a_today", model.Gauge), family("a_metres", model.Gauge)},
		},
		{lint.CounterWithoutTotal, []*model.Family{literal("a")}, []*model.Family{family("a", model.Counter), family("a_total", model.Counter)}},
		{lint.TotalWithoutCounter, []*model.Family{family("a_total", model.Gauge), family("a_total", model.Summary)}, []*model.Family{family("a_total", model.Unknown), family("a_total", model.Counter)}},
		{
			lint.ReservedSuffix,
			[]*model.Family{family("a_count", model.Gauge), family("a_sum", model.Gauge), family("a_bucket", model.Gauge), family("a_bucket", model.Summary)},
			[]*model.Family{family("a_count", model.Unknown), family("a_sum", model.Summary), family("a_bucket", model.Histogram), family("a_counts", model.Gauge)},
		},
		{
			lint.ReservedLabel,
			[]*model.Family{family("a", model.Gauge, label("le")), family("a", model.Summary, label("b"), label("le")), family("a", model.Histogram, label("quantile"))},
			[]*model.Family{family("a", model.Unknown, label("le", "quantile")), family("a", model.Histogram, label("le")), family("a", model.Summary, label("quantile")), family("a", model.Gauge, []string{"le", ""})},
		},
		{
			lint.TypeInName,
			[]*model.Family{family("a_gauge", model.Gauge), family("a_counter", model.Counter), family("a_Summary_b", model.Summary), family("a_histogram", model.Histogram)},
			[]*model.Family{family("gauge_a", model.Gauge), family("a_gauge", model.Histogram), family("a_gauges", model.Gauge), family("a", model.Info)},
		},
		{lint.Colon, []*model.Family{family("a:b", model.Gauge)}, []*model.Family{family("a_b", model.Gauge)}},
		{lint.CamelCase, []*model.Family{family("aB", model.Gauge)}, []*model.Family{family("AB_c", model.Gauge), family("a", model.Gauge, label("aB"))}},
		{lint.CamelCaseLabel, []*model.Family{family("a", model.Gauge, label("b"), label("b", "aB"))}, []*model.Family{family("aB", model.Gauge, label("AB"))}},
		{lint.AbbreviatedUnit, []*model.Family{family("a_ms", model.Gauge), family("a_MB", model.Counter), family("a_s_b_c", model.Gauge)}, []*model.Family{family("ms_a", model.Gauge), family("a_mbx", model.Gauge)}},
		{
			lint.DuplicateSeries,
			[]*model.Family{
				family("a", model.Gauge, label("b", "c"), label("d"), label("c", "b")), family("a", model.Gauge, nil, nil),
				family("a", model.Gauge, []string{"b", ""}, nil), family("a", model.Gauge, []string{"b", "", "c", "d"}, []string{"c", "d", "e", ""}), // an empty label is none
			},
			[]*model.Family{family("a", model.Gauge, label("b"), label("c"), nil)},
		},
		{lint.UnitSuffix, []*model.Family{unit(family("a", model.Gauge), "seconds")}, []*model.Family{unit(family("a_seconds", model.Counter), "seconds"), unit(family("seconds", model.Gauge), "seconds"), family("a", model.Gauge)}},
		{lint.SingularUnit, []*model.Family{family("a_second", model.Gauge), family("a_byte", model.Counter)}, []*model.Family{family("a_per_second", model.Gauge), family("a_second_b", model.Gauge), family("second", model.Gauge)}},
		{lint.Percent, []*model.Family{family("a_percent", model.Gauge), family("percentage_a", model.Gauge)}, []*model.Family{family("a_ratio", model.Gauge), family("go_gc_gogc_percent", model.Gauge)}},
		{lint.TotalNotLast, []*model.Family{family("a_total_bytes", model.Counter), literal("a_total_bytes")}, []*model.Family{family("a_total", model.Counter), family("total_a", model.Gauge), family("memory_total_bytes", model.Gauge), family("a_total_b", model.Unknown)}},
		{lint.LabelInName, []*model.Family{family("a_by_code", model.Counter, label("code")), family("a_by_code_b", model.Gauge, label("code"))}, []*model.Family{family("a_by_codes", model.Gauge, label("code")), family("a_code", model.Gauge, label("code"))}},
		{lint.PrivateLabel, []*model.Family{family("a", model.Gauge, label("__b"))}, []*model.Family{family("__a", model.Gauge, label("_b"))}},
		{lint.QuotedName, []*model.Family{family("a.b", model.Gauge), family("a", model.Gauge, label("b.c")), family("ü", model.Gauge)}, []*model.Family{family("a:b", model.Gauge, label("b"))}},
	} {
		t.Run(c.rule.String(), func(t *testing.T) {
			for _, f := range c.wrong {
				findings := lint.Lint([]*model.Family{f})
				of := slices.DeleteFunc(slices.Clone(findings), func(f lint.Finding) bool { return f.Rule != c.rule })
				if len(of) != 1 || of[0].Metric != f.SampleName() || of[0].Message == "" {
					t.Errorf("%s %q: %v", f.Type, f.Name, findings)
				}
				if left := lint.Lint([]*model.Family{f}, lint.Without(c.rule)); len(left) != len(findings)-1 {
					t.Errorf("without the rule: %v", left)
				}
				for _, name := range []string{f.Name, f.SampleName()} {
					if left := lint.Lint([]*model.Family{f}, lint.WithoutFor(name, c.rule), lint.WithoutFor("other", lint.Help)); len(left) != len(findings)-1 {
						t.Errorf("without the rule for %s: %v", name, left)
					}
				}
				if left := lint.Lint([]*model.Family{f}, lint.WithoutFor("another", c.rule)); len(left) != len(findings) {
					t.Errorf("without the rule for another: %v", left)
				}
			}
			for _, f := range c.right {
				for _, finding := range lint.Lint([]*model.Family{f}) {
					if finding.Rule == c.rule {
						t.Errorf("%s %q: %v", f.Type, f.Name, finding)
					}
				}
			}
			if again, err := lint.ParseRule(c.rule.String()); err != nil || again != c.rule {
				t.Errorf("its name reads as %v, %v", again, err)
			}
			if !strings.HasSuffix(c.rule.Explanation(), ".") {
				t.Errorf("its explanation is %q", c.rule.Explanation())
			}
		})
	}
}

func TestNoSuchRule(t *testing.T) {
	if _, err := lint.ParseRule("none"); err == nil || !strings.Contains(err.Error(), `"none"`) {
		t.Errorf("error %v", err)
	}
	if none := lint.Rule(200); none.String() != "Rule(200)" || none.Explanation() != "" {
		t.Errorf("%v, %q", none, none.Explanation())
	}
	lint.Lint(nil, lint.Without(200), lint.WithoutFor("a", 200))
}

// Two moments of one series are no duplicates.
func TestMoments(t *testing.T) {
	f := family("a", model.Gauge)
	f.Append(model.Point{Timestamp: model.Unix(1, 0)})
	f.Append(model.Point{Timestamp: model.Unix(2, 0)})
	if found := lint.Lint([]*model.Family{f}); len(found) > 0 {
		t.Errorf("%v", found)
	}
}
