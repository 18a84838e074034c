package model

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Labels is an immutable list of label names and values in a fixed order, kept
// as its own text in the exposition formats: a="x",b="y". Names that are not
// legacy label names are quoted; backslash, newline and double quote are escaped
// as \\, \n and \". Encoders copy that text, so the labels of a series are
// rendered once. The zero value has no labels. Labels are comparable with ==,
// which depends on the order; [Labels.Same] does not.
type Labels struct{ text string }

// LabelsOf returns the labels of a map, sorted by name. Invalid UTF-8 in names
// and values is replaced by U+FFFD; empty names are left out.
func LabelsOf(labels map[string]string) Labels {
	if len(labels) == 0 {
		return Labels{}
	}
	var text []byte
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		text = AppendLabel(text, name, labels[name])
	}
	return Labels{string(text)}
}

// LabelPairs returns labels in the order given. Names beyond the number of
// values, or values beyond the number of names, are left out; [CheckLabelNames]
// checks whether names may label a family.
func LabelPairs(names, values []string) Labels {
	var text []byte
	for i := range min(len(names), len(values)) {
		text = AppendLabel(text, names[i], values[i])
	}
	return Labels{string(text)}
}

// LabelsFromText wraps text that [AppendLabel] made, without copying it. It is
// for sources that keep the text of many series in one allocation.
func LabelsFromText(text string) Labels { return Labels{text} }

// ValidLabelsText reports whether text from elsewhere is the text of labels, so
// that [LabelsFromText] may wrap it: valid UTF-8, quotes around names that need
// them, and only the escapes that [AppendLabel] makes.
func ValidLabelsText(text string) bool {
	if plainLabelsText(text) {
		return true
	}
	if !utf8.ValidString(text) {
		return false
	}
	for text != "" {
		n := labelNameLength(text)
		if n == 0 || !strings.HasPrefix(text[n:], `="`) {
			return false
		}
		end, ok := validValue(text[n+2:])
		if !ok {
			return false
		}
		text = text[n+2+end:]
		if text == "" {
			break
		}
		if text[0] != ',' || len(text) == 1 {
			return false
		}
		text = text[1:]
	}
	return true
}

// plainLabelsText reports whether text is the text of labels without quoted
// names or escapes, all ASCII, which is the usual case.
func plainLabelsText(text string) bool {
	for i := 0; i < len(text); {
		start := i
		for i < len(text) && plainBytes[text[i]]&plainName != 0 {
			i++
		}
		if i == start || '0' <= text[start] && text[start] <= '9' || len(text)-i < 2 || text[i] != '=' || text[i+1] != '"' {
			return false
		}
		for i += 2; i < len(text) && plainBytes[text[i]]&plainValue != 0; i++ {
		}
		if i == len(text) || text[i] != '"' {
			return false
		}
		if i++; i == len(text) {
			return true
		}
		if text[i] != ',' {
			return false
		}
		i++
	}
	return text == "" // otherwise it ends in a comma
}

const (
	plainName  = 1 << iota // may stand in a name without quotes
	plainValue             // may stand in a value without an escape
)

// plainBytes holds where each byte may stand.
var plainBytes = func() (bytes [256]uint8) {
	for b := byte(' '); b < 0x7f; b++ {
		if b != '"' && b != '\\' {
			bytes[b] |= plainValue
		}
		if b == '_' || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z' {
			bytes[b] |= plainName
		}
	}
	return bytes
}()

// labelNameLength returns the length of the name at the beginning of text, with
// its quotes, or 0 if there is none that [AppendLabel] would write.
func labelNameLength(text string) int {
	if text[0] != '"' {
		end := strings.IndexByte(text, '=')
		if end < 0 || !LegacyLabelName(text[:end]) {
			return 0
		}
		return end
	}
	n, ok := validValue(text[1:])
	if !ok || n == 1 || LegacyLabelName(text[1:n]) {
		return 0
	}
	return 1 + n
}

// validValue returns the end of escaped text, after its closing quote.
func validValue(text string) (end int, ok bool) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i + 1, true
		case '\n':
			return 0, false
		case '\\':
			if i++; i == len(text) || !strings.ContainsRune(`\n"`, rune(text[i])) {
				return 0, false
			}
		}
	}
	return 0, false
}

// AppendLabel appends one label to the text of others, with the comma between.
// Invalid UTF-8 is replaced; a label without a name is left out.
func AppendLabel(text []byte, name, value string) []byte {
	if name == "" {
		return text
	}
	if len(text) > 0 {
		text = append(text, ',')
	}
	if LegacyLabelName(name) {
		text = append(text, name...)
	} else {
		text = append(text, '"')
		text = AppendEscaped(text, name)
		text = append(text, '"')
	}
	text = append(text, '=', '"')
	text = AppendEscaped(text, value)
	return append(text, '"')
}

// Text returns the labels in the form that they have between the braces of a
// sample.
func (l Labels) Text() string { return l.text }

// String returns the labels in braces.
func (l Labels) String() string { return "{" + l.text + "}" }

// IsEmpty reports whether there are no labels.
func (l Labels) IsEmpty() bool { return l.text == "" }

// Len returns the number of labels.
func (l Labels) Len() int {
	n := 0
	for rest := l.text; rest != ""; n++ {
		_, _, rest = cutLabel(rest)
	}
	return n
}

// All yields names and values in order. It allocates only to undo escapes.
func (l Labels) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for name, value := range l.Raw() {
			if name[0] == '"' {
				name = name[1 : len(name)-1]
			}
			if !yield(unescape(name), unescape(value)) {
				return
			}
		}
	}
}

// Raw yields names and values in order in the form that they have in the text:
// names with their quotes, if they have any, and values without theirs; nothing
// is unescaped.
func (l Labels) Raw() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for rest := l.text; rest != ""; {
			var name, value string
			name, value, rest = cutLabel(rest)
			if !yield(name, value) {
				return
			}
		}
	}
}

// Get returns the value of the named label.
func (l Labels) Get(name string) (string, bool) {
	for n, v := range l.All() {
		if n == name {
			return v, true
		}
	}
	return "", false
}

// Map returns the labels as a new map, never nil.
func (l Labels) Map() map[string]string { return maps.Collect(l.All()) }

// Names returns the names in order.
func (l Labels) Names() []string {
	var names []string
	for name := range l.All() {
		names = append(names, name)
	}
	return names
}

// AllLegacy reports whether no name needs quoting, so that the text is right
// under every escaping scheme that keeps legacy names.
func (l Labels) AllLegacy() bool {
	for rest := l.text; rest != ""; {
		if rest[0] == '"' {
			return false
		}
		_, _, rest = cutLabel(rest)
	}
	return true
}

// plainNames reports whether no name is quoted or begins with an underscore. It is false
// too if a value has a comma before such a character, or at its end.
func (l Labels) plainNames() bool {
	for rest := l.text; rest != ""; {
		if rest[0] == '"' || rest[0] == '_' {
			return false
		}
		i := strings.IndexByte(rest, ',')
		if i < 0 {
			return true
		}
		rest = rest[i+1:]
	}
	return true
}

// Append returns the labels followed by others.
func (l Labels) Append(others Labels) Labels {
	switch {
	case l.text == "":
		return others
	case others.text == "":
		return l
	}
	return Labels{l.text + "," + others.text}
}

// Sorted returns the labels in the order of their names, of each name the last.
func (l Labels) Sorted() Labels {
	type part struct{ name, label string }
	var room [16]part
	parts, sorted := room[:0], true
	for rest := l.text; rest != ""; {
		name, value, after := cutLabel(rest)
		label := rest[:len(name)+len(`=""`)+len(value)]
		if name[0] == '"' {
			name = unescape(name[1 : len(name)-1])
		}
		if n := len(parts); n > 0 && name <= parts[n-1].name {
			sorted = false
		}
		parts, rest = append(parts, part{name, label}), after
	}
	if sorted {
		return l
	}
	slices.SortStableFunc(parts, func(a, b part) int { return strings.Compare(a.name, b.name) })
	var text strings.Builder
	text.Grow(len(l.text))
	for i, p := range parts {
		switch {
		case i+1 < len(parts) && parts[i+1].name == p.name:
			continue
		case text.Len() > 0:
			text.WriteByte(',')
		}
		text.WriteString(p.label)
	}
	return Labels{text.String()}
}

// Same reports whether both have the same names with the same values, in any
// order.
func (l Labels) Same(other Labels) bool {
	return l.text == other.text || len(l.text) == len(other.text) && maps.Equal(l.Map(), other.Map())
}

// Clone returns labels that share no memory with l.
func (l Labels) Clone() Labels { return Labels{strings.Clone(l.text)} }

// cutLabel splits the first label off canonical text: the name with its quotes,
// the value without, both still escaped.
func cutLabel(text string) (name, value, rest string) {
	end := strings.IndexByte(text, '=')
	if text[0] == '"' {
		end = closingQuote(text, 1) + 1
	}
	name, text = text[:end], text[end:]
	end = closingQuote(text, 2) // after ="
	value, rest = text[2:end], text[end+1:]
	if rest != "" {
		rest = rest[1:] // the comma
	}
	return name, value, rest
}

// closingQuote finds the first quote from i on that is not escaped.
func closingQuote(text string, i int) int {
	for text[i] != '"' {
		if text[i] == '\\' {
			i++
		}
		i++
	}
	return i
}
