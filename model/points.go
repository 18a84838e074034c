package model

import "unsafe"

// The points that a family itself holds.

// pieces is a list in slices of limited size: a single slice would be copied again
// and again as it grows, which for a hundred thousand points takes longer than to
// parse them.
type pieces[T any] struct {
	full [][]T
	last []T // after those in full
}

// pieceBytes is the largest size of one slice.
const pieceBytes = 32 << 10

func (p *pieces[T]) add(v T) {
	if most := pieceBytes / int(unsafe.Sizeof(v)); len(p.last) == most {
		p.full = append(p.full, p.last)
		p.last = make([]T, 0, most)
	}
	p.last = append(p.last, v)
}

// newest returns the element that was added last, or nil.
func (p *pieces[T]) newest() *T {
	if len(p.last) == 0 {
		return nil
	}
	return &p.last[len(p.last)-1]
}

// removeNewest removes the element that newest returns.
func (p *pieces[T]) removeNewest() {
	p.last = p.last[:len(p.last)-1]
	if n := len(p.full); n > 0 && len(p.last) == 0 {
		p.full, p.last = p.full[:n-1], p.full[n-1]
	}
}

// each calls visit with all elements, in runs, until it returns an error.
func (p *pieces[T]) each(visit func(run []T) error) error {
	for _, run := range p.full {
		if err := visit(run); err != nil {
			return err
		}
	}
	if len(p.last) == 0 {
		return nil
	}
	return visit(p.last)
}

// Append adds a point without changing it. It is for sources that build whole
// points, such as parsers and mergers; the point's parts must fit the family's
// type.
func (f *Family) Append(p Point) {
	if len(f.points.last) == 0 && p.isScalar(f.Type) && (f.part == 0 || f.part == p.Has) {
		f.part = p.Has
		f.scalars.add(Scalar{p.Labels, p.Created, p.Value})
		return
	}
	f.points.add(p)
}

// isScalar reports whether a point of a family of type t has only a number. Most
// points of most pages are so; as scalars they take 48 bytes instead of 128.
func (p *Point) isScalar(t Type) bool {
	return p.Has != 0 && p.Has == t.scalarPart() && p.Timestamp == Timestamp{} && p.Exemplar == nil &&
		p.Histogram == nil && p.Summary == nil && p.States == nil && p.Info.IsEmpty()
}

// visitScalarsAsPoints calls visit with scalars that have the part, as points.
func visitScalarsAsPoints(run []Scalar, part Parts, scratch *Point, visit func(*Point) error) error {
	for i := range run {
		*scratch = run[i].point(part)
		if err := visit(scratch); err != nil {
			return err
		}
	}
	*scratch = Point{}
	return nil
}

// plainNames reports whether the label names of the points that the family itself holds
// are legacy names that do not begin with an underscore, as far as can be seen at once.
func (f *Family) plainNames() bool {
	plain := true
	_ = f.scalars.each(func(run []Scalar) error {
		for i := range run {
			if plain = plain && run[i].Labels.plainNames(); !plain {
				return errStop
			}
		}
		return nil
	})
	_ = f.points.each(func(run []Point) error {
		for i := range run {
			if plain = plain && run[i].Labels.plainNames() && run[i].Info.plainNames(); !plain {
				return errStop
			}
		}
		return nil
	})
	return plain
}

// empty reports whether the family itself holds no points.
func (f *Family) empty() bool { return len(f.scalars.last)+len(f.points.last) == 0 }

// drop removes the points that the family itself holds.
func (f *Family) drop() { f.scalars, f.points, f.part = pieces[Scalar]{}, pieces[Point]{}, 0 }
