package series

import "telltale/internal/hash"

// Digest is compared first in a lookup: a hash of label values, and their
// lengths.
type Digest struct {
	hash   uint32
	widths uint64 // one byte for each value, its length plus one; 0 if that does not hold them
}

const (
	mostWidths = 8
	widest     = 254
)

// Escaped returns the digest of a series whose text has escapes.
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

// is reports whether the series has the label values. If the widths are equal,
// the series' text has no escapes and the values are where they are compared;
// then equal bytes are equal values.
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
