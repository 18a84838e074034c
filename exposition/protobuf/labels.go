package protobuf

import (
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/model"
)

// pairs writes labels as messages LabelPair. Series after series have the same
// names at the same places, so it remembers what each name looked like.
type pairs struct {
	columns   []column
	unescaped []byte
}

// column is a label name at one place.
type column struct {
	text []byte // as label text has it, up to the value: method="
	head []byte // as LabelPair has it, up to the length of the value
}

// append appends the labels of the text, the first of them at place i, as
// repeated fields of number n, and returns the place after the last.
func (p *pairs) append(dst []byte, n protowire.Number, text string, i int) ([]byte, int) {
	plain := strings.IndexByte(text, '\\') < 0
	for ; text != ""; i++ {
		if i == len(p.columns) {
			p.columns = append(p.columns, column{})
		}
		c := &p.columns[i]
		if n := len(c.text); n == 0 || len(text) < n || text[:n] != string(c.text) {
			c.set(text)
		}
		text = text[len(c.text):]
		var value string
		if plain {
			end := strings.IndexByte(text, '"')
			value, text = text[:end], text[end+1:]
		} else {
			value, text = p.cutValue(text)
		}
		if text != "" {
			text = text[1:] // the comma
		}
		if size := len(c.head) + 1 + len(value); size < 0x80 { // as nearly always: each length is one byte
			dst = append(dst, byte(protowire.EncodeTag(n, protowire.BytesType)), byte(size))
			dst = append(dst, c.head...)
			dst = append(dst, byte(len(value)))
			dst = append(dst, value...)
			continue
		}
		dst = protowire.AppendTag(dst, n, protowire.BytesType)
		dst = protowire.AppendVarint(dst, uint64(len(c.head)+protowire.SizeBytes(len(value))))
		dst = append(dst, c.head...)
		dst = protowire.AppendString(dst, value)
	}
	return dst, i
}

// set takes the name from the text of a label.
func (c *column) set(text string) {
	var name string
	for n := range model.LabelsFromText(text).All() {
		name = n
		break
	}
	end := strings.IndexByte(text, '=')
	if text[0] == '"' {
		for end = 1; text[end] != '"'; end++ {
			if text[end] == '\\' {
				end++
			}
		}
		end++
	}
	c.text = append(c.text[:0], text[:end+len(`="`)]...)
	c.head = protowire.AppendTag(appendString(c.head[:0], labelName, name), labelValue, protowire.BytesType)
}

// cutValue cuts the value off text that may have escapes, and undoes them.
func (p *pairs) cutValue(text string) (value, rest string) {
	p.unescaped = p.unescaped[:0]
	for {
		i := strings.IndexAny(text, `"\`)
		p.unescaped = append(p.unescaped, text[:i]...)
		if text[i] == '"' {
			return view(p.unescaped), text[i+1:]
		}
		c := text[i+1]
		if c == 'n' {
			c = '\n'
		}
		p.unescaped = append(p.unescaped, c)
		text = text[i+2:]
	}
}

// appendLabels appends the labels of a series and more behind them.
func (e *Encoder) appendLabels(dst []byte, text, more string) []byte {
	if !e.verbatim && (e.names.Rewrites(text) || e.names.Rewrites(more)) {
		text, more = e.rewrite(text, more), ""
	}
	dst, i := e.labels.append(dst, metricLabel, text, 0)
	if more != "" {
		dst, _ = e.labels.append(dst, metricLabel, more, i)
	}
	return dst
}

// rewrite returns labels under the escaping scheme, until the next ones.
func (e *Encoder) rewrite(text, more string) string {
	e.text = e.names.AppendRewritten(e.text[:0], text, more)
	return view(e.text)
}
