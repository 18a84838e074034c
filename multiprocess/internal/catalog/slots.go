package catalog

import (
	"math"
	"sort"
)

// slots are where values are merged, by number. Slot 0 takes what is thrown away.
type slots struct {
	n       uint32
	owned   []owned // by the first of their slots
	current int     // of owned, where the last slot was found
}

// owned is slots of one family that follow each other.
type owned struct {
	first  uint32
	family *family // nil of slot 0
	chosen bool    // values start from NaN, which takes part in no choice; else from 0
}

func newSlots() slots { return slots{n: 1, owned: []owned{{}}} }

// add returns another slot, which is the family's.
func (s *slots) add(f *family, chosen bool) (slot uint32) {
	if last := &s.owned[len(s.owned)-1]; last.family != f || last.chosen != chosen {
		s.owned = append(s.owned, owned{s.n, f, chosen})
	}
	s.n++
	return s.n - 1
}

// owner returns the family that has a slot, nil of slot 0. It is quick where the slot
// before was looked for last.
func (s *slots) owner(slot uint32) *family {
	for at := s.current; at < min(s.current+2, len(s.owned)); at++ {
		if slot >= s.owned[at].first && (at+1 == len(s.owned) || slot < s.owned[at+1].first) {
			s.current = at
			return s.owned[at].family
		}
	}
	s.current = sort.Search(len(s.owned), func(i int) bool { return s.owned[i].first > slot }) - 1
	return s.owned[s.current].family
}

// begin fills values, of which there are as many as slots, with what merging starts from.
func (s *slots) begin(values []float64) {
	clear(values)
	for i, o := range s.owned {
		if !o.chosen {
			continue
		}
		end := s.n
		if i+1 < len(s.owned) {
			end = s.owned[i+1].first
		}
		for slot := o.first; slot < end; slot++ {
			values[slot] = math.NaN()
		}
	}
}
