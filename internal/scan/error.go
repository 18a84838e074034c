package scan

import (
	"errors"
	"fmt"
	"strconv"
)

// SyntaxError is an error of a page. Lines and columns begin with 1; columns
// count bytes.
type SyntaxError struct {
	Line     int
	Column   int
	Found    string // what the page has there
	Expected string // what the format expects there
}

// Error returns the position, what was found and what was expected.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: found %s, expected %s", e.Line, e.Column, e.Found, e.Expected)
}

// LimitError is the error of a page that exceeds one of the [Limits].
type LimitError struct {
	Limit string // name of the field of Limits
	Max   int64  // value of the field
	Wrong error  // the position: a SyntaxError of the format
}

// Error returns the text of the syntax error, which has the position and the
// limit.
func (e *LimitError) Error() string { return e.Wrong.Error() }

// Unwrap returns the syntax error.
func (e *LimitError) Unwrap() error { return e.Wrong }

// IsSyntax reports whether an error is an error of the page, not of its reader.
func IsSyntax(err error) bool {
	var syntax *SyntaxError
	return errors.As(err, &syntax)
}

// shown is the number of bytes of a page that an error quotes.
const shown = 40

// Quote quotes bytes of the page for an error, cut to the first bytes if they
// are many.
func Quote(b []byte) string {
	if len(b) > shown {
		return strconv.Quote(string(b[:shown])) + "..."
	}
	return strconv.Quote(string(b))
}
