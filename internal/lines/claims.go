package lines

import (
	"strings"
	"sync"
	"unsafe"

	"telltale/internal/hash"
	"telltale/model"
)

// claims finds families whose names an escaping scheme has made equal to names of others
// that are on the page: "a.b" and "a_b". Either may come first. Families whose names are
// printed as they are cannot clash with each other here, and take eight bytes each.
type claims struct {
	escaped map[uint64]uint64      // of names that the scheme changed: hash of the printed name to that of the name itself
	plain   map[uint64]model.Parts // of other families: hash of the name to the parts that its samples have
	later   records                // of the families that are to be entered in plain
	printed []byte                 // scratch
	name    []byte                 // likewise
}

// partBits is how many bits of a record are the parts.
const partBits = partCount

// records are hashes of names with the parts of families in their lowest bits.
type records struct {
	full   [][]uint64
	last   []uint64
	pooled *[recordsPooled]uint64
}

const (
	recordsPooled = 1 << 10
	recordsMore   = 4 << 10
)

var recordPool = sync.Pool{New: func() any { return new([recordsPooled]uint64) }}

func (r *records) add(v uint64) {
	switch {
	case r.pooled == nil:
		r.pooled = recordPool.Get().(*[recordsPooled]uint64)
		r.last = r.pooled[:0]
	case len(r.last) == cap(r.last):
		r.full = append(r.full, r.last)
		r.last = make([]uint64, 0, recordsMore)
	}
	r.last = append(r.last, v)
}

// take calls visit with all records and removes them.
func (r *records) take(visit func(uint64)) {
	for _, list := range r.full {
		visitAll(list, visit)
	}
	visitAll(r.last, visit)
	if r.pooled != nil {
		r.full, r.last = nil, r.pooled[:0]
	}
}

func visitAll(list []uint64, visit func(uint64)) {
	for _, v := range list {
		visit(v)
	}
}

// release ends the use of pooled memory.
func (r *records) release() {
	if r.pooled != nil {
		recordPool.Put(r.pooled)
	}
	*r = records{}
}

// claim enters the names of the given parts of a family, which is printed under base. It
// reports false, and enters nothing, if escaping has made one of them equal to
// another name on the page.
func (c *claims) claim(f *model.Family, base name, parts model.Parts, literal bool) bool {
	if base.changed {
		return c.claimEscaped(f, base, parts, literal)
	}
	if len(c.escaped) > 0 && c.clashes(f, base, parts, literal) {
		return false
	}
	if literal {
		parts = model.PartValue
	}
	c.later.add(hashOf(base.text)<<partBits | uint64(parts))
	return true
}

// claimEscaped is claim for a family whose names the scheme changes.
func (c *claims) claimEscaped(f *model.Family, base name, parts model.Parts, literal bool) bool {
	c.later.take(func(record uint64) {
		if c.plain == nil {
			c.plain = make(map[uint64]model.Parts)
		}
		c.plain[record>>partBits] |= model.Parts(record & (1<<partBits - 1))
	})
	if c.clashes(f, base, parts, literal) {
		return false
	}
	if c.escaped == nil {
		c.escaped = make(map[uint64]uint64)
	}
	c.each(f, base, parts, literal, func(printed, name []byte) bool {
		c.escaped[hashOf(view(printed))] = hashOf(view(name))
		return true
	})
	return true
}

// clashes reports whether a name of the family is printed as another one is.
func (c *claims) clashes(f *model.Family, base name, parts model.Parts, literal bool) bool {
	return !c.each(f, base, parts, literal, func(printed, name []byte) bool {
		if owner, taken := c.escaped[hashOf(view(printed))]; taken {
			return owner == hashOf(view(name))
		}
		return !base.changed || string(printed) == string(name) || !c.isPlain(view(printed))
	})
}

// isPlain reports whether a name is one of a family whose names are printed as they are.
func (c *claims) isPlain(printed string) (taken bool) {
	if len(c.plain) == 0 {
		return false
	}
	model.AllParts.Each(func(part model.Parts) {
		if family, ok := strings.CutSuffix(printed, part.Suffix()); ok {
			taken = taken || c.plain[hashOf(family)&(1<<(64-partBits)-1)]&part != 0
		}
	})
	return taken
}

// each calls visit with the family's names of the parts, as they are printed and as they
// are, until it returns false, and reports whether it never did.
func (c *claims) each(f *model.Family, base name, parts model.Parts, literal bool, visit func(printed, name []byte) bool) bool {
	more := true
	parts.Each(func(part model.Parts) {
		if !more {
			return
		}
		c.printed = base.append(c.printed[:0], suffixOf(part, literal))
		c.name = append(append(c.name[:0], f.BaseName()...), suffixOf(part, literal)...)
		more = visit(c.printed, c.name)
	})
	return more
}

func hashOf(s string) uint64 { return hash.String(hash.Keys[0], s) }

// view returns bytes as a string, which is valid as long as the bytes do not change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
