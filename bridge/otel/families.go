package otelbridge

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"telltale/internal/unfit"
	"telltale/model"
)

// points are the points of one metric. They are read, not copied.
type points interface {
	len() int
	attributes(i int) *attribute.Set
	check(i int) error // why a point cannot be shown
	read(i int, to *model.Point, r *reader)
}

// builder puts together the families of a page.
type builder struct {
	naming    *naming
	scopes    bool
	maxSeries int
	maxLabels int
	wrong     *unfit.List
	series    int
	after     []pair // labels that all series have from the resource
	groups    map[string]*group
	pairs     []pair // scratch
}

func newBuilder(c *collector, wrong *unfit.List) *builder {
	return &builder{
		naming: c.naming, scopes: c.scopes, maxSeries: c.maxSeries, maxLabels: c.maxLabels,
		wrong: wrong, groups: make(map[string]*group),
	}
}

// group is a family that grows by the metrics that have its name.
type group struct {
	named
	naming  *naming
	help    string
	first   string // the scope of the first metric
	pieces  []points
	text    []byte // labels of all series
	entries []entry
}

// entry is a series of a group.
type entry struct {
	labels     model.Labels
	begin, end int // of its labels in the text
	piece      int
	index      int
}

func (b *builder) addScope(s *metricdata.ScopeMetrics) {
	after := b.after
	if b.scopes {
		after = b.scopeLabels(&s.Scope)
	}
	for i := range s.Metrics {
		m := &s.Metrics[i]
		if err := b.addMetric(m, s.Scope.Name, after); err != nil {
			b.wrong.LeaveOut(m.Name, err)
		}
	}
}

// scopeLabels returns the labels of a scope, and those of the resource that differ.
func (b *builder) scopeLabels(s *instrumentation.Scope) []pair {
	const prefix = "otel_scope_"
	var own []pair
	for _, p := range []pair{{prefix + "name", s.Name}, {prefix + "version", s.Version}, {prefix + "schema_url", s.SchemaURL}} {
		if p.value != "" {
			own = append(own, pair{p.name, b.naming.short(p.value)})
		}
	}
	more := b.naming.pairs(nil, &s.Attributes, prefix, b.maxLabels)
	for _, p := range append(more, b.after...) {
		if !slices.ContainsFunc(own, func(o pair) bool { return o.name == p.name }) && p.name != prefix+"name" && p.name != prefix+"version" && p.name != prefix+"schema_url" {
			own = append(own, p)
		}
	}
	return own
}

// addMetric adds the series of a metric to the group of its name.
func (b *builder) addMetric(m *metricdata.Metrics, scope string, after []pair) error {
	k, data, err := read(m.Data)
	if err != nil {
		return err
	}
	header, err := b.naming.metric(m, k)
	if err != nil {
		return err
	}
	g := b.groups[header.name]
	if g == nil {
		g = &group{named: header, naming: b.naming, help: model.ValidHelp(m.Description), first: scope}
		b.groups[header.name] = g
	}
	if g.typ != header.typ {
		return fmt.Errorf("scope %q has it as a %s, and its name on the page, %q, belongs to a %s of scope %q: rename one of them by a view of the SDK, or give one reader a namespace",
			scope, header.typ, header.name, g.typ, g.first)
	}
	if g.unit != header.unit {
		g.unit = "" // there is one for a family, and these disagree
	}
	piece := len(g.pieces)
	g.pieces = append(g.pieces, data)
	for i := range data.len() {
		if b.series >= b.maxSeries {
			return fmt.Errorf("%d of its series are beyond the limit of %d for a collection (WithMaxSeries)", data.len()-i, b.maxSeries)
		}
		if err := b.addPoint(g, piece, i, after); err != nil {
			b.wrong.LeaveOut(m.Name, err)
			continue
		}
		b.series++
	}
	return nil
}

func (b *builder) addPoint(g *group, piece, index int, after []pair) error {
	data := g.pieces[piece]
	if err := data.check(index); err != nil {
		return err
	}
	set := data.attributes(index)
	if n := set.Len() + len(after); n > b.maxLabels {
		return fmt.Errorf("a series of it has %d labels, at most %d are allowed (WithMaxLabels)", n, b.maxLabels)
	}
	b.pairs = b.naming.pairs(b.pairs[:0], set, "", b.maxLabels)
	for i := range b.pairs {
		if p := &b.pairs[i]; reserved(p.name, g.typ, after) {
			p.name = exported + p.name
			if slices.ContainsFunc(b.pairs, func(o pair) bool { return o.name == p.name && o.value != p.value }) {
				return fmt.Errorf("a series of it has both the attribute %q and one that becomes it", p.name)
			}
		}
	}
	begin := len(g.text)
	g.text = appendPairs(appendPairs(g.text, b.pairs), after)
	if begin < len(g.text) && begin > 0 {
		// AppendLabel has put a comma between this series and the one before.
		begin++
	}
	g.entries = append(g.entries, entry{begin: begin, end: len(g.text), piece: piece, index: index})
	return nil
}

// reserved reports whether a label of an attribute has the name of one that samples
// have of themselves or of their scope.
func reserved(name string, typ model.Type, after []pair) bool {
	return name == "le" && typ == model.Histogram || name == "quantile" && typ == model.Summary ||
		slices.ContainsFunc(after, func(p pair) bool { return p.name == name })
}

// families returns the families of all groups, sorted by name.
func (b *builder) families() []*model.Family {
	var all []*model.Family
	for _, g := range b.groups {
		if g.sort(b.wrong); len(g.entries) > 0 {
			all = append(all, g.family())
		}
	}
	slices.SortFunc(all, func(a, b *model.Family) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// errTwice says that two points are one series.
var errTwice = errors.New("two series have the same labels, because scopes are not among the labels, names became equal, or the SDK has the instrument twice")

// sort sorts the series by their labels and leaves out those that are there twice.
func (g *group) sort(wrong *unfit.List) {
	text := unsafe.String(unsafe.SliceData(g.text), len(g.text)) // no more is appended
	for i := range g.entries {
		e := &g.entries[i]
		e.labels = model.LabelsFromText(text[e.begin:e.end])
	}
	slices.SortStableFunc(g.entries, func(a, b entry) int { return strings.Compare(a.labels.Text(), b.labels.Text()) })
	g.entries = slices.CompactFunc(g.entries, func(a, b entry) bool {
		if a.labels != b.labels {
			return false
		}
		wrong.LeaveOut(g.name, fmt.Errorf("%w: %s", errTwice, b.labels))
		return true
	})
}

// family returns the group as a family that reads its points when it is visited.
func (g *group) family() *model.Family {
	f := &model.Family{Name: g.name, Help: g.help, Unit: g.unit, Type: g.typ}
	if g.literal {
		f = f.Literal()
		f.Name = g.name // Literal has added a suffix, which the samples lack
	}
	return f.WithPoints(g)
}

// LegacyLabels reports whether the names of all labels are legacy names.
func (g *group) LegacyLabels() bool { return !g.naming.labels.UTF8Allowed }

// VisitPoints visits the series.
func (g *group) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	r := readers.Get().(*reader)
	defer readers.Put(r)
	r.naming = g.naming
	for i := range g.entries {
		e := &g.entries[i]
		*scratch = model.Point{Labels: e.labels}
		g.pieces[e.piece].read(e.index, scratch, r)
		if err := visit(scratch); err != nil {
			return err
		}
	}
	return nil
}
