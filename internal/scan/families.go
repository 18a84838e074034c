package scan

import (
	"errors"

	"telltale/model"
)

// ErrUnread comes behind the errors of a page whose rest was not read, for there
// were too many of them or too many bytes.
var ErrUnread = errors.New("exposition: the rest of the page was not read")

// ErrTold is an error that follows from one before it, and is not told again.
var ErrTold = errors.New("scan: told before")

// Families hands out families as their lines have been read. A family ends where
// the next begins, so an error in that line is found while the family is still
// to be returned; it is held back until then.
type Families struct {
	read  func() (*model.Family, error)
	goOn  bool
	left  int     // so many errors until it gives up
	wrong []error // found and not yet returned
	err   error   // returned ever after
}

// NewFamilies returns what hands out the families that read gives until it gives
// io.EOF. It may give a family and, at once, what is wrong behind it.
func NewFamilies(read func() (*model.Family, error), o Options) *Families {
	return &Families{read: read, goOn: o.AllErrors, left: o.Limits.WithDefaults().Errors}
}

// GoesOn reports whether reading goes on behind errors.
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

// Heed keeps an error of the page to be returned, and returns nil, if reading
// goes on behind it. It returns any other error, and [ErrUnread] after too many.
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
