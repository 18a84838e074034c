package multiprocess

import (
	"math"
	"slices"
	"time"
	"unsafe"

	"telltale/model"
	"telltale/multiprocess/internal/segment"
)

// pythonEstate returns what a file of Python's client leaves, as an archive holds
// it. A file that has something else is left where it is.
func pythonEstate(file *pythonFile, modified, now time.Time) (*estate, error) {
	p := pythonHeir{file: file, families: make(map[string]int), compounds: make(map[compoundKey]*compoundRemnant), start: modified.UnixNano(), now: uint64(now.UnixNano())}
	if file.n == 0 {
		return &p.estate, nil
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
	for i := range p.estate.families {
		if err := checkFamily(&p.estate.families[i]); err != nil {
			return nil, err
		}
	}
	return &p.estate, nil
}

// pythonHeir turns entries into remnants.
type pythonHeir struct {
	estate
	file     *pythonFile
	families map[string]int
	start    int64  // stands for when the process began
	now      uint64 // when it was found dead

	compounds map[compoundKey]*compoundRemnant
	order     []*compoundRemnant
}

type compoundKey struct {
	claim  *claim
	labels string
}

// compoundRemnant is a summary or a histogram, whose entries may lie anywhere in
// the file.
type compoundRemnant struct {
	compoundKey
	sum, count float64
	buckets    []bucketRemnant
}

type bucketRemnant struct{ upper, count float64 }

func (p *pythonHeir) take(d *definition, v, when float64) error {
	if d.part == 0 {
		return defectf(ReasonUnfit, "its sample %.80q is no part of a %s %.80q, and an archive cannot hold it", d.sample, d.claim.typ, d.claim.name)
	}
	if !model.ValidLabelsText(d.labels) {
		return defectf(ReasonUnfit, "an archive cannot hold the labels {%.80s} of %.80q", d.labels, d.claim.name)
	}
	switch d.claim.typ {
	case model.Counter:
		if d.part == model.PartTotal {
			p.append(d.claim, segment.LayoutCounter, nil, remnant{labels: d.labels, words: []uint64{0, math.Float64bits(v)}})
		}
	case model.Gauge:
		p.takeGauge(d, v, when)
	default:
		key := compoundKey{d.claim, d.labels}
		c := p.compounds[key]
		if c == nil {
			c = &compoundRemnant{compoundKey: key}
			p.compounds[key], p.order = c, append(p.order, c)
		}
		switch d.part {
		case model.PartSum:
			c.sum += v
		case model.PartCount:
			c.count += v
		case model.PartBucket:
			c.buckets = append(c.buckets, bucketRemnant{d.upper, v})
		}
	}
	return nil
}

func (p *pythonHeir) takeGauge(d *definition, v, when float64) {
	s := remnant{labels: d.labels, words: []uint64{math.Float64bits(v)}}
	layout := segment.LayoutValue
	switch mode := d.claim.mode; {
	case mode.live():
		return
	case mode.operation() == opLatest:
		if !(when > 0) {
			return // it was never set
		}
		layout = segment.LayoutTimed
		s.words = append(s.words, uint64(min(when*1e9, math.MaxInt64/2)))
	case mode.perProcess():
		layout = segment.LayoutTimed
		s.labels, s.process, s.start = withoutPid(d), p.file.pid, p.start
		s.words = append(s.words, p.now)
	}
	p.append(d.claim, layout, nil, s)
}

// append adds a series to its family.
func (p *pythonHeir) append(c *claim, layout segment.Layout, bounds []float64, s remnant) {
	f := segment.Family{Name: c.name, Help: c.help, Unit: c.unit, Type: c.typ, Layout: layout, Bounds: bounds}
	if c.typ == model.Gauge {
		f.Mode = uint8(slices.Index(gaugeModes[:], c.mode))
	}
	key := identityOf(&f)
	n, ok := p.families[key]
	if !ok {
		n = len(p.estate.families)
		p.families[key] = n
		p.estate.families = append(p.estate.families, f)
	}
	p.series, p.of = append(p.series, s), append(p.of, n)
}

// settle adds summaries and histograms, all of whose entries are known now.
func (p *pythonHeir) settle() error {
	for _, c := range p.order {
		s := remnant{labels: c.labels}
		if c.claim.typ == model.Summary {
			if c.count < 0 || c.count >= 1<<63 || c.count != math.Trunc(c.count) {
				return defectf(ReasonUnfit, "the count of %.80s{%.80s} is %v, which an archive cannot hold", c.claim.name, c.labels, c.count)
			}
			s.words = []uint64{math.Float64bits(c.sum), uint64(c.count)}
			p.append(c.claim, segment.LayoutSummary, nil, s)
			continue
		}
		bounds, ok := c.words(&s)
		switch {
		case ok:
			p.append(c.claim, segment.LayoutFloats, bounds, s)
		case !c.untouched():
			return defectf(ReasonUnfit, "%.80s{%.80s} has no bucket up to +Inf, and an archive cannot hold it", c.claim.name, c.labels)
		}
	}
	return nil
}

// words adds up the buckets of a histogram, if the last one is up to +Inf. The
// count is what they add up to.
func (c *compoundRemnant) words(s *remnant) (bounds []float64, ok bool) {
	slices.SortStableFunc(c.buckets, func(a, b bucketRemnant) int {
		switch {
		case a.upper < b.upper:
			return -1
		case a.upper > b.upper:
			return 1
		}
		return 0
	})
	s.words = []uint64{math.Float64bits(c.sum)}
	for _, b := range c.buckets {
		if n := len(bounds); n > 0 && bounds[n-1] == b.upper { // spelled in two ways
			addFloat(&s.words[n], math.Float64bits(b.count))
			continue
		}
		bounds, s.words = append(bounds, b.upper), append(s.words, math.Float64bits(b.count))
	}
	return bounds, len(bounds) > 0 && math.IsInf(bounds[len(bounds)-1], 1)
}

// untouched reports whether the process died while it was making the histogram,
// which it does bucket by bucket, up to +Inf.
func (c *compoundRemnant) untouched() bool {
	for _, b := range c.buckets {
		if b.count != 0 {
			return false
		}
	}
	return c.sum == 0 && c.count == 0
}
