package remotewrite

import (
	"hash/maphash"

	"google.golang.org/protobuf/encoding/protowire"
)

// symbols are the strings of a request, each once: in their encoded form, and in a
// table by their hash. They are kept for the request of the next collection that has
// the same place, whose series are mostly the same; so are the references of series.
type symbols struct {
	epoch   uint32 // of this content among all of a builder, from 1
	refs    []byte // the labels of series, see entry.refs
	built   int    // how many strings the first request had, 0 before
	series  int    // how many series it had
	encoded []byte
	places  []place // in encoded, by number; 0 is ""
	table   []cell  // a power of two, at most half full
	seed    maphash.Seed
}

type place struct{ start, end uint32 }

// cell is a place in the table; one with the number 0 is free.
type cell struct{ hash, number uint32 }

const (
	requestSymbols protowire.Number = 4 // of Request
	firstTable                      = 1 << 10
	widestHeader                    = 6 // bytes of a symbol's tag and length
)

func newSymbols(epoch uint32) *symbols {
	s := &symbols{epoch: epoch, seed: maphash.MakeSeed(), table: make([]cell, firstTable)}
	s.reset()
	return s
}

// worn reports whether many strings are not of the series that the request has now.
func (s *symbols) worn(series int) bool {
	if s.built == 0 {
		s.built, s.series = len(s.places), series
	}
	return len(s.places) > s.built+s.built/4+slack || series < s.series/2 || len(s.refs) > mostRefs*series
}

const (
	slack    = 16
	mostRefs = 100 // bytes of references of a series
)

// reset forgets all strings.
func (s *symbols) reset() {
	clear(s.table)
	s.built, s.series, s.refs = 0, 0, s.refs[:0]
	s.encoded = append(s.encoded[:0], byte(protowire.EncodeTag(requestSymbols, protowire.BytesType)), 0)
	s.places = append(s.places[:0], place{2, 2})
}

// number returns the number of a string, which is added if it is new.
func (s *symbols) number(text string) uint32 {
	if text == "" {
		return 0
	}
	hash := uint32(maphash.String(s.seed, text))
	mask := uint32(len(s.table) - 1)
	i := hash & mask
	for ; s.table[i].number != 0; i = (i + 1) & mask {
		if c := s.table[i]; c.hash == hash {
			if s.is(c.number, text) {
				return c.number
			}
		}
	}
	n := uint32(len(s.places))
	s.table[i] = cell{hash, n}
	s.encoded = protowire.AppendVarint(append(s.encoded, byte(protowire.EncodeTag(requestSymbols, protowire.BytesType))), uint64(len(text)))
	start := uint32(len(s.encoded))
	s.encoded = append(s.encoded, text...)
	s.places = append(s.places, place{start, uint32(len(s.encoded))})
	if 2*len(s.places) > len(s.table) {
		s.grow()
	}
	return n
}

// is reports whether a string has the number.
func (s *symbols) is(number uint32, text string) bool {
	at := s.places[number]
	return int(at.end-at.start) == len(text) && string(s.encoded[at.start:at.end]) == text
}

// grow doubles the table.
func (s *symbols) grow() {
	old := s.table
	s.table = make([]cell, 2*len(old))
	mask := uint32(len(s.table) - 1)
	for _, c := range old {
		if c.number == 0 {
			continue
		}
		i := c.hash & mask
		for s.table[i].number != 0 {
			i = (i + 1) & mask
		}
		s.table[i] = c
	}
}
