package python

import (
	"math"
	"slices"
	"time"
	"unsafe"

	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/estate"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// EstateOf returns what a file of Python's client leaves, as an archive holds
// it. A file that has something else is left where it is.
func EstateOf(file *File, modified, now time.Time) (*estate.Estate, error) {
	p := heir{file: file, families: make(map[string]int), compounds: make(map[compoundKey]*compoundRemnant), start: modified.UnixNano(), now: uint64(now.UnixNano())}
	if file.n == 0 {
		return &p.Estate, nil
	}
	stride := file.stride()
	for i := range file.n {
		d := &file.kind.keys[file.plan.keys[i]].definition
		at := uint32(i * stride)
		data := unsafe.Pointer(unsafe.SliceData(file.copied))
		when := 0.0
		if stride == valueAndTimeSize {
			when = load(data, at+valueSize)
		}
		if err := p.take(d, load(data, at), when); err != nil {
			return nil, err
		}
	}
	if err := p.settle(); err != nil {
		return nil, err
	}
	for i := range p.Families {
		if err := estate.CheckFamily(&p.Families[i]); err != nil {
			return nil, err
		}
	}
	return &p.Estate, nil
}

// heir turns entries into remnants.
type heir struct {
	estate.Estate
	file     *File
	families map[string]int
	start    int64  // stands for when the process began
	now      uint64 // when it was found dead

	compounds map[compoundKey]*compoundRemnant
	order     []*compoundRemnant
}

type compoundKey struct {
	claim  *catalog.Claim
	labels string
}

// compoundRemnant is a summary or a histogram, whose entries may lie anywhere in
// the file.
type compoundRemnant struct {
	compoundKey
	sums, counts []float64 // several where its labels are there in several orders
	buckets      []bucketRemnant
}

type bucketRemnant struct{ upper, count float64 }

func (p *heir) take(d *catalog.Definition, v, when float64) error {
	if d.Part == 0 {
		return spool.Defectf(spool.ReasonUnfit, "its sample %.80q is no part of a %s %.80q, and an archive cannot hold it", d.Sample, d.Claim.Type, d.Claim.Name)
	}
	if !model.ValidLabelsText(d.Labels) {
		return spool.Defectf(spool.ReasonUnfit, "an archive cannot hold the labels {%.80s} of %.80q", d.Labels, d.Claim.Name)
	}
	switch d.Claim.Type {
	case model.Counter:
		if d.Part == model.PartTotal {
			p.append(d.Claim, segment.LayoutCounter, nil, estate.Remnant{Labels: d.Labels, Words: []uint64{0, math.Float64bits(v)}})
		}
	case model.Gauge:
		p.takeGauge(d, v, when)
	default:
		key := compoundKey{d.Claim, d.Labels}
		c := p.compounds[key]
		if c == nil {
			c = &compoundRemnant{compoundKey: key}
			p.compounds[key], p.order = c, append(p.order, c)
		}
		switch d.Part {
		case model.PartSum:
			c.sums = append(c.sums, v)
		case model.PartCount:
			c.counts = append(c.counts, v)
		case model.PartBucket:
			c.buckets = append(c.buckets, bucketRemnant{d.Upper, v})
		}
	}
	return nil
}

func (p *heir) takeGauge(d *catalog.Definition, v, when float64) {
	s := estate.Remnant{Labels: d.Labels, Words: []uint64{math.Float64bits(v)}}
	layout := segment.LayoutValue
	switch mode := d.Claim.Mode; {
	case mode.Live():
		return
	case mode.Operation() == catalog.OpLatest:
		if !(when > 0) {
			return // it was never set
		}
		layout = segment.LayoutTimed
		s.Words = append(s.Words, min(uint64(min(when*1e9, math.MaxInt64/2)), p.now))
	case mode.PerProcess():
		layout = segment.LayoutTimed
		s.Labels, s.Process, s.Start = catalog.WithoutPid(d), p.file.pid, p.start
		s.Words = append(s.Words, p.now)
	}
	p.append(d.Claim, layout, nil, s)
}

// append adds a series to its family.
func (p *heir) append(c *catalog.Claim, layout segment.Layout, bounds []float64, s estate.Remnant) {
	s.Changed, s.Until = int64(p.now), segment.Never
	f := segment.Family{Name: c.Name, Help: c.Help, Unit: c.Unit, Type: c.Type, Layout: layout, Bounds: bounds}
	if c.Type == model.Gauge {
		f.Mode = uint8(slices.Index(catalog.Modes[:], c.Mode))
	}
	key := estate.IdentityOf(&f)
	n, ok := p.families[key]
	if !ok {
		n = len(p.Families)
		p.families[key] = n
		p.Families = append(p.Families, f)
	}
	p.Series, p.Of = append(p.Series, s), append(p.Of, n)
}

// settle adds summaries and histograms, all of whose entries are known now.
func (p *heir) settle() error {
	for _, c := range p.order {
		s := estate.Remnant{Labels: c.labels}
		if c.claim.Type == model.Summary {
			s.Words = make([]uint64, 2)
			c.addSums(&s)
			for _, v := range c.counts {
				if v < 0 || v >= 1<<63 || v != math.Trunc(v) {
					return spool.Defectf(spool.ReasonUnfit, "the count of %.80s{%.80s} is %v, which an archive cannot hold", c.claim.Name, c.labels, v)
				}
				s.Terms = append(s.Terms, estate.Term{Value: 1, Whole: true, Bits: uint64(v)})
			}
			p.append(c.claim, segment.LayoutSummary, nil, s)
			continue
		}
		bounds, ok := c.words(&s)
		switch {
		case ok:
			p.append(c.claim, segment.LayoutFloats, bounds, s)
		case !c.untouched():
			return spool.Defectf(spool.ReasonUnfit, "%.80s{%.80s} has no bucket up to +Inf, and an archive cannot hold it", c.claim.Name, c.labels)
		}
	}
	return nil
}

// words adds up the buckets of a histogram, if the last one is up to +Inf. The
// count is what they add up to.
func (c *compoundRemnant) words(s *estate.Remnant) (bounds []float64, ok bool) {
	slices.SortStableFunc(c.buckets, func(a, b bucketRemnant) int {
		switch {
		case a.upper < b.upper:
			return -1
		case a.upper > b.upper:
			return 1
		}
		return 0
	})
	s.Words = make([]uint64, 1)
	c.addSums(s)
	for _, b := range c.buckets {
		if n := len(bounds); n > 0 && bounds[n-1] == b.upper { // spelled in two ways
			s.Terms = append(s.Terms, estate.Term{Value: n, Bits: math.Float64bits(b.count)})
			continue
		}
		bounds, s.Words = append(bounds, b.upper), append(s.Words, math.Float64bits(b.count))
	}
	return bounds, len(bounds) > 0 && math.IsInf(bounds[len(bounds)-1], 1)
}

// addSums adds the sums to those that a remnant's first word is part of.
func (c *compoundRemnant) addSums(s *estate.Remnant) {
	for _, v := range c.sums {
		s.Terms = append(s.Terms, estate.Term{Bits: math.Float64bits(v)})
	}
}

// untouched reports whether the process died while it was making the histogram,
// which it does bucket by bucket, up to +Inf.
func (c *compoundRemnant) untouched() bool {
	for _, b := range c.buckets {
		if b.count != 0 {
			return false
		}
	}
	touched := func(v float64) bool { return v != 0 }
	return !slices.ContainsFunc(c.sums, touched) && !slices.ContainsFunc(c.counts, touched)
}
