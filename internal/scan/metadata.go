package scan

import "telltale/model"

// Metadata is the set of the kinds of metadata that a family has had.
type Metadata uint8

// Take sets the family's metadata from the last entry. Metadata after samples,
// or a second time, is an error.
func (m *Metadata) Take(s *Scanner, f *model.Family, samples bool) error {
	e := &s.Entry
	kind := Metadata(1) << e.Kind
	switch {
	case samples:
		return s.Fail(1, "metadata after samples of "+Quote(e.Name), "it before them")
	case *m&kind != 0:
		return s.Fail(1, "the same metadata of "+Quote(e.Name)+" again", "it once")
	}
	*m |= kind
	switch e.Kind {
	case KindHelp:
		f.Help = string(e.Text)
	case KindType:
		f.Type, _ = model.ParseType(string(e.Text)) // the page has checked it
	default:
		f.Unit = string(e.Text)
	}
	return nil
}
