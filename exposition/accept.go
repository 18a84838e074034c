package exposition

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"telltale/model"
)

// mediaRange is one range of an Accept header.
type mediaRange struct {
	mediaType string
	version   version // zero if it names none
	q         float64
	escaping  model.Escaping
	escapes   bool   // it names an escaping scheme that is known
	message   string // of protobuf
	encoding  string
}

// parseAccept reads an Accept header, leaving out what is not well-formed.
func parseAccept(header string) []mediaRange {
	var ranges []mediaRange
	for header != "" {
		var one string
		one, header = cutUnquoted(header, ',')
		if r, ok := parseRange(one); ok {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

func parseRange(s string) (r mediaRange, ok bool) {
	mediaType, params := cutUnquoted(s, ';')
	r = mediaRange{mediaType: token(mediaType), q: 1}
	ok = strings.Contains(r.mediaType, "/")
	for params != "" && ok {
		var param string
		param, params = cutUnquoted(params, ';')
		name, value, _ := strings.Cut(param, "=")
		value = unquote(strings.TrimSpace(value))
		switch token(name) {
		case "q":
			r.q, ok = parseQ(value)
		case "version":
			r.version, ok = parseVersion(value)
		case "proto":
			r.message = value
		case "encoding":
			r.encoding = token(value)
		case "escaping":
			if e, err := model.ParseEscaping(token(value)); err == nil {
				r.escaping, r.escapes = e, true
			}
		}
	}
	return r, ok
}

// cutUnquoted cuts s at the first separator that is not inside a quoted string.
func cutUnquoted(s string, separator byte) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '\\' && quoted:
			i++
		case s[i] == separator && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

func token(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// unquote strips the quotes of a quoted string. It does not handle backslashes:
// no value that is compared with contains a character that needs one.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// parseQ reads a quality value from 0 to 1 (RFC 9110, section 12.4.2), with any
// number of decimals.
func parseQ(s string) (q float64, ok bool) {
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	q, err := strconv.ParseFloat(s, 64)
	return q, err == nil && q <= 1
}

// version is the version of a format.
type version [3]uint32

// parseVersion reads up to three numbers with dots between them; those left out
// are zero. No format has version zero.
func parseVersion(s string) (v version, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) > len(v) {
		return v, false
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return v, false
		}
		v[i] = uint32(n)
	}
	return v, v != version{}
}

func (v version) less(than version) bool {
	return slices.CompareFunc(v[:], than[:], cmp.Compare[uint32]) < 0
}

// String returns the version as it is written in a content type.
func (v version) String() string {
	return strconv.FormatUint(uint64(v[0]), 10) + "." + strconv.FormatUint(uint64(v[1]), 10) + "." + strconv.FormatUint(uint64(v[2]), 10)
}
