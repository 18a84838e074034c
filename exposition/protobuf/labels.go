package protobuf

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/model"
)

// pairs writes labels as LabelPair messages. One series after the other has the
// same names at the same places, so the encoding of each name is remembered.
type pairs struct {
	columns   []column
	unescaped []byte
}

// column is a label name at one place.
type column struct {
	text []byte         // as label text has it, up to the value: method="
	head []byte         // the LabelPair up to the value, with a byte for each of its two lengths: 2nd and last
	wide [headSize]byte // the first bytes of head, copied in one piece
}

const (
	headSize = 32
	wordSize = 8
)

// append appends the labels of the text, the first of them at place i, as
// repeated fields of number n, and returns the place after the last.
func (p *pairs) append(dst []byte, n protowire.Number, text string, i int) ([]byte, int) {
	for at := 0; at < len(text); i++ {
		if i == len(p.columns) {
			p.columns = append(p.columns, column{})
		}
		c := &p.columns[i]
		if width := len(c.text); width == 0 || len(text)-at < width || text[at:at+width] != string(c.text) {
			c.set(text[at:], n)
		}
		at += len(c.text)
		var end int
		if dst, end = c.append(dst, text, at); end < 0 {
			var value string
			value, end = p.value(text, at)
			dst = c.appendLong(dst, value)
		}
		at = end + len(`",`)
	}
	return dst, i
}

// append appends a label whose value begins at the given place of the text, and
// returns where the value ends. It returns -1 if the value has an escape, if a
// length takes more than one byte, which is rare, or if there is no room to copy
// whole words.
func (c *column) append(dst []byte, text string, at int) ([]byte, int) {
	start, head := len(dst), len(c.head)
	if cap(dst)-start < headSize+len(text)-at+wordSize || head > headSize || len(text) < wordSize {
		return dst, -1
	}
	out := dst[start : start+headSize+len(text)-at+wordSize]
	*(*[headSize]byte)(out) = c.wide
	size := 0
	for {
		var word uint64
		if next := at + size; len(text)-next >= wordSize {
			word = load(text[next:])
		} else {
			word = load(text[len(text)-wordSize:]) >> (8 * (wordSize - (len(text) - next)) & 63)
		}
		binary.LittleEndian.PutUint64(out[head+size:], word)
		if found := find(word, '"') | find(word, '\\'); found != 0 {
			size += bits.TrailingZeros64(found) / 8
			break
		}
		size += wordSize
	}
	all := head + size
	if all-2 >= 0x80 || text[at+size] != '"' {
		return dst, -1
	}
	out[1], out[head-1] = byte(all-2), byte(size)
	return dst[:start+all], at + size
}

// find returns a word whose lowest set bit is in the first byte that equals c,
// or 0 if no byte does.
func find(word uint64, c byte) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	word ^= ones * uint64(c)
	return (word - ones) &^ word & highs
}

// load returns the first eight bytes of a text, in little-endian order.
func load(text string) uint64 {
	return binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(text), len(text)))
}

// appendLong appends a label with any value.
func (c *column) appendLong(dst []byte, value string) []byte {
	name := c.head[2 : len(c.head)-1]
	dst = protowire.AppendVarint(append(dst, c.head[0]), uint64(len(name)+protowire.SizeBytes(len(value))))
	return protowire.AppendString(append(dst, name...), value)
}

// set takes the name from the text of a label, a field of number n.
func (c *column) set(text string, n protowire.Number) {
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
	c.head = append(protowire.AppendTag(c.head[:0], n, protowire.BytesType), 0)
	c.head = append(protowire.AppendTag(appendString(c.head, labelName, name), labelValue, protowire.BytesType), 0)
	copy(c.wide[:], c.head)
}

// value returns the value that begins at the given place of the text, unescaped,
// and where it ends.
func (p *pairs) value(text string, at int) (value string, end int) {
	p.unescaped = p.unescaped[:0]
	for {
		i := at + strings.IndexAny(text[at:], `"\`)
		p.unescaped = append(p.unescaped, text[at:i]...)
		if text[i] == '"' {
			return view(p.unescaped), i
		}
		c := text[i+1]
		if c == 'n' {
			c = '\n'
		}
		p.unescaped = append(p.unescaped, c)
		at = i + 2
	}
}

// appendLabels appends the labels of a series, then those of more.
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

// rewrite returns labels under the escaping scheme, valid until the next call.
func (e *Encoder) rewrite(text, more string) string {
	e.text = e.names.AppendRewritten(e.text[:0], text, more)
	return view(e.text)
}
