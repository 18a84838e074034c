package remotewrite

import (
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"telltale/model"
)

// ledger is which series were sent at the last collection, so that it is known which
// have ended, and what of them was sent before.
type ledger struct {
	accounts map[accountKey]*account
	seed     maphash.Seed
	shards   uint64
}

type accountKey struct {
	name    string
	typ     model.Type
	literal bool
}

// account is that of a family. The entries of the points that the present collection
// has met come first, in its order: mostly that of the collection before, so that the
// next point's entry is found without a look-up.
type account struct {
	header  *model.Family // to write stale markers
	entries []entry
	met     int
	index   map[string]int // by canonical labels; nil until it is needed in a collection
	shape   *shape         // of the point before
}

// entry is a point, which is one series or several.
type entry struct {
	labels    string
	sent      int64   // the time of the newest sample
	exemplars []int64 // those of the newest exemplars, by series
	shape     *shape  // nil for a point of one series
	refs      refs    // of a point of one number
	shard     uint16
	timed     bool // the newest sample had a time of its own
}

// refs are where the labels of a series are among those of symbols, if the symbols still
// have the epoch.
type refs struct{ epoch, start, end uint32 }

// shape is which series a point has.
type shape struct {
	parts     model.Parts
	bounds    *model.Bounds
	quantiles []float64
	states    []string
	native    bool
}

func newLedger(shards int) *ledger {
	return &ledger{accounts: make(map[accountKey]*account), seed: maphash.MakeSeed(), shards: uint64(shards)}
}

// begin begins a collection.
func (l *ledger) begin() {
	for _, a := range l.accounts {
		a.met, a.index = 0, nil
	}
}

// of returns the account of a family.
func (l *ledger) of(f *model.Family) *account {
	a := l.accounts[accountKey{f.Name, f.Type, f.IsLiteral()}]
	if a == nil {
		a = &account{header: f.Header().Clone()}
		l.accounts[accountKey{a.header.Name, f.Type, f.IsLiteral()}] = a
	}
	return a
}

// entry returns the entry of the point with the labels; it is new if the point is.
func (l *ledger) entry(a *account, text string) *entry {
	if a.met < len(a.entries) && a.entries[a.met].labels == text {
		a.met++
		return &a.entries[a.met-1]
	}
	if a.index == nil {
		a.index = make(map[string]int, len(a.entries))
		for i := range a.entries {
			a.index[canonical(a.entries[i].labels)] = i
		}
	}
	key := canonical(text)
	i, known := a.index[key]
	switch {
	case known && i < a.met:
		return &a.entries[i] // it is there twice
	case !known:
		i = len(a.entries)
		own := strings.Clone(text)
		if key == text {
			key = own
		}
		a.entries = append(a.entries, entry{labels: own, sent: math.MinInt64, shard: uint16(maphash.String(l.seed, key) % l.shards)})
		a.index[key] = i
	}
	if i != a.met {
		a.entries[i], a.entries[a.met] = a.entries[a.met], a.entries[i]
		a.index[key], a.index[canonical(a.entries[i].labels)] = a.met, i
	}
	a.met++
	return &a.entries[a.met-1]
}

// canonical returns the text of labels in the form that all texts of the same series
// have: sorted, without those that have no value.
func canonical(text string) string {
	labels := model.LabelsFromText(text)
	if strings.Contains(text, `=""`) {
		var left []byte
		for name, value := range labels.All() {
			if value != "" {
				left = model.AppendLabel(left, name, value)
			}
		}
		labels = model.LabelsFromText(string(left))
	}
	return labels.Sorted().Text()
}

// resend makes samples that have a time of their own, and exemplars, be sent again.
func (l *ledger) resend() {
	for _, a := range l.accounts {
		for i := range a.entries {
			if e := &a.entries[i]; e.timed {
				e.sent = math.MinInt64
			}
			a.entries[i].exemplars = nil
		}
	}
}

// rewind forgets the times of samples that had none of their own, so that older ones are
// sent.
func (l *ledger) rewind() {
	for _, a := range l.accounts {
		for i := range a.entries {
			if e := &a.entries[i]; !e.timed {
				e.sent = math.MinInt64
			}
		}
	}
}

// ended passes the entries of points that the collection has not met to visit, and
// forgets them.
func (l *ledger) ended(visit func(header *model.Family, e *entry)) {
	for key, a := range l.accounts {
		for i := a.met; i < len(a.entries); i++ {
			visit(a.header, &a.entries[i])
		}
		clear(a.entries[a.met:])
		a.entries, a.index = a.entries[:a.met], nil
		if a.met == 0 {
			delete(l.accounts, key)
		} else if cap(a.entries) > 4*len(a.entries) && cap(a.entries) > 64 {
			a.entries = slices.Clone(a.entries)
		}
	}
}

// shapeOf returns the shape of a point, one object for points of the same shape.
func (a *account) shapeOf(p *model.Point, parts model.Parts) *shape {
	if s := a.shape; s != nil && s.is(p, parts) {
		return s
	}
	s := &shape{parts: parts}
	if h := p.Histogram; h != nil {
		s.bounds, s.native = h.Bounds, h.Native != nil
	}
	if p.Summary != nil {
		for _, q := range p.Summary.Quantiles {
			s.quantiles = append(s.quantiles, q.Q)
		}
	}
	for _, state := range p.States {
		s.states = append(s.states, strings.Clone(state.Name))
	}
	a.shape = s
	return s
}

// is reports whether a point has the shape.
func (s *shape) is(p *model.Point, parts model.Parts) bool {
	if s.parts != parts {
		return false
	}
	if h := p.Histogram; h != nil && (!s.bounds.Equal(h.Bounds) || s.native != (h.Native != nil)) || h == nil && (s.bounds != nil || s.native) {
		return false
	}
	quantiles := 0
	if p.Summary != nil {
		quantiles = len(p.Summary.Quantiles)
	}
	if quantiles != len(s.quantiles) || len(p.States) != len(s.states) {
		return false
	}
	for i, q := range s.quantiles {
		if p.Summary.Quantiles[i].Q != q {
			return false
		}
	}
	for i, name := range s.states {
		if p.States[i].Name != name {
			return false
		}
	}
	return true
}

// exemplar returns the time of the newest exemplar of the i-th series that was sent.
func (e *entry) exemplar(i int) *int64 {
	for len(e.exemplars) <= i {
		e.exemplars = append(e.exemplars, math.MinInt64)
	}
	return &e.exemplars[i]
}
