package telltale

// What views do to families on their way to the page.

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"telltale/internal/gather"
	"telltale/internal/reshape"
	"telltale/model"
)

// path is what a family goes through on its way up: the filters, in terms of the
// collector's own names, then the lens, then perhaps a reshaper and the path beyond
// it.
type path struct {
	filters []gather.Names
	lens    *lens
	prefix  string // what the lens adds to the names within the registry's collector
	foreign bool   // under a nested registry, whose names are not claimed
	holder  *holder

	reshaper reshape.Reshaper // may be nil
	beyond   *path
}

// holder is what the registries on the way to a collector settle for it; outside of
// registries the scrape does.
type holder struct {
	accounts gather.Accounts // where the collector's faults are counted
	room     gather.Room     // of the innermost registry
	coalesce time.Duration   // of the innermost registry that coalesces; 0 if none does
}

// wantsNothing reports whether no name can pass all filters.
func (p *path) wantsNothing() bool {
	return slices.ContainsFunc(p.filters, func(filter gather.Names) bool { return len(filter) == 0 }) ||
		p.beyond != nil && p.beyond.wantsNothing()
}

// wants reports whether anything can be left of a family at the end of the path, of
// which a header says all but its points.
func (p *path) wants(header *model.Family) bool {
	for _, filter := range p.filters {
		restricted, any := header.Restrict(filter.Has)
		if !any {
			return false
		}
		header = restricted
	}
	if p.lens != nil {
		header = header.Renamed(p.lens.prefix + header.Name)
	}
	return p.reshaper == nil || slices.ContainsFunc(p.reshaper.Headers(header), p.beyond.wants)
}

// wantsAny reports whether anything can be left of a family of an entry: of one that it
// described or, if it described none or they may change, of any.
func (p *path) wantsAny(e *entry) bool {
	return !e.settled || len(e.described) == 0 || slices.ContainsFunc(e.described, func(o outline) bool {
		f := o.family
		if e.literal[f.SampleName()] {
			f = f.Literal()
		}
		return p.wants(f)
	})
}

// within returns the path of what a registry or a view on the path holds.
func (p *path) within(h *holder) *path {
	return &path{filters: p.filters, lens: p.lens, foreign: p.foreign, holder: h, reshaper: p.reshaper, beyond: p.beyond}
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
	inner := outer.within(outer.holder)
	inner.filters, inner.prefix = nil, outer.prefix+l.prefix
	if l.filter != nil {
		inner.filters = append(inner.filters, l.filter)
	}
	for _, filter := range outer.filters {
		inner.filters = append(inner.filters, l.translated(filter))
	}
	switch {
	case l.isPlain():
	case outer.lens == nil:
		inner.lens = l
	default:
		inner.lens = &lens{prefix: outer.lens.prefix + l.prefix, labels: l.labels.Append(outer.lens.labels)}
	}
	return inner
}

// translated returns the names that the collector behind the lens has for those of a
// filter from outside.
func (l *lens) translated(filter gather.Names) gather.Names {
	if l.prefix == "" {
		return filter
	}
	inner := make(gather.Names, len(filter))
	for name := range filter {
		if name, ok := strings.CutPrefix(name, l.prefix); ok {
			inner[name] = struct{}{}
		}
	}
	return inner
}

// isPlain reports whether the lens changes no names and adds no labels.
func (l *lens) isPlain() bool { return l.prefix == "" && l.labels.IsEmpty() }

// header returns a family without samples as seen through the lens, and whether
// anything of it is wanted.
func (l *lens) header(f *model.Family) (seen *model.Family, wanted bool, err error) {
	if l.filter != nil {
		if f, wanted = f.Restrict(l.filter.Has); !wanted {
			return nil, false, nil
		}
	}
	if l.isPlain() {
		return f, true, nil
	}
	f, err = l.apply(f, nil) // it has no series to report
	return f, err == nil, err
}

// apply returns the family as seen through the lens, or an error if none of its
// series can have the lens's labels. A sample that has one of them is left out
// and reported, and so is one of a state set with a label of the name that the set
// gets, which is that of the label for its states.
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
	switch {
	case f.Type == model.StateSet && l.prefix != "":
		added.names = append(added.names, f.Name)
	case l.labels.IsEmpty():
		return f, nil
	}
	return f.WithPoints(relabelled{f, added}), nil
}

func (l *lens) loose(samples []model.Sample, added *addition) []model.Sample {
	seen := make([]model.Sample, 0, len(samples))
	for _, s := range samples {
		if err := added.clash(s.Labels); err != nil {
			added.report(err)
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
	names  []string // that series must not have
	report func(error)
	told   atomic.Int64 // series that were reported; each walk finds them again
}

var (
	errHasLabel    = errors.New("the series has a label that the view adds")
	errHasNewLabel = errors.New("the series has a label with the name that the view gives to the state set, which is also the name of the label for the states")
)

// clash returns an error if a series with the labels has one that it must not have.
func (a *addition) clash(labels ...model.Labels) error {
	for _, l := range labels {
		for _, name := range a.names {
			if _, has := l.Get(name); !has {
				continue
			}
			if _, adds := a.labels.Get(name); adds {
				return fmt.Errorf("%w: %s", errHasLabel, l)
			}
			return fmt.Errorf("%w: %s", errHasNewLabel, l)
		}
	}
	return nil
}

// relabelled is the points of a family with labels added.
type relabelled struct {
	family *model.Family
	added  *addition
}

func (r relabelled) VisitPoints(scratch *model.Point, visit func(*model.Point) error) error {
	return r.family.Visit(scratch, r.relabelling(r.added.tell(), visit))
}

// tell returns the function that a walk calls with the error of each series that it leaves
// out. It reports those that no walk has reported: a page may need several, and some end
// early.
func (a *addition) tell() func(error) {
	found := int64(0)
	return func(err error) {
		found++
		if told := a.told.Load(); told < found && a.told.CompareAndSwap(told, found) {
			a.report(err)
		}
	}
}

// VisitPrototype visits the family's prototype with the labels added.
func (r relabelled) VisitPrototype(scratch *model.Point, visit func(*model.Point) error) error {
	return r.family.VisitPrototype(scratch, r.relabelling(func(error) {}, visit))
}

// relabelling returns a visitor that adds the labels to points and visits them. It calls
// leaveOut with the error of a point that is left out.
func (r relabelled) relabelling(leaveOut func(error), visit func(*model.Point) error) func(*model.Point) error {
	var text []byte
	var changed model.Point
	return func(p *model.Point) error {
		if err := r.added.clash(p.Labels, p.Info); err != nil {
			leaveOut(err)
			return nil
		}
		changed = *p
		text = append(text[:0], p.Labels.Text()...)
		if len(text) > 0 && !r.added.labels.IsEmpty() {
			text = append(text, ',')
		}
		text = append(text, r.added.labels.Text()...)
		// The visitor keeps nothing, so the next point may use the same bytes.
		changed.Labels = model.LabelsFromText(unsafe.String(unsafe.SliceData(text), len(text)))
		return visit(&changed)
	}
}

// LegacyLabels reports whether all label names are legacy names, so that encoders need
// not check every series.
func (r relabelled) LegacyLabels() bool {
	return r.family.LegacyLabels() && r.added.labels.AllLegacy()
}
