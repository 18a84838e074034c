package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"telltale/exposition"
)

// The part of a line that is shown, in columns of a terminal.
const (
	shownBefore = 60
	shownAfter  = 40
)

// explain returns an error with the document's name, printable, and with the line
// if it is one of the page:
//
//	metrics.txt:3:9: found "x", expected a number
//	    a_total x
//	            ^
func (d *document) explain(err error) string {
	more := ""
	var exceeded *exposition.LimitError
	if errors.As(err, &exceeded) {
		if flag := d.raising()[exceeded.Limit]; flag != "" {
			more = fmt.Sprintf("; %s raises the limit", flag)
		}
	}
	var wrong *exposition.SyntaxError
	if !errors.As(err, &wrong) {
		return d.name + ": " + printable(err.Error()) + more
	}
	text := fmt.Sprintf("%s:%d:%d: found %s, expected %s%s", d.name, wrong.Line, wrong.Column, printable(wrong.Found), printable(wrong.Expected), more)
	if line, ok := d.line(wrong.Line); ok {
		shown, caret := excerpt(line, wrong.Column)
		text += "\n    " + shown + "\n    " + caret
	}
	return text
}

// line returns a line, or false if the document has no such line.
func (d *document) line(number int) (line []byte, ok bool) {
	rest := d.content
	for ; number > 1; number-- {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			return nil, false
		}
		rest = rest[i+1:]
	}
	line, _, _ = bytes.Cut(rest, []byte{'\n'})
	return line, len(line) > 0
}

// excerpt returns the part of a line around a column, which counts bytes from 1,
// and a line with a caret below that column.
func excerpt(line []byte, column int) (shown, caret string) {
	at := min(max(column-1, 0), len(line))
	var before, after []cell
	for i := 0; i < len(line); {
		r, n := utf8.DecodeRune(line[i:])
		c := cellOf(r, n)
		if i+n <= at {
			before = append(before, c)
		} else {
			after = append(after, c)
		}
		if i += n; i > at+4*shownAfter {
			break
		}
	}
	first, columns := len(before), 0
	for first > 0 && columns+before[first-1].columns <= shownBefore {
		first--
		columns += before[first].columns
	}
	var text strings.Builder
	if first > 0 {
		text.WriteString("...")
		columns += 3
	}
	for _, c := range before[first:] {
		text.WriteString(c.text)
	}
	left, cut := shownAfter, at+4*shownAfter < len(line)
	for _, c := range after {
		if left -= c.columns; left < 0 {
			cut = true
			break
		}
		text.WriteString(c.text)
	}
	if cut {
		text.WriteString("...")
	}
	return text.String(), strings.Repeat(" ", columns) + "^"
}

// cell is a character in its printed form.
type cell struct {
	text    string
	columns int
}

// cellOf returns the printed form of a character of n bytes. Control and
// invisible characters are replaced; a tab is a blank.
func cellOf(r rune, n int) cell {
	switch {
	case r == utf8.RuneError && n == 1:
		return cell{"\ufffd", 1}
	case r == '\t':
		return cell{" ", 1}
	case r < ' ':
		return cell{string('\u2400' + r), 1} // the picture of the control character
	case !unicode.IsPrint(r) && !unicode.Is(unicode.Mn, r):
		return cell{"\ufffd", 1}
	case unicode.Is(unicode.Mn, r): // combines with the character before
		return cell{string(r), 0}
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return cell{string(r), 2}
	}
	return cell{string(r), 1}
}
