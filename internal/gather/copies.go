package gather

import (
	"fmt"
	"strings"

	"telltale/model"
)

// copied is the result of examining an emitted family.
type copied struct {
	family   *model.Family // a copy if complete is set, else the collector's own family
	complete bool
	size     int  // of a copy
	legacy   bool // for the collector's own family: whether all label names are legacy names
}

// examine walks a family once, in the collector's goroutine: it finds repeated
// series and those whose labels a page must not have, and copies the others while
// there is room. It returns nil if the family's source failed, which it has
// counted, and an error if no scrape wants the family any more.
func (r *run) examine(f *model.Family) (c *copied, err error) {
	w := &examination{run: r, name: f.Name, typ: f.Type, seen: make(seenSamples), points: new(copiedPoints)}
	r.labels.begin(f.Name, f.Type)
	r.copying.reset()
	r.copying.take = w.keep
	defer func() {
		if c == nil {
			w.discard()
		}
	}()
	failed := false
	guarded(func() error {
		var scratch model.Point
		if err := f.Visit(&scratch, w.visit); err != nil {
			return err
		}
		w.points.legacy = r.labels.legacy
		return r.copying.flush()
	}, func(reason Reason, problem error) {
		if failed = true; w.stopped == nil {
			r.fault(reason, f.Name, problem)
		}
	})
	if failed {
		return nil, w.stopped
	}
	if loose := f.Loose(); len(loose) > 0 {
		f = f.WithLoose(w.fitLoose(f))
	}
	w.reserve(sizeWithoutPoints(f))
	if w.discarded {
		if len(w.unfit) > 0 {
			f = f.WithPoints(skipping{f, w.unfit})
		}
		return &copied{family: f, legacy: w.points.legacy}, nil
	}
	return &copied{family: detached(f, w.points), complete: true, size: w.size}, nil
}

// detached returns a copy of the family with the given points, which shares no
// memory with the family.
func detached(f *model.Family, points model.Source) *model.Family {
	if len(f.Loose()) > 0 {
		return f.WithPoints(nil).Clone().WithPoints(points)
	}
	c := f.WithPoints(points)
	c.Name, c.Help, c.Unit = strings.Clone(f.Name), strings.Clone(f.Help), strings.Clone(f.Unit)
	return c
}

// examination is a walk of examine.
type examination struct {
	run       *run
	name      string // of the family
	typ       model.Type
	seen      seenSamples
	unfit     map[int]bool // indexes of points that are left out
	walked    int          // points
	points    *copiedPoints
	size      int  // of points
	discarded bool // there was no room for a copy
	stopped   error
}

// checkEvery is the number of points after which a walk checks whether the
// family is still wanted.
const checkEvery = 1024

func (w *examination) visit(p *model.Point) error {
	if w.walked%checkEvery == 0 && w.walked > 0 {
		if w.stopped = w.run.refusal(); w.stopped != nil {
			return w.stopped
		}
	}
	if w.refuses(p) {
		if w.unfit == nil {
			w.unfit = make(map[int]bool)
		}
		w.unfit[w.walked] = true
	} else if !w.discarded {
		if err := w.run.copying.add(p); err != nil {
			return err
		}
	}
	w.walked++
	return nil
}

// refuses reports whether a point is to be left out, and counts why.
func (w *examination) refuses(p *model.Point) bool {
	series, err := w.run.labels.hash(p.Timestamp, p.Labels, p.Info)
	if err != nil {
		w.run.unfitLabels(w.name, w.name, p.Labels.Append(p.Info), err)
		return true
	}
	if w.seen.hasPoint(series, w.typ, p) {
		w.run.repeated(w.name, w.name, p.Labels)
		return true
	}
	return false
}

// keep adds a chunk to the copy, if there is room.
func (w *examination) keep(c pointChunk) error {
	if w.reserve(c.size()); !w.discarded {
		w.points.chunks = append(w.points.chunks, c)
	}
	return nil
}

// reserve reserves room for the copy, or discards the copy if there is not
// enough.
func (w *examination) reserve(size int) {
	if w.discarded {
		return
	}
	w.size += size
	if !w.run.retain(size) {
		w.discard()
	}
}

// discard releases the room of the copy.
func (w *examination) discard() {
	w.run.retain(-w.size)
	w.size, w.points.chunks, w.discarded = 0, nil, true
}

// fitLoose returns the samples without repeated ones and those whose labels a page
// must not have.
func (w *examination) fitLoose(f *model.Family) (fit []model.Sample) {
	labels := &w.run.labels
	labels.begin(w.name, model.Unknown) // a loose sample may be a bucket
	for _, s := range f.Loose() {
		series, err := labels.hash(s.Timestamp, s.Labels, model.Labels{})
		if err != nil {
			w.run.unfitLabels(w.name, s.Name, s.Labels, err)
			continue
		}
		if w.seen.hasLoose(series, f, s.Name) {
			w.run.repeated(w.name, s.Name, s.Labels)
			continue
		}
		fit = append(fit, s)
	}
	return fit
}

func (r *run) repeated(family, sample string, labels model.Labels) {
	r.fault(ReasonRepeatedSeries, family, fmt.Errorf("the series %s%s was emitted twice", sample, labels))
}

func (r *run) unfitLabels(family, sample string, labels model.Labels, err error) {
	r.fault(ReasonLabelClash, family, fmt.Errorf("the series %s%s %w", sample, labels, err))
}
