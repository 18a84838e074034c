// Package reshape is what a scrape and a view that changes families at will know of
// each other: a mark by which the scrape recognizes the view, and the calls by which
// families go through it. Package rules has such a view.
package reshape

import "telltale/model"

// Reshaper changes families on their way to a page. It does not change itself, so
// that all families of a scrape meet one and the same. Its methods may be called
// from several goroutines at once.
type Reshaper interface {
	// Headers returns the families, without points, that a family can become. None
	// means that the family needs no walk, because nothing of it is left whatever its
	// points have. It depends on nothing but the family's header.
	Headers(f *model.Family) []*model.Family
	// KeepsNames reports whether what is left of a family has the names that it had.
	KeepsNames() bool
	// Reshape emits what a family becomes, each valid until emit returns, and returns
	// emit's first error. It tells report what it leaves out because it cannot be
	// shown, while it runs or while emit reads a family.
	Reshape(f *model.Family, report func(Fault), emit func(*model.Family) error) error
}

// Fault is something that a Reshaper left out.
type Fault struct {
	Reason string // as in package telltale
	Family string
	Err    error
}

// Mark marks a collector that shows another through a Reshaper. The collector embeds
// it for [Of]; the mark is not among its exported methods. A zero Mark shows nothing.
type Mark struct {
	inner model.Collector
	now   func() Reshaper
}

// NewMark returns the mark of a collector that shows inner through what now returns,
// which is asked once for each scrape.
func NewMark(inner model.Collector, now func() Reshaper) Mark { return Mark{inner, now} }

func (m Mark) mark() Mark { return m }

// Of returns what a collector that has embedded a mark shows, and through what; false
// if it has none.
func Of(c model.Collector) (inner model.Collector, now func() Reshaper, ok bool) {
	marked, ok := c.(interface{ mark() Mark })
	if !ok {
		return nil, nil, false
	}
	m := marked.mark()
	return m.inner, m.now, true
}
