package relabel_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	promodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"

	"telltale"
	"telltale/model"
	"telltale/rules"
)

// The package that Prometheus relabels with says what rules have to leave of random
// series. What rules do in their own way, as package rules says, is done to the
// samples of Prometheus too: names are not for labels' rules, and "le" is for keep
// and drop alone.
func TestRulesLikePrometheus(t *testing.T) {
	for round := range 2000 {
		seed := uint64(round) + 1
		r := rand.New(rand.NewPCG(seed, 12))
		composite := round%2 == 1
		families := relabelFamilies(r, composite)
		list := relabelRules(r, composite)
		collector := telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			for _, f := range families {
				if err := emit(f); err != nil {
					return err
				}
			}
			return nil
		})
		reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
		if err := reg.Register(collector); err != nil {
			t.Fatal(err)
		}
		v, err := rules.New(reg, list...)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		want := relabelled(families, list)
		maps.DeleteFunc(want, func(key string, _ float64) bool { return strings.Contains(key, `,le="+Inf"`) })
		for scrape := range 2 {
			got := make(map[string]float64)
			for f, err := range collected(v) {
				if err != nil {
					t.Fatal(err)
				}
				for s := range f.Samples() {
					got[sampleKey(s.Name, s.Labels.Map())] = s.Value
				}
			}
			withoutInfinite(t, got)
			if !maps.Equal(got, want) {
				t.Fatalf("seed %d, scrape %d, rules\n%s\nrules leave\n%s\nPrometheus leaves\n%s", seed, scrape+1, listed(list), sorted(got), sorted(want))
			}
		}
	}
}

func listed(list []rules.Rule) string {
	var b strings.Builder
	for _, r := range list {
		fmt.Fprintf(&b, "  %+v\n", r)
	}
	return b.String()
}

func sorted(samples map[string]float64) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(samples)) {
		fmt.Fprintf(&b, "  %s %v\n", key, samples[key])
	}
	return b.String()
}

func collected(c telltale.Collector) func(func(*model.Family, error) bool) {
	return func(yield func(*model.Family, error) bool) {
		var all []*model.Family
		err := c.Collect(context.Background(), func(f *model.Family) error {
			all = append(all, f.Clone())
			return nil
		})
		for _, f := range all {
			yield(f, nil)
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func sampleKey(name string, labels map[string]string) string {
	var b strings.Builder
	b.WriteString(name)
	for _, l := range slices.Sorted(maps.Keys(labels)) {
		if labels[l] != "" {
			fmt.Fprintf(&b, ",%s=%q", l, labels[l])
		}
	}
	return b.String()
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// relabelFamilies returns a few families of one series for each of random label sets.
func relabelFamilies(r *rand.Rand, composite bool) (families []*model.Family) {
	names, types := []string{"c", "g", "u"}, []model.Type{model.Counter, model.Gauge, model.Unknown}
	if composite {
		names, types = []string{"h", "s"}, []model.Type{model.Histogram, model.Summary}
	}
	for i, name := range names {
		f, err := model.NewFamily(name, "", types[i])
		if err != nil {
			panic(err)
		}
		seen := make(map[string]bool)
		for n := range 8 {
			set := make(map[string]string)
			for _, l := range []string{"a", "b", "c"} {
				if r.IntN(4) > 0 {
					set[l] = pick(r, "x", "y", "xy", "x;y", "5", "é\n")
				}
			}
			if key := sampleKey("", set); seen[key] {
				continue
			} else {
				seen[key] = true
			}
			value := float64(n + 1)
			switch types[i] {
			case model.Counter:
				f.AddSample("c_total", set, value)
			case model.Histogram:
				for _, le := range []string{"0.5", "1.0", "+Inf"} {
					f.AddSample("h_bucket", with(set, "le", le), value)
				}
				f.AddSample("h_count", set, value)
				f.AddSample("h_sum", set, value)
			case model.Summary:
				f.AddSample("s", with(set, "quantile", "0.5"), value)
				f.AddSample("s", with(set, "quantile", "0.9"), value)
				f.AddSample("s_count", set, value)
				f.AddSample("s_sum", set, value)
			default:
				f.AddSample(name, set, value)
			}
		}
		families = append(families, f)
	}
	return families
}

func with(labels map[string]string, name, value string) map[string]string {
	c := maps.Clone(labels)
	c[name] = value
	return c
}

func relabelRules(r *rand.Rand, composite bool) (list []rules.Rule) {
	names := []string{"c_total", "g", "u", "c_.*", "[a-g].*"}
	if composite {
		names = []string{"h_bucket", "h_.*", "s", "h_count|s_sum", "[hs]_(count|sum)", ".*_bucket"}
	}
	for range 1 + r.IntN(6) {
		switch r.IntN(7) {
		case 0:
			list = append(list, rules.Drop(pick(r, names...)))
		case 1, 2:
			sources := []string{"a", "b", "c", "absent", "new", "__tmp", "__name__"}
			if composite {
				sources = append(sources, "le", "quantile")
			}
			rule := rules.Drop("", pick(r, sources...))
			rule.Regex = pick(r, "x", "x|y", "(x|5)?", ".+", "[^x]*", "0.5|1.0", "0.*")
			if r.IntN(2) == 0 {
				rule.SourceLabels = append(rule.SourceLabels, pick(r, sources...))
				rule.Separator = pick(r, ";", "", "--")
				rule.Regex = pick(r, ".*x.*", "x;x", pick(r, names...)+";x", "x"+rule.Separator+".*", ".*y")
			}
			if r.IntN(4) == 0 {
				rule.Action = rules.ActionKeep
			}
			list = append(list, rule)
		case 3, 4:
			sources := []string{"a", "b", "c", "absent", "new", "__tmp"}
			if !composite {
				sources = append(sources, "__name__")
			}
			rule := rules.Replace(pick(r, "a", "b", "new", "__tmp", "z$1", "$1"), pick(r, "$1", "", "const", "$1-$2", "${1}"), pick(r, "(.*)", "(x|y)(.*)", "x", ".*", "(.*);(.*)"), pick(r, sources...))
			if r.IntN(3) == 0 {
				rule.SourceLabels = append(rule.SourceLabels, pick(r, sources...))
			}
			if strings.Contains(rule.TargetLabel, "$") {
				rule.Regex = "(x|y|xy|const)?" // makes names that labels can have
			}
			list = append(list, rule)
		case 5:
			list = append(list, rules.LabelMap(pick(r, "(a|b)", "(.*)", "n(.*)"), pick(r, "m_$1", "a", "new", "k$1")))
		case 6:
			rule := rules.LabelDrop(pick(r, "a", "a|b", "m_.*", "[^a]"))
			if r.IntN(3) == 0 {
				rule.Action = rules.ActionLabelKeep
			}
			list = append(list, rule)
		}
	}
	return list
}

// relabelled returns what Prometheus leaves of the families' samples. Of series that
// become equal the first stays.
func relabelled(families []*model.Family, list []rules.Rule) map[string]float64 {
	var configs []*relabel.Config
	for _, rule := range list {
		c := &relabel.Config{
			Separator: rule.Separator, Regex: relabel.MustNewRegexp(rule.Regex), TargetLabel: rule.TargetLabel,
			Replacement: rule.Replacement, Action: relabel.Action(rule.Action), NameValidationScheme: promodel.UTF8Validation,
		}
		for _, source := range rule.SourceLabels {
			c.SourceLabels = append(c.SourceLabels, promodel.LabelName(source))
		}
		configs = append(configs, c)
	}
	left := make(map[string]float64)
	for _, f := range families {
		first := make(map[string]string) // the series that became one, by what it became
		for s := range f.Samples() {
			series := s.Labels.Map()
			apart := map[model.Type]string{model.Histogram: "le", model.Summary: "quantile"}[f.Type]
			value := series[apart]
			delete(series, apart)
			became, keep := process(configs, s.Name, series, apart, value)
			origin := sampleKey("", series)
			if !keep {
				continue
			}
			key := sampleKey("", became)
			if was, taken := first[key]; taken && was != origin {
				continue
			}
			first[key] = origin
			if value != "" {
				became[apart] = value
			}
			left[sampleKey(s.Name, became)] = s.Value
		}
	}
	return left
}

// withoutInfinite takes the buckets +Inf out and fails if a histogram with another
// bucket has none: it stays with them, which Prometheus does not know.
func withoutInfinite(t *testing.T, samples map[string]float64) {
	for key := range samples {
		for _, finite := range []string{`,le="0.5"`, `,le="1.0"`} {
			if infinite := strings.Replace(key, finite, `,le="+Inf"`, 1); infinite != key {
				if _, has := samples[infinite]; !has {
					t.Errorf("%s is without %s", key, infinite)
				}
			}
		}
	}
	maps.DeleteFunc(samples, func(key string, _ float64) bool { return strings.Contains(key, `,le="+Inf"`) })
}

func process(configs []*relabel.Config, name string, series map[string]string, apart, value string) (map[string]string, bool) {
	b := labels.NewBuilder(labels.FromMap(series))
	for _, c := range configs {
		choice := c.Action == relabel.Keep || c.Action == relabel.Drop
		if choice || c.Action == relabel.Replace {
			b.Set("__name__", name)
		}
		if choice && value != "" {
			b.Set(apart, value)
		}
		if !relabel.ProcessBuilder(b, c) {
			return nil, false
		}
		b.Del("__name__")
		if apart != "" {
			b.Del(apart)
		}
	}
	became := b.Labels().Map()
	maps.DeleteFunc(became, func(name, _ string) bool { return strings.HasPrefix(name, "__") })
	return became, true
}
