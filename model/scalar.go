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
func (s *Scalar) Point(t Type) Point {
	has := PartValue
	if t == Counter {
		has = PartTotal
	}
	return Point{Labels: s.Labels, Has: has, Created: s.Created, Value: s.Value}
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
	source, ok := f.source.(ScalarSource)
	if !ok {
		return f.Visit(scratch, visit)
	}
	if err := f.visitOwn(visit); err != nil {
		return err
	}
	return source.VisitScalars(scratch, scalars, visit)
}
