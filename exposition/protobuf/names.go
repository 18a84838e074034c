package protobuf

import (
	"encoding/binary"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// names are the label names of the series before, in their order. Most series of
// a family have the same names: if a label has the name that stood at its place
// before, that name need not be checked again.
type names struct {
	known  []knownName
	place  int  // index in known of the next label
	unlike bool // the series has another name at a place before
	missed int  // series with other names, less those with the same
}

// knownName is a name at the beginning of a label.
type knownName struct {
	head []byte // as LabelPair has it, up to the length of the value
	text []byte // as label text has it, up to the value: method="
}

const (
	namesKept = fewLabels // labels of a series whose names are remembered: those that are no part of texts.many
	nameSize  = 127       // bytes of a name that is remembered

	// After missesUntilRare series with other names than those before, names are
	// remembered only for one series of learnEvery.
	missesUntilRare = 8
	learnEvery      = 16
)

// begin begins a series.
func (n *names) begin() {
	if n.place > 0 && !n.unlike {
		n.missed = max(0, min(n.missed-1, missesUntilRare))
	}
	n.place, n.unlike = 0, false
}

// readSeriesLabel reads a LabelPair of a series, as [Scanner.readLabel] does.
func (s *Scanner) readSeriesLabel(of *message) {
	t, n := &s.point.labels, &s.names
	learns := n.place < namesKept
	if n.place < len(n.known) {
		k := &n.known[n.place]
		value, rest, same := k.begins(of)
		if same && plain(value) {
			t.append(k, value)
			n.place++
			of.rest = rest
			return
		}
		if same {
			s.readLabel(t, of)
			n.place++
			return
		}
		n.unlike = true
		n.missed++
		if learns = n.missed <= missesUntilRare || n.missed%learnEvery == 0; learns {
			n.known = n.known[:n.place]
		}
	}
	pair, start := *of, len(t.text)
	s.readLabel(t, of)
	if s.err == nil && learns && n.learn(&pair, t.text[start:]) {
		n.place++
	} else {
		n.place = namesKept // the labels after it are read without known names
	}
}

// begins returns the value of the next LabelPair, and what follows the pair, if
// the pair consists of the name and a value.
func (k *knownName) begins(of *message) (value, rest []byte, same bool) {
	if of.typ != protowire.BytesType {
		return nil, nil, false
	}
	body, n := cutBytes(of.rest)
	if n < 0 || len(body) <= len(k.head) || string(body[:len(k.head)]) != string(k.head) {
		return nil, nil, false
	}
	value, end := cutBytes(body[len(k.head):])
	return value, of.rest[n:], end > 0 && len(k.head)+end == len(body)
}

// append appends a label with a plain value.
func (t *texts) append(k *knownName, value []byte) {
	if len(t.text) > 0 {
		t.text = append(t.text, ',')
	}
	t.text = append(append(append(t.text, k.text...), value...), '"')
	t.names = append(t.names, k.name())
}

// name returns the name without quotes and escapes.
func (k *knownName) name() []byte { return k.head[2 : len(k.head)-1] }

// plain reports whether b is UTF-8 without characters that label text escapes.
func plain(b []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	all, escaped, rest := uint64(0), uint64(0), b
	for ; len(rest) >= 8; rest = rest[8:] {
		x := binary.LittleEndian.Uint64(rest)
		quote, backslash, feed := x^ones*'"', x^ones*'\\', x^ones*'\n'
		escaped |= (quote-ones)&^quote | (backslash-ones)&^backslash | (feed-ones)&^feed
		all |= x
	}
	if escaped&highs != 0 {
		return false
	}
	for _, c := range rest {
		if c == '"' || c == '\\' || c == '\n' {
			return false
		}
		all |= uint64(c)
	}
	return all&highs == 0 || utf8.Valid(b)
}

// learn remembers the name of a LabelPair that was written as text, after those
// known, and reports whether it could.
func (n *names) learn(pair *message, text []byte) bool {
	const nameTag, valueTag = byte(labelName)<<3 | byte(protowire.BytesType), byte(labelValue)<<3 | byte(protowire.BytesType)
	body, _ := cutBytes(pair.rest)
	if len(body) < 2 || body[0] != nameTag || body[1] > nameSize {
		return false
	}
	head := 2 + int(body[1]) + 1
	if len(body) <= head || body[head-1] != valueTag {
		return false
	}
	k := n.next()
	k.head = append(k.head[:0], body[:head]...)
	value, _, same := k.begins(pair)
	if !same || !plain(value) {
		return false
	}
	if text[0] == ',' {
		text = text[1:]
	}
	k.text = append(k.text[:0], text[:len(text)-len(value)-1]...)
	n.known = n.known[:len(n.known)+1]
	return true
}

// next returns the memory for one more name after those known.
func (n *names) next() *knownName {
	if len(n.known) == cap(n.known) {
		n.known = append(n.known, knownName{})[:len(n.known)]
	}
	return &n.known[:len(n.known)+1][len(n.known)]
}
