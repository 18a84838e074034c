package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printable returns text from outside, such as the name of a file or an error,
// in a form for terminals: on one line, and with Go's escapes (\n, \x1b, \u202e,
// \xff) in place of characters that are not printed. Other text, backslashes
// included, is unchanged.
func printable(text string) string { return escape(text, "") }

// escape is [printable] except for the characters in kept.
func escape(text, kept string) string {
	var safe strings.Builder
	from := 0 // text from here on is not in safe yet
	for i, r := range text {
		n := utf8.RuneLen(r)
		if invalid := r == utf8.RuneError && !strings.HasPrefix(text[i:], string(r)); invalid {
			n = 1
		} else if unicode.IsPrint(r) || strings.ContainsRune(kept, r) {
			continue
		}
		quoted := strconv.Quote(text[i : i+n])
		safe.WriteString(text[from:i])
		safe.WriteString(quoted[1 : len(quoted)-1])
		from = i + n
	}
	if from == 0 {
		return text
	}
	return safe.String() + text[from:]
}

// output is where verbs write their results. It writes them unchanged, since
// they may be a page, except to a terminal; text from outside that is added to a page
// has to be [printable].
type output struct{ io.Writer }

// outputTo returns an output to a stream.
func outputTo(stream io.Writer) output {
	if isTerminal(stream) {
		return output{&forTerminal{to: stream}}
	}
	return output{stream}
}

// forTerminal writes text to a terminal with the characters escaped that it would obey.
type forTerminal struct {
	to   io.Writer
	rest []byte // the first bytes of a character whose others are not written yet
}

// Write writes the text.
func (f *forTerminal) Write(text []byte) (int, error) {
	all := append(f.rest, text...)
	n := len(all)
	for i := max(n-utf8.UTFMax+1, 0); i < n; i++ {
		if utf8.RuneStart(all[i]) && !utf8.FullRune(all[i:]) {
			n = i
		}
	}
	if _, err := io.WriteString(f.to, escape(string(all[:n]), "\n\t")); err != nil {
		return 0, err
	}
	f.rest = append([]byte(nil), all[n:]...)
	return len(text), nil
}

// diagnostics is where verbs report errors and warnings. Everything written
// there is made safe for a terminal.
type diagnostics struct{ to io.Writer }

// Write writes whole lines, with unprintable characters escaped.
func (d diagnostics) Write(text []byte) (int, error) {
	if _, err := io.WriteString(d.to, escape(string(text), "\n")); err != nil {
		return 0, err
	}
	return len(text), nil
}

// warn prints a problem that does not stop the verb.
func (d diagnostics) warn(err error) { d.tell("telltale: warning: ", err) }

// fail prints an error that stops the verb.
func (d diagnostics) fail(err error) { d.tell("telltale: ", err) }

// tell prints a line for each of the errors joined in err.
func (d diagnostics) tell(prefix string, err error) {
	for _, one := range each(err) {
		text := printable(one.Error())
		if explained := (*explanation)(nil); errors.As(one, &explained) {
			text = explained.text
		}
		_, _ = fmt.Fprintf(d, "%s%s\n", prefix, text) // a failure cannot be reported anywhere else
	}
}

// each returns the errors that err joins.
func each(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, each(one)...)
	}
	return all
}

// explanation is an error of a page with the line that it is in. Its text is
// printable and has several lines.
type explanation struct {
	text  string
	cause error // of the parser; may be nil
}

// Error returns the text.
func (e *explanation) Error() string { return e.text }

// Unwrap returns the error of the parser.
func (e *explanation) Unwrap() error { return e.cause }

// writeJSON writes v as indented JSON in which every character that a terminal
// would not print is escaped.
func writeJSON(to io.Writer, v any) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", "\t")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	var safe strings.Builder
	for _, r := range text.String() { // which is valid UTF-8
		switch {
		case r < ' ' || unicode.IsPrint(r): // control characters are line breaks of the layout
			safe.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&safe, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&safe, `\u%04x\u%04x`, high, low)
		}
	}
	_, err := io.WriteString(to, safe.String())
	return err
}
