package model

// Scalar is a point that has only a number: one of a counter, a gauge or an
// unknown, whose value is present and which has neither an exemplar nor a
// timestamp.
type Scalar struct {
	Labels  Labels
	Created Timestamp // as in [Point]
	Value   float64
}

// Point returns the scalar as a point of a family of type t.
func (s *Scalar) Point(t Type) Point { return s.point(t.scalarPart()) }

func (s *Scalar) point(has Parts) Point {
	return Point{Labels: s.Labels, Has: has, Created: s.Created, Value: s.Value}
}

// scalarPart returns the part that a scalar of a family of type t is, 0 if points of
// the type are no scalars.
func (t Type) scalarPart() Parts {
	switch t {
	case Counter:
		return PartTotal
	case Gauge, Unknown:
		return PartValue
	}
	return 0
}

// ScalarSource is a Source that provides its scalars in runs, which encoders
// handle in a fraction of the time of single calls.
type ScalarSource interface {
	Source
	// VisitScalars visits the points that VisitPoints visits, in the same order
	// and by the same rules. It passes each point to visit or, as part of a run
	// of any length, to scalars, which neither keeps nor changes the run.
	VisitScalars(scratch *Point, scalars func([]Scalar) error, visit func(*Point) error) error
}

// VisitScalars is [Family.Visit] for callers that accept scalars in runs. A
// source may pass any of them, and passes all other points, to visit.
func (f *Family) VisitScalars(scratch *Point, scalars func([]Scalar) error, visit func(*Point) error) error {
	if err := f.visitOwn(scratch, scalars, visit); err != nil || f.source == nil {
		return err
	}
	if source, ok := f.source.(ScalarSource); ok {
		return source.VisitScalars(scratch, scalars, visit)
	}
	return f.source.VisitPoints(scratch, visit)
}
