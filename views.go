package telltale

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unsafe"

	"telltale/internal/gather"
	"telltale/model"
)

// RestrictedRegistry is a live view of a registry with only some samples:
// collectors registered later appear in it. It is a Collector. A sample's name
// selects those samples, a family's name the whole family; units, help and
// order stay. Collectors that nobody asked for are not called; those that
// describe nothing are, because they may have anything.
//
// The zero RestrictedRegistry has nothing.
type RestrictedRegistry struct {
	registry *Registry
	names    gather.Names
}

// nothing is the registry of the zero RestrictedRegistry, whose names select
// nothing.
var nothing Registry

func (v *RestrictedRegistry) of() *Registry {
	if v.registry == nil {
		return &nothing
	}
	return v.registry
}

// Restricted returns a live view of the registry with only the named samples and
// families.
func (r *Registry) Restricted(names ...string) *RestrictedRegistry {
	return &RestrictedRegistry{registry: r, names: gather.NamesOf(names)}
}

// Collect emits what is left of the registry's families.
func (v *RestrictedRegistry) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return collect(ctx, v, &v.of().faults, emit)
}

// Restricted returns a view with what both views have.
func (v *RestrictedRegistry) Restricted(names ...string) Collector { return Restrict(v, names...) }

// Restrict returns a live view of any collector with only the named samples and
// families, as [Registry.Restricted] does. What c is able to leave undone it
// leaves undone, unless it is of a type that == cannot compare. Collecting the
// view of a nil collector is an error.
func Restrict(c Collector, names ...string) Collector {
	if r, ok := c.(*Registry); ok {
		return r.Restricted(names...)
	}
	c, err := known(c)
	if err != nil {
		c = CollectorFunc(func(context.Context, func(*model.Family) error) error { return err })
	}
	return &view{inner: c, lens: &lens{filter: gather.NamesOf(names)}}
}

// Prefixed returns a view of c with the prefix before every family's name, as it
// is: no underscore is added. It is an error if the prefix is not valid UTF-8, or
// if c is nil or of a type that == cannot compare, such as a func.
func Prefixed(c Collector, prefix string) (Collector, error) {
	if err := model.CheckName(prefix + "x"); err != nil {
		return nil, fmt.Errorf("telltale: prefix %q: %w", prefix, err)
	}
	c, err := identity(c)
	if err != nil {
		return nil, err
	}
	return &view{inner: c, lens: &lens{prefix: prefix}}, nil
}

// Labelled returns a view of c with the labels added to every series. It is an
// error if a label name is not valid, or if what is known of c has the label
// already or cannot have it, as a histogram "le". A series that has one of them
// all the same is left out at the scrape and counted.
func Labelled(c Collector, labels map[string]string) (Collector, error) {
	c, err := identity(c)
	if err != nil {
		return nil, err
	}
	names := append(labelNames(c), slices.Sorted(maps.Keys(labels))...)
	if err := model.CheckLabelNames("", model.Unknown, names); err != nil {
		return nil, err
	}
	for _, f := range list(c) {
		if err := model.CheckLabelNames(f.Name, f.Type, names); err != nil {
			return nil, err
		}
	}
	return &view{inner: c, lens: &lens{labels: model.LabelsOf(labels)}}, nil
}

// labelNames returns the labels that all series of a collector are known to
// have.
func labelNames(c Collector) []string {
	switch c := c.(type) {
	case defined:
		return append(c.what().constLabels.Names(), c.what().labels...)
	case *view:
		return append(labelNames(c.inner), c.lens.labels.Names()...)
	}
	return nil
}

// Merge returns a collector of several: all their families, in that order, each
// collector run as a registry would run it. It is an error if one of them is nil.
// One of a type that == cannot compare cannot be recognized elsewhere, where it
// may run at the same time.
func Merge(collectors ...Collector) (Collector, error) {
	m := &merged{}
	for _, c := range collectors {
		c, err := known(c)
		if err != nil {
			return nil, err
		}
		m.parts = append(m.parts, c)
	}
	return m, nil
}

// view is a collector seen through a lens.
type view struct {
	inner Collector
	lens  *lens
}

// Collect emits the inner collector's families through the lens.
func (v *view) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return collect(ctx, v, accountOf(v), emit)
}

// Describe returns what the inner collector describes, through the lens.
func (v *view) Describe() []*model.Family { return list(v) }

// describe returns what ask learns of the inner collector, through the lens.
func (v *view) describe(ask func(Collector) ([]*model.Family, error)) (families []*model.Family, err error) {
	inner, err := describe(v.inner, ask)
	if err != nil {
		return nil, err
	}
	for _, f := range inner {
		wanted := true
		if v.lens.filter != nil {
			f, wanted = f.Restrict(v.lens.filter.Has)
		}
		if !wanted {
			continue
		}
		if f, err = v.lens.apply(f, nil); err != nil { // it has no series to report
			return nil, err
		}
		families = append(families, f)
	}
	return families, nil
}

// Restricted returns the view with only the named samples.
func (v *view) Restricted(names ...string) Collector { return Restrict(v, names...) }

// merged is several collectors as one.
type merged struct{ parts []Collector }

// Collect emits the families of all parts.
func (m *merged) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return collect(ctx, m, accountOf(m), emit)
}

// Describe returns what the parts describe.
func (m *merged) Describe() []*model.Family { return list(m) }

// Restricted returns all parts with only the named samples.
func (m *merged) Restricted(names ...string) Collector { return Restrict(m, names...) }

// accountOf returns where the faults under a collector are counted: with the
// first registry in it. Without one they are the caller's, as errors.
func accountOf(c Collector) *faults {
	account := &faults{strict: true}
	_ = walk(c, func(r *Registry) error {
		account = &r.faults
		return errFound
	})
	return account
}

// lens is what a view does to families: leave out samples, add labels to every
// series, put a prefix before the name.
type lens struct {
	filter gather.Names // nil for all
	prefix string
	labels model.Labels
}

// inward returns the path of the collector behind the lens: filters from outside
// lose the prefix and come to the inner collector's names.
func (l *lens) inward(outer *path) *path {
	inner := &path{foreign: outer.foreign, lens: outer.lens, prefix: outer.prefix + l.prefix, holder: outer.holder}
	if l.filter != nil {
		inner.filters = append(inner.filters, l.filter)
	}
	for _, filter := range outer.filters {
		cut := make(gather.Names, len(filter))
		for name := range filter {
			if name, ok := strings.CutPrefix(name, l.prefix); ok {
				cut[name] = struct{}{}
			}
		}
		inner.filters = append(inner.filters, cut)
	}
	switch {
	case l.prefix == "" && l.labels.IsEmpty():
	case outer.lens == nil:
		inner.lens = l
	default:
		inner.lens = &lens{prefix: outer.lens.prefix + l.prefix, labels: l.labels.Append(outer.lens.labels)}
	}
	return inner
}

// apply returns the family as seen through the lens, or an error if none of its
// series can have the lens's labels. A sample that has one of them is left out
// and reported.
func (l *lens) apply(f *model.Family, report func(error)) (*model.Family, error) {
	loose := f.Loose()
	f = f.Renamed(l.prefix + f.Name)
	added := &addition{labels: l.labels, names: l.labels.Names(), report: report}
	if err := model.CheckLabelNames(f.Name, f.Type, added.names); err != nil {
		return nil, err
	}
	if len(loose) > 0 {
		f = f.WithLoose(l.loose(loose, added))
	}
	if l.labels.IsEmpty() {
		return f, nil
	}
	return f.WithPoints(relabelled{f, added}), nil
}

func (l *lens) loose(samples []model.Sample, added *addition) []model.Sample {
	seen := make([]model.Sample, 0, len(samples))
	for _, s := range samples {
		if added.clashes(s.Labels) {
			continue
		}
		s.Name, s.Labels = l.prefix+s.Name, s.Labels.Append(l.labels)
		seen = append(seen, s)
	}
	return seen
}

// addition is labels that a lens adds.
type addition struct {
	labels model.Labels
	names  []string
	report func(error)
}

var errHasLabel = errors.New("the series has a label that the view adds")

// clashes reports whether a series with the labels has one that is to be added,
// and tells of it.
func (a *addition) clashes(labels ...model.Labels) bool {
	for _, l := range labels {
		for _, name := range a.names {
			if _, has := l.Get(name); has {
				a.report(fmt.Errorf("%w: %s", errHasLabel, l))
				return true
			}
		}
	}
	return false
}

// relabelled is the points of a family with labels added.
type relabelled struct {
	family *model.Family
	added  *addition
}

func (r relabelled) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	var text []byte
	var changed model.Point
	return r.family.Visit(scratch, func(p *model.Point) error {
		if r.added.clashes(p.Labels, p.Info) {
			return nil
		}
		changed = *p
		text = append(text[:0], p.Labels.Text()...)
		if len(text) > 0 {
			text = append(text, ',')
		}
		text = append(text, r.added.labels.Text()...)
		// The visitor keeps nothing, so the next point may use the same bytes.
		changed.Labels = model.LabelsFromText(unsafe.String(unsafe.SliceData(text), len(text)))
		return visit(&changed)
	})
}

// LegacyLabels spares encoders a look at every series.
func (r relabelled) LegacyLabels() bool {
	return r.family.LegacyLabels() && r.added.labels.AllLegacy()
}
