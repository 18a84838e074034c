package model

// Edition identifies the series of a Source until they change. Editions are compared by
// their addresses.
type Edition struct{ _ byte }

// NewEdition returns an edition that differs from all others.
func NewEdition() *Edition { return new(Edition) }

// EditionSource is a Source that knows when its series change, so that a view that
// decides about each series need not decide again in every walk. Package rules asks for
// it.
type EditionSource interface {
	Source
	// Edition returns the present edition, nil if it is not known. It is another one
	// before a walk can leave out a series that others visit, visit them in another order
	// or with other labels, bounds, quantiles or states. New series, which walks visit
	// behind all others, need no other edition. It is safe for concurrent use.
	Edition() *Edition
}

// Edition returns the present edition of the family's source, nil if it is not known
// ([EditionSource]) or the family has points of its own. If it is the same before a walk
// and when a point is visited, then all walks of that edition have visited the same series
// up to there.
func (f *Family) Edition() *Edition {
	if s, ok := f.source.(EditionSource); ok && f.empty() {
		return s.Edition()
	}
	return nil
}
