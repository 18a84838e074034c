package model

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// AppendEscaped appends s in the form that it has between double quotes in every
// text format. Invalid UTF-8 is replaced by U+FFFD.
func AppendEscaped(dst []byte, s string) []byte {
	start := len(dst)
	if dst = append(dst, s...); !escapes(dst[start:]) {
		return dst
	}
	dst = dst[:start]
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	start = 0
	for i := 0; i < len(s); i++ {
		var escape string
		switch s[i] {
		case '\\':
			escape = `\\`
		case '\n':
			escape = `\n`
		case '"':
			escape = `\"`
		default:
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = append(dst, escape...)
		start = i + 1
	}
	return append(dst, s[start:]...)
}

// escapes reports whether text has a byte that AppendEscaped may write differently: a
// backslash, a newline, a double quote, or one that is not ASCII. It reads eight bytes at
// a time.
func escapes(text []byte) bool {
	var found uint64
	if len(text) >= 8 {
		for rest := text; len(rest) > 8; rest = rest[8:] {
			found |= escaped(binary.LittleEndian.Uint64(rest))
		}
		return found|escaped(binary.LittleEndian.Uint64(text[len(text)-8:])) != 0 // some for the second time
	}
	for _, b := range text {
		if b == '"' || b == '\\' || b == '\n' || b >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// escaped is not zero if one of eight bytes is such a byte.
func escaped(eight uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash, line := eight^'"'*ones, eight^'\\'*ones, eight^'\n'*ones
	return (eight | (quote-ones)&^quote | (slash-ones)&^slash | (line-ones)&^line) & highs
}

// unescape undoes AppendEscaped; text without a backslash is returned unchanged.
func unescape(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	out := append(make([]byte, 0, len(s)), s[:i]...)
	for ; i < len(s); i++ {
		c := s[i]
		if c == '\\' {
			i++
			if c = s[i]; c == 'n' {
				c = '\n'
			}
		}
		out = append(out, c)
	}
	return string(out)
}
