package scan

import (
	"bytes"

	"telltale/model"
)

// Doubts are the families whose type is not known to a parser that goes on after
// errors, because the error is in their metadata. Their samples are skipped: any
// error in them may follow from the first one. The zero value has none.
type Doubts struct {
	bases map[string]bool // names of families without the suffixes of samples
	lost  bool            // an unreadable line may have been the TYPE of a family
}

// Add records that the type of a family is not known.
func (d *Doubts) Add(family string) {
	if d.bases == nil {
		d.bases = map[string]bool{}
	}
	d.bases[string(base([]byte(family)))] = true
}

// Lose records that an unreadable line may have been the TYPE of the samples
// that follow, until Find is called.
func (d *Doubts) Lose() { d.lost = true }

// Find records that the type of the samples that follow is known.
func (d *Doubts) Find() { d.lost = false }

// Salvage uses what is known of a line with an error, and reports whether that
// is enough to go on as if the line had no text: metadata whose name could be
// read still begins a family.
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

// Has reports whether the type of the sample's family is not known.
func (d *Doubts) Has(name []byte) bool {
	return len(d.bases) > 0 && d.bases[string(base(name))]
}

// Adopt reports whether a sample that does not fit the family before it is in
// doubt, as all samples after an unreadable line are.
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

// Repeats are the families that were reported to come in pieces. The zero value
// has none.
type Repeats struct{ told map[string]bool }

// Tell returns the error at its first call for a family, and [ErrTold] from
// every later one.
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
