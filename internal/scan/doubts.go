package scan

import (
	"bytes"

	"telltale/model"
)

// Doubts are the families of which a parser that goes on behind errors does not
// know the type, since the error is in their metadata. Their samples may be
// anything, and are passed over: what else is wrong with them may follow from
// that error. The zero value has none.
type Doubts struct {
	bases map[string]bool // names of families without the suffixes of samples
	lost  bool            // what cannot be read may have been the type of a family
}

// Add says that the type of a family is not known.
func (d *Doubts) Add(family string) {
	if d.bases == nil {
		d.bases = map[string]bool{}
	}
	d.bases[string(base([]byte(family)))] = true
}

// Lose says that a line cannot be read, which may have been the TYPE of what
// follows, until Find.
func (d *Doubts) Lose() { d.lost = true }

// Find says that the type of what follows is known.
func (d *Doubts) Find() { d.lost = false }

// Salvage takes what is known of a line with an error, and reports whether it is
// enough to go on as if the line had no text: metadata whose name could be read
// begins a family still.
func (d *Doubts) Salvage(s *Scanner) bool {
	known := s.Readable()
	if !known {
		d.Lose()
	}
	if known = known && s.Metadata(); known {
		if s.Entry.Kind == KindType {
			d.Add(string(s.Entry.Name))
		}
		s.Entry.Text = nil
	}
	return known
}

// Has reports whether a sample of the name is in doubt.
func (d *Doubts) Has(name []byte) bool {
	return len(d.bases) > 0 && d.bases[string(base(name))]
}

// Adopt reports whether a sample that does not fit the family before it is in
// doubt, as all are behind a line that cannot be read.
func (d *Doubts) Adopt(name []byte) bool {
	if d.lost {
		d.Add(string(name))
	}
	return d.Has(name)
}

// base returns a name without the suffix of a sample.
func base(name []byte) []byte {
	found := name
	model.AllParts.Each(func(part model.Parts) {
		if cut, ok := bytes.CutSuffix(name, []byte(part.Suffix())); ok && part != model.PartValue && len(cut) > 0 {
			found = cut
		}
	})
	return found
}

// Repeats are the families of which it was told that they come in pieces. The
// zero value has none.
type Repeats struct{ told map[string]bool }

// Tell returns the error the first time, and [ErrTold] ever after.
func (r *Repeats) Tell(family string, err error) error {
	if r.told[family] {
		return ErrTold
	}
	if r.told == nil {
		r.told = map[string]bool{}
	}
	r.told[family] = true
	return err
}
