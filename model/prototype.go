package model

// PrototypeSource is a Source that knows what all its series have in common, even
// before there is one.
type PrototypeSource interface {
	Source
	// VisitPrototype calls visit with a point as every series has it: its label names
	// with empty values, its buckets, quantiles and states. Its value means nothing.
	// The rules for visit are those of [Source].
	VisitPrototype(scratch *Point, visit func(*Point) error) error
}

// VisitPrototype calls visit with a point that has the label names, buckets, quantiles
// and states that all series of the family have, if its source knows them
// ([PrototypeSource]); its value means nothing. It returns the error of visit. The
// point is valid until visit returns; the caller may use scratch again after that.
func (f *Family) VisitPrototype(scratch *Point, visit func(*Point) error) error {
	if s, ok := f.source.(PrototypeSource); ok {
		return s.VisitPrototype(scratch, visit)
	}
	return nil
}
