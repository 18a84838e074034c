package scan

import "telltale/model"

// Families hands out families as their lines have been read. A family ends where
// the next begins, so an error in that line is found while the family is still
// to be returned; it is held back until then.
type Families struct {
	err    error // returned ever after
	behind error // what is wrong behind the family that was returned
}

// Next calls read until it gives a family or an error, io.EOF at the end. Both
// at once are a family and what is wrong behind it.
func (f *Families) Next(read func() (*model.Family, error)) (*model.Family, error) {
	if f.err == nil {
		f.err, f.behind = f.behind, nil
	}
	for f.err == nil {
		done, err := read()
		if done != nil {
			f.behind = err
			return done, nil
		}
		f.err = err
	}
	return nil, f.err
}
