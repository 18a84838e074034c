package series

import "telltale/internal/hash"

// Digest is what a lookup compares first: a hash of label values, and their
// lengths.
type Digest struct {
	hash   uint32
	widths uint64 // one byte for each value, its length plus one; 0 where that cannot be said
}

const (
	mostWidths = 8
	widest     = 254
)

// Escaped returns the digest for a series in whose text something is escaped.
func (d Digest) Escaped() Digest { return Digest{hash: d.hash} }

// DigestOf digests label values.
func DigestOf(values []string) Digest {
	h, widths, known := hash.Keys[0], uint64(0), len(values) <= mostWidths
	for i, v := range values {
		known = known && len(v) <= widest
		widths |= uint64(len(v)+1) << (8 * uint(i) & 63)
		h = hash.String(h, v)
	}
	if !known {
		widths = 0
	}
	return Digest{uint32(h ^ h>>32), widths}
}

// is reports whether the series has the label values. Equal widths mean that
// there is nothing in the series' text to unescape and that the values would lie
// where they are looked for; then equal bytes are equal values.
func (s *Series) is(d Digest, separators, values []string) bool {
	if s.hash != d.hash || s.widths != d.widths || d.widths == 0 {
		return false
	}
	text, at := s.text(), 0
	if text == "" {
		return false // the series was removed
	}
	for i, v := range values {
		at += len(separators[i])
		if text[at:at+len(v)] != v {
			return false
		}
		at += len(v)
	}
	return true
}
