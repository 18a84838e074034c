// Package columns reads the values of labels out of their text, for series whose labels
// have the same names, as those of a family mostly do.
package columns

import (
	"strings"

	"telltale/model"
)

// Columns are the names of labels in their order.
type Columns struct {
	names []string
	heads []string // of the text, up to the value: method="
}

// Set makes the columns those of labels with the given text, which is not kept.
func (c *Columns) Set(text string) {
	c.names, c.heads = c.names[:0], c.heads[:0]
	labels := model.LabelsFromText(text)
	for name := range labels.Raw() {
		c.heads = append(c.heads, name+`="`)
	}
	for name := range labels.All() {
		c.names = append(c.names, strings.Clone(name))
	}
}

// Names returns the names, until the next Set.
func (c *Columns) Names() []string { return c.names }

// Read puts the values of labels into values, by column, if the text has the columns. They
// refer to the text, but for those with escapes.
func (c *Columns) Read(text string, values []string) ([]string, bool) {
	values = values[:0]
	escaped := strings.IndexByte(text, '\\') >= 0
	for _, head := range c.heads {
		if len(text) <= len(head) || text[:len(head)] != head {
			return values, false
		}
		text = text[len(head):]
		end := 0
		for end < len(text) && text[end] != '"' { // most values are too short for strings.IndexByte to pay
			end++
		}
		if end == len(text) {
			return values, false
		}
		value := text[:end]
		if escaped {
			value, end = unescaped(text)
		}
		values = append(values, value)
		if text = text[end+1:]; text != "" {
			text = text[1:] // the comma
		}
	}
	return values, text == ""
}

// unescaped returns the value at the beginning of label text, and where it ends.
func unescaped(text string) (string, int) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return b.String(), i
		case c == '\\' && i+1 < len(text):
			if i++; text[i] == 'n' {
				b.WriteByte('\n')
				continue
			}
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), len(text) - 1
}
