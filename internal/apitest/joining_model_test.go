package apitest

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"telltale"
	"telltale/exposition/openmetrics"
	"telltale/model"
)

// leaf is a family of a random nest, with what the model knows of it.
type leaf struct {
	collector telltale.Collector
	name, typ string
	label     string // of its only series; "" for none
	constant  map[string]string
	value     float64
}

// line is the leaf's series as a sorted set of labels.
func (l *leaf) line() string {
	labels := maps.Clone(l.constant)
	if l.label != "" {
		labels[l.label] = "x"
	}
	return fmt.Sprintf("%s%s %v", l.name, model.LabelsOf(labels), l.value)
}

// joins reports whether the leaves are one family by the rule.
func (l *leaf) joins(other *leaf) bool {
	if l.name != other.name || l.typ != other.typ || !slices.Equal(l.labelNames(), other.labelNames()) {
		return false
	}
	for name, value := range l.constant {
		if v, ok := other.constant[name]; ok && v != value {
			return true
		}
	}
	return false
}

func (l *leaf) labelNames() []string {
	names := slices.Collect(maps.Keys(l.constant))
	if l.label != "" {
		names = append(names, l.label)
	}
	slices.Sort(names)
	return names
}

// randomNest returns a nest of views and registries, and its leaves in order. No label
// is added twice on a way.
func randomNest(t *testing.T, r *rand.Rand, depth int, free []string) (telltale.Collector, []*leaf) {
	if depth == 0 || r.IntN(4) == 0 {
		l := randomLeaf(t, r, &free)
		return l.collector, []*leaf{l}
	}
	if r.IntN(3) == 0 && len(free) > 0 {
		i := r.IntN(len(free))
		label, value := free[i], fmt.Sprint(r.IntN(3))
		c, leaves := randomNest(t, r, depth-1, slices.Delete(slices.Clone(free), i, i+1))
		for _, l := range leaves {
			l.constant[label] = value
		}
		return telltale.Must(telltale.Labelled(c, map[string]string{label: value})), leaves
	}
	var parts []telltale.Collector
	var leaves []*leaf
	for range 1 + r.IntN(4) {
		c, l := randomNest(t, r, depth-1, free)
		parts, leaves = append(parts, c), append(leaves, l...)
	}
	if r.IntN(2) == 0 {
		return telltale.Must(telltale.Merge(parts...)), leaves
	}
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
	for _, c := range parts { // each in a registry of its own, which claims nothing
		inner := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
		register(t, inner, c)
		register(t, reg, inner)
	}
	return reg, leaves
}

func randomLeaf(t *testing.T, r *rand.Rand, free *[]string) *leaf {
	t.Helper()
	l := &leaf{name: fmt.Sprintf("m%d", r.IntN(3)), typ: "gauge", constant: map[string]string{}, value: float64(1 + r.IntN(9))}
	if r.IntN(3) == 0 {
		l.label = "x"
	}
	opts := []telltale.GaugeOption{telltale.Unregistered()}
	if r.IntN(4) == 0 && len(*free) > 0 {
		label, value := (*free)[0], fmt.Sprint(r.IntN(3))
		*free = (*free)[1:]
		l.constant[label] = value
		opts = append(opts, telltale.WithConstLabels(map[string]string{label: value}))
	}
	labels := map[string]string{}
	if l.label != "" {
		labels[l.label] = "x"
	}
	switch {
	case r.IntN(2) == 0 && l.label != "":
		vec := telltale.Must(telltale.NewGaugeVec(l.name, "", []string{"x"}, opts...))
		vec.With("x").Set(l.value)
		l.collector = vec
	case len(l.constant) > 0 || r.IntN(2) == 0:
		g := telltale.Must(telltale.NewGauge(l.name, "", opts...))
		l.label = ""
		g.Set(l.value)
		l.collector = g
	default:
		typ := model.Gauge
		if r.IntN(6) == 0 {
			typ, l.typ = model.Unknown, "unknown"
		}
		f := family(l.name, typ)
		f.AddSample(l.name, labels, l.value)
		l.collector = nameless(f)
	}
	return l
}

// joinedPage is the page of the leaves by the rule, as lines, and how many are left out.
func joinedPage(leaves []*leaf) (lines []string, left uint64) {
	done := make(map[*leaf]bool)
	named := make(map[string]bool)
	for i, first := range leaves {
		switch {
		case done[first]:
			continue
		case named[first.name]:
			left++
			continue
		}
		named[first.name] = true
		lines = append(lines, "# TYPE "+first.name+" "+first.typ)
		group := []*leaf{first}
		for _, other := range leaves[i+1:] {
			if !slices.ContainsFunc(group, func(l *leaf) bool { return !l.joins(other) }) {
				group, done[other] = append(group, other), true
			}
		}
		for _, l := range group {
			lines = append(lines, l.line())
		}
	}
	return lines, left
}

func TestNestsOfViewsAgainstAModel(t *testing.T) {
	seed := uint64(rand.Int64())
	for i := range 3000 {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		c, leaves := randomNest(t, r, 4, []string{"pool", "zone", "x1"})
		outer := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
		inner := telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
		register(t, inner, c)
		register(t, outer, inner)
		want, left := joinedPage(leaves)
		var got []string
		var name string
		err := outer.Collect(t.Context(), func(f *model.Family) error {
			name = strings.Clone(f.Name)
			got = append(got, "# TYPE "+name+" "+f.Type.String())
			for s := range f.Samples() {
				got = append(got, fmt.Sprintf("%s%s %v", s.Name, s.Labels.Sorted(), s.Value))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		faults := outer.Stats().Faults[telltale.ReasonRepeatedFamily]
		if !slices.Equal(got, want) || faults != left {
			t.Fatalf("seed %d, nest %d: got %d faults and\n%s\nwant %d and\n%s", seed, i, faults, strings.Join(got, "\n"), left, strings.Join(want, "\n"))
		}
		parser := openmetrics.NewParser(strings.NewReader(openMetrics(t, outer)))
		for err == nil {
			_, err = parser.Next()
		}
		if !errors.Is(err, io.EOF) {
			t.Fatalf("seed %d, nest %d: %v", seed, i, err)
		}
	}
}
