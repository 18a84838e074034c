package model

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Escaping is a scheme for writing names that are not legacy names (Prometheus
// documentation, "Escaping Schemes"). Names are escaped when they are written;
// in the model they are always unescaped.
type Escaping uint8

// The four escaping schemes.
const (
	AllowUTF8   Escaping = iota // names are not changed, and quoted if they need it
	Underscores                 // every illegal character becomes an underscore
	Dots                        // "." becomes "_dot_", "_" becomes "__", the rest "__"
	Values                      // "U__" before the name, "_" doubled, the rest its code point in hex between underscores
)

var escapingNames = [...]string{"allow-utf-8", "underscores", "dots", "values"}

// String returns the scheme's name in the escaping parameter of a Content-Type.
func (e Escaping) String() string {
	if int(e) < len(escapingNames) {
		return escapingNames[e]
	}
	return "Escaping(" + strconv.Itoa(int(e)) + ")"
}

// ParseEscaping reads the name of an escaping scheme.
func ParseEscaping(name string) (Escaping, error) {
	for i, n := range escapingNames {
		if n == name {
			return Escaping(i), nil
		}
	}
	return AllowUTF8, fmt.Errorf("model: unknown escaping scheme %q", name)
}

// MetricName returns a family's or sample's name under the scheme. It allocates
// only if the name changes.
func (e Escaping) MetricName(name string) string { return e.apply(name, true) }

// LabelName returns a label's name under the scheme, where a colon is illegal.
func (e Escaping) LabelName(name string) string { return e.apply(name, false) }

// Keeps reports whether the scheme leaves every legacy name unchanged, as all
// but Dots do.
func (e Escaping) Keeps() bool { return e != Dots }

func (e Escaping) apply(name string, colons bool) string {
	if e == AllowUTF8 || e.Keeps() && legacy(name, colons) || name == "" {
		return name
	}
	out := make([]byte, 0, len(name)+16)
	if e == Values {
		out = append(out, "U__"...)
	}
	for i, r := range name {
		switch {
		case e == Dots && r == '.':
			out = append(out, "_dot_"...)
		case e != Underscores && r == '_':
			out = append(out, "__"...)
		case r < utf8.RuneSelf && legacyByte(byte(r), i == 0, colons):
			out = append(out, byte(r))
		case e == Underscores:
			out = append(out, '_')
		case e == Dots:
			out = append(out, "__"...)
		default:
			out = append(out, '_')
			out = strconv.AppendInt(out, int64(r), 16)
			out = append(out, '_')
		}
	}
	return string(out)
}
