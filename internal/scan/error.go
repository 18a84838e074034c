package scan

import (
	"errors"
	"fmt"
	"strconv"
)

// SyntaxError is what is wrong with a page. Lines and columns begin with 1;
// columns count bytes.
type SyntaxError struct {
	Line     int
	Column   int
	Found    string // what is there
	Expected string // what should be there
}

// Error says where, what was found and what was expected.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: found %s, expected %s", e.Line, e.Column, e.Found, e.Expected)
}

// LimitError is the error that a page exceeds a limit of [Limits].
type LimitError struct {
	Limit string // the name of the field
	Max   int64  // what it allows
	Wrong error  // where: a SyntaxError of the format
}

// Error says where, and how much is allowed.
func (e *LimitError) Error() string { return e.Wrong.Error() }

// Unwrap returns the syntax error.
func (e *LimitError) Unwrap() error { return e.Wrong }

// IsSyntax reports whether an error is one of the page.
func IsSyntax(err error) bool {
	var syntax *SyntaxError
	return errors.As(err, &syntax)
}

// shown is how many bytes of a page an error shows.
const shown = 40

// Quote shows bytes of the page in an error, cut if they are many.
func Quote(b []byte) string {
	if len(b) > shown {
		return strconv.Quote(string(b[:shown])) + "..."
	}
	return strconv.Quote(string(b))
}
