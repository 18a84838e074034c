package scan

import (
	"errors"

	"telltale/model"
)

// ErrUnread follows the errors of a page whose rest was not read because it has
// too many errors or too many bytes.
var ErrUnread = errors.New("exposition: the rest of the page was not read")

// ErrTold marks an error that follows from an earlier one and is not returned to
// the user.
var ErrTold = errors.New("scan: told before")

// Families returns families as their lines have been read. A family ends where
// the next begins, so an error in the first line of the next is found while the
// family is still to be returned; the error is held back until then.
type Families struct {
	read  func() (*model.Family, error)
	goOn  bool
	left  int     // errors left until it gives up
	wrong []error // found and not yet returned
	err   error   // returned by every later call
}

// NewFamilies returns a Families of the families that read returns until it
// returns io.EOF. Read may return a family together with an error that comes
// after it.
func NewFamilies(read func() (*model.Family, error), o Options) *Families {
	return &Families{read: read, goOn: o.AllErrors, left: o.Limits.WithDefaults().Errors}
}

// GoesOn reports whether reading goes on after errors.
func (f *Families) GoesOn() bool { return f.goOn }

// Next returns the next family, or an error, io.EOF at the end.
func (f *Families) Next() (*model.Family, error) {
	for {
		switch {
		case len(f.wrong) > 0:
			err := f.wrong[0]
			f.wrong = f.wrong[1:]
			return nil, err
		case f.err != nil:
			return nil, f.err
		}
		done, err := f.read()
		if err != nil {
			f.err = f.Heed(err)
		}
		if done != nil {
			return done, nil
		}
	}
}

// Heed keeps an error of the page for a later Next and returns nil, if reading
// goes on after it. It returns any other error, and [ErrUnread] after too many.
func (f *Families) Heed(err error) error {
	switch {
	case !f.goOn || err == nil:
		return err
	case errors.Is(err, ErrTold):
		return nil
	case !IsSyntax(err):
		return err
	}
	f.wrong = append(f.wrong, err)
	if f.left--; f.left <= 0 {
		return ErrUnread
	}
	return nil
}
