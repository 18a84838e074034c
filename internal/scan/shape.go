package scan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// shape is the text of a line up to its value, without the values of its labels.
// Many lines have the same shape, so what was found out about a line is
// remembered, and only what differs is read of the next. A shape holds for the
// grammar and the limits of its scanner.
type shape struct {
	literals []byte  // the text before the first value, between the values, and up to the brace
	pieces   []piece // one for each label
	before   int     // length of the first literal before the labels
	name     []byte  // of the metric
	line     int     // the last line that had it
}

// piece is one literal and the label whose value follows it.
type piece struct {
	end  int  // of the literal, in the literals
	span span // as if all values were empty, and the line began with the shape
}

const (
	shapesKept  = 4   // a histogram has three or four: buckets, sum, count, created
	shapeSize   = 512 // bytes of literals; a line with more has no shape
	shapedValue = 128 // bytes of a label value; a line with a longer one is read as if it had no shape

	// A shape is kept for at least shapeStays lines after one that had it: if
	// lines alternate between more shapes than are kept, some stay in use,
	// rather than each being replaced before it is seen again.
	shapeStays = 6

	// A line without a known shape counts as one miss, and one with a known
	// shape makes up for hitWeighs misses. After missesUntilRare, comparing
	// costs more than it saves: then one line of learnEvery is learned, and only
	// the line after it compared.
	missesUntilRare = 8
	hitWeighs       = 2
	learnEvery      = 16
)

// shapes are the shapes seen last.
type shapes struct {
	kept   [shapesKept]shape
	last   int // the shape of the last line that had one
	missed int // lines without a known shape, less what other lines make up for
}

// recall reads name and labels, up to the value, of a line with a known shape.
// It reads them as [Scanner.series] does, and reads nothing if that would return
// an error, or if the line is not UTF-8.
func (s *Scanner) recall() bool {
	h := &s.shapes
	for range h.compared() {
		if k := &h.kept[h.last]; s.fits(k) {
			k.line = s.lines.number
			h.missed = max(0, min(h.missed-hitWeighs, missesUntilRare))
			return true
		}
		h.last = (h.last + 1) % shapesKept
	}
	h.missed++
	return false
}

// compared returns the number of shapes with which the next line is compared.
func (h *shapes) compared() int {
	if h.missed > missesUntilRare && h.missed%learnEvery != 0 {
		return 0
	}
	return shapesKept
}

// fits is recall for one shape.
func (s *Scanner) fits(k *shape) bool {
	if len(k.pieces) == 0 {
		return false
	}
	line, pos, from, shift, odd := s.line, s.pos, 0, 0, uint64(0)
	spans := s.own.spans[:0]
	for i := range k.pieces {
		p := &k.pieces[i]
		literal := k.literals[from:p.end]
		if len(line)-pos < len(literal) || string(line[pos:pos+len(literal)]) != string(literal) {
			return false
		}
		pos += len(literal)
		from = p.end
		n, seen := valueLength(line[pos:min(len(line), pos+shapedValue)])
		if pos += n; pos == len(line) || line[pos] != '"' {
			return false
		}
		odd |= seen
		sp := span{p.span.start + shift, p.span.name + shift, p.span.end + shift + n, p.span.column + shift + s.pos}
		spans = append(spans, sp)
		shift += n
	}
	s.own.spans = spans
	end := pos + 1
	if end == len(line) || line[end] != '}' {
		return false
	}
	if pos = end + 1; pos < len(line) && line[pos] == ' ' {
		pos++
	} else if !s.grammar.Blanks {
		return false
	}
	if (odd|words(line[pos:]))&highs != 0 && !utf8.Valid(line[s.pos:]) {
		return false
	}
	s.Columns.Name = s.pos + 1
	s.Entry.Name = k.name
	s.Entry.Labels = Labels{line[s.pos+k.before : end : end], spans}
	s.pos = pos
	s.blanks()
	return true
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// valueLength returns the number of bytes before the first quote or backslash,
// or len(b) if there is none, and the bitwise or of all words that these bytes
// are in, which may include later bytes.
func valueLength(b []byte) (n int, seen uint64) {
	for len(b)-n >= 8 {
		x := binary.LittleEndian.Uint64(b[n:])
		seen |= x
		quote, backslash := x^ones*'"', x^ones*'\\'
		if found := ((quote-ones)&^quote | (backslash-ones)&^backslash) & highs; found != 0 {
			return n + bits.TrailingZeros64(found)/8, seen
		}
		n += 8
	}
	for n < len(b) && b[n] != '"' && b[n] != '\\' {
		seen |= uint64(b[n])
		n++
	}
	return n, seen
}

// words returns the bitwise or of the bytes, taken as words.
func words(b []byte) (seen uint64) {
	for ; len(b) >= 8; b = b[8:] {
		seen |= binary.LittleEndian.Uint64(b)
	}
	for _, c := range b {
		seen |= uint64(c)
	}
	return seen
}

// learn remembers the shape of the line, whose series begins at start and has
// been read up to the closing brace, if its labels are written as in [Labels],
// without blanks, needless quotes or escapes.
func (s *Scanner) learn(start int) {
	h := &s.shapes
	l := &s.Entry.Labels
	if len(l.spans) == 0 || h.compared() == 0 {
		return
	}
	end := s.pos - len("}")
	labels, size := end-len(l.text), end-start
	for i := range l.spans {
		n := len(l.Value(i))
		if size -= n; n > shapedValue {
			return
		}
	}
	if size > shapeSize || labels <= start || string(s.line[labels:end]) != string(l.text) || bytes.IndexByte(l.text, '\\') >= 0 ||
		s.grammar.Lenient && s.line[start] == '{' { // its name may stand among the labels
		return
	}
	k := h.unused()
	if k.line > 0 && s.lines.number-k.line <= shapeStays {
		return
	}
	k.line = s.lines.number
	k.set(s.line[start:end], l, labels-start)
	k.name = append(k.name[:0], s.Entry.Name...)
}

// unused returns the shape that has not been seen for longest.
func (h *shapes) unused() *shape {
	for i := range h.kept {
		if h.kept[i].line < h.kept[h.last].line {
			h.last = i
		}
	}
	return &h.kept[h.last]
}

// set sets the shape to that of a line up to its brace; the labels begin after
// the given number of bytes.
func (k *shape) set(line []byte, l *Labels, before int) {
	k.literals, k.pieces, k.before = k.literals[:0], k.pieces[:0], before
	from, shift := 0, 0
	for i, sp := range l.spans {
		value := before + sp.name + len(`="`)
		k.literals = append(k.literals, line[from:value]...)
		n := len(l.Value(i))
		from = value + n
		k.pieces = append(k.pieces, piece{len(k.literals), span{sp.start - shift, sp.name - shift, sp.end - shift - n, before + sp.start - shift + 1}})
		shift += n
	}
}
