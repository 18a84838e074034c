package model

// Scalar is a point that is a number and no more: one of a counter, a gauge or an
// unknown, with its value present and neither an exemplar nor a timestamp.
type Scalar struct {
	Labels  Labels
	Created Timestamp // as in [Point]
	Value   float64
}

// Point returns the scalar as a point of a family of type t.
func (s *Scalar) Point(t Type) Point {
	has := PartValue
	if t == Counter {
		has = PartTotal
	}
	return Point{Labels: s.Labels, Has: has, Created: s.Created, Value: s.Value}
}

// ScalarSource is a Source that hands out its scalars many at a time, which takes
// encoders a fraction of the time of a call for each.
type ScalarSource interface {
	Source
	// VisitScalars visits the points that VisitPoints does, in the same order and by
	// the same rules. It gives each to visit, or, as part of a run of any length, to
	// scalars, which neither keeps nor changes what it is given.
	VisitScalars(scratch *Point, scalars func([]Scalar) error, visit func(*Point) error) error
}

// VisitScalars is [Family.Visit] for callers who can take scalars many at a time. A
// source may give any of them, and all other points, to visit.
func (f *Family) VisitScalars(scratch *Point, scalars func([]Scalar) error, visit func(*Point) error) error {
	source, ok := f.source.(ScalarSource)
	if !ok {
		return f.Visit(scratch, visit)
	}
	if err := f.visitOwn(visit); err != nil {
		return err
	}
	return source.VisitScalars(scratch, scalars, visit)
}
