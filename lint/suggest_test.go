package lint_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"telltale/lint"
	"telltale/model"
)

// What is suggested for each, and that there is nothing where nothing is known
// to be right.
func TestSuggestions(t *testing.T) {
	for _, c := range []struct {
		family *model.Family
		rule   lint.Rule
		want   string
	}{
		{literal("a"), lint.CounterWithoutTotal, "a_total"},
		{literal("a_total_bytes"), lint.TotalNotLast, "a_bytes_total"},
		{literal("aTotal"), lint.CounterWithoutTotal, "a_total"},
		{literal("a_Total"), lint.CounterWithoutTotal, "a_total"},
		{literal("a_count"), lint.ReservedSuffix, "a_total"},
		{family("a_total", model.Gauge), lint.TotalWithoutCounter, "a"},
		{family("a_total_count", model.Gauge), lint.ReservedSuffix, "a"},
		{family("a_gauge_total", model.Gauge), lint.TypeInName, "a"},
		{family("a_milliseconds_total", model.Counter), lint.BaseUnit, "a_seconds_total"},
		{family("x:y.z", model.Gauge), lint.Colon, "x_y_z"},
		{family("x.y", model.Gauge), lint.QuotedName, "x_y"},
		{family("größe", model.Gauge), lint.QuotedName, ""},
		{family("aByCodeMs", model.Gauge, label("code")), lint.CamelCase, "a_seconds"},
		{family("a_KiB_persec", model.Gauge), lint.CamelCase, "a_bytes_persec"},
		{family("a_m", model.Gauge), lint.AbbreviatedUnit, ""}, // minutes or meters
		{unit(family("a", model.Counter), "ms"), lint.UnitSuffix, "a_seconds_total"},
		{unit(family("a", model.Gauge), "total"), lint.UnitSuffix, ""},
		{family("a_byte", model.Histogram), lint.SingularUnit, "a_bytes"},
		{family("a_pct", model.Gauge), lint.Percent, "a_ratio"},
		{family("a_by_code_total", model.Counter, label("code")), lint.LabelInName, "a_total"},
		{family("a", model.Gauge, label("statusCode")), lint.CamelCaseLabel, "status_code"},
		{family("a", model.Gauge, label("__b")), lint.PrivateLabel, "b"},
		{family("a", model.Gauge, label("__le")), lint.PrivateLabel, ""},
		{family("a", model.Gauge, label("__b", "b")), lint.PrivateLabel, ""},
		{family("a", model.Gauge, label("b.c")), lint.QuotedName, "b_c"},
		{family("a", model.Gauge, label("le")), lint.ReservedLabel, ""},
	} {
		for _, f := range lint.Lint([]*model.Family{c.family}) {
			if f.Rule != c.rule {
				continue
			}
			if f.Suggestion != c.want || strings.HasSuffix(f.Message, ", as in "+c.want) != (c.want != "") {
				t.Errorf("%s %q: %s suggests %q, want %q", c.family.Type, c.family.Name, f, f.Suggestion, c.want)
			}
			c.rule = 255 // it was found
		}
		if c.rule != 255 {
			t.Errorf("%s %q: no %s", c.family.Type, c.family.Name, c.rule)
		}
	}
}

// Suggestions do not give two metrics one name.
func TestSuggestionsStayDifferent(t *testing.T) {
	for _, page := range [][]*model.Family{
		{family("a_ms", model.Gauge), family("a_seconds", model.Gauge)},
		{family("a_ms", model.Gauge), family("a_ns", model.Gauge)},
		{family("a_total", model.Gauge), family("a", model.Histogram)},
		{family("aCount", model.Unknown), family("a", model.Summary)},
		{family("a_ms", model.Summary), family("a_seconds_sum", model.Unknown)},
	} {
		for _, f := range lint.Lint(page) {
			if f.Suggestion != "" {
				t.Errorf("%s: suggests %q beside another", f, f.Suggestion)
			}
		}
	}
}

// renamed returns the page with the suggestions of findings followed.
func renamed(page []*model.Family, findings ...lint.Finding) []*model.Family {
	var all []*model.Family
	for _, f := range page {
		c := *f
		labels := map[string]string{}
		for _, found := range findings {
			switch {
			case found.Metric != f.SampleName() || found.Suggestion == "":
			case found.Label != "":
				labels[found.Label] = found.Suggestion
			default:
				c.Name = found.Suggestion
				if c.Type == model.Info {
					c.Name = strings.TrimSuffix(c.Name, "_info")
				}
			}
		}
		other := model.Family{Name: c.Name, Help: c.Help, Type: c.Type, Unit: c.Unit}
		if c.Name != f.Name {
			other.Unit = "" // the name says which is right
		}
		var scratch model.Point
		_ = f.Visit(&scratch, func(p *model.Point) error {
			var names, values []string
			for name, value := range p.Labels.All() {
				if better := labels[name]; better != "" {
					name = better
				}
				names, values = append(names, name), append(values, value)
			}
			other.Append(model.Point{Labels: model.LabelPairs(names, values)})
			return nil
		})
		if f.IsLiteral() && c.Name == f.Name {
			all = append(all, other.Literal())
			all[len(all)-1].Name = f.Name
			continue
		}
		all = append(all, &other)
	}
	return all
}

// Whatever the page, whoever follows a suggestion, or all of them, has no new
// finding, and not the one that made it.
func TestFollowingSuggestionsFindsNothingNew(t *testing.T) {
	words := strings.Fields("a total Total count sum bucket gauge counter histogram summary ms s m kb milliseconds bits byte second per percent pct ratio by code statusCode status seconds bytes info aTotal xMs é a.b c:d _ __ 1 Bytes KIBIBYTES KiB kelvins TOTAL_bytes")
	labels := strings.Fields("code statusCode status_code le quantile __a __le a.b é _x a a_b __1")
	units := []string{"", "", "", "seconds", "ms", "milliseconds", "percent", "total", "byte", "count", "gauge", "Bytes", "bytes_per_second", "per_second", "a b", "ü"}
	for seed := range uint64(2_000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var page []*model.Family
		for range 1 + r.IntN(3) {
			var name []string
			for range 1 + r.IntN(4) {
				name = append(name, words[r.IntN(len(words))])
			}
			var own []string
			for _, i := range r.Perm(len(labels))[:r.IntN(4)] {
				own = append(own, labels[i], "v")
			}
			f := unit(family(strings.Join(name, "_"), model.Types()[r.IntN(8)], own), units[r.IntN(len(units))])
			if f.Type == model.Counter && r.IntN(2) == 0 {
				name := f.Name
				f = f.Literal()
				f.Name = name
			}
			if !slices.ContainsFunc(page, func(of *model.Family) bool { return of.SampleName() == f.SampleName() }) {
				page = append(page, f)
			}
		}
		before := lint.Lint(page)
		for i, f := range append(before, lint.Finding{}) {
			follow := before
			if i < len(before) {
				if f.Suggestion == "" {
					continue
				}
				follow = []lint.Finding{f}
			}
			changed := renamed(page, follow...)
			names := map[string]bool{}
			for _, f := range changed {
				if names[f.SampleName()] {
					t.Fatalf("seed %d: two metrics are named %q", seed, f.SampleName())
				}
				names[f.SampleName()] = true
			}
			after := lint.Lint(changed)
			for _, now := range after {
				at := slices.IndexFunc(changed, func(f *model.Family) bool { return f.SampleName() == now.Metric })
				was := slices.ContainsFunc(before, func(of lint.Finding) bool {
					return of.Rule == now.Rule && of.Metric == page[at].SampleName() && (of.Label == "") == (now.Label == "")
				})
				mended := i < len(before) && f.Rule == now.Rule && f.Label == "" && now.Label == "" && f.Metric == page[at].SampleName()
				if !was || mended {
					t.Fatalf("seed %d: %v\nfollowing %v\nfinds %v", seed, before, follow, now)
				}
			}
		}
	}
}
