package text

import (
	"cmp"
	"hash/maphash"
	"math"
	"slices"
	"sort"

	"telltale/internal/scan"
	"telltale/model"
)

// rules check the samples of a family against the rules that hold between them
// (Exposition formats, "Grouping and sorting", "Histograms and summaries").
type rules struct {
	distinct *scan.Distinct // series of types whose points are single samples
	series   int            // their number
	runs     []run          // of those
	next     int            // the line after the last of them
	strange  model.Parts    // parts whose samples belong to an earlier family
	torn     []model.Labels // labels of histograms that lack a line because it was wrong
	allTorn  bool           // any histogram may lack a line
}

// runsKept is the number of runs whose memory is kept from family to family.
const runsKept = 1 << 10

// run is a run of single-sample series in lines that follow each other.
type run struct {
	first int // index of the first, among the series of the family
	line  int // line of the first
}

func (r *rules) reset() {
	r.distinct.Reset()
	r.series, r.runs, r.next = 0, r.runs[:0], 0
	if cap(r.runs) > runsKept {
		r.runs = nil
	}
	r.strange, r.torn, r.allTorn = 0, nil, false
}

// ownLabels are the labels that tell the samples of a point apart.
var ownLabels = map[model.Type]string{model.Histogram: "le", model.Summary: "quantile"}

// classicParts are the samples that have the family's name and a suffix.
func classicParts(t model.Type) model.Parts {
	switch t {
	case model.Histogram:
		return model.PartBucket | model.PartCount | model.PartSum
	case model.Summary:
		return model.PartCount | model.PartSum
	}
	return 0
}

// settle prepares for the samples of the family, whose type is final now.
func (p *Parser) settle() {
	p.samples = true
	classicParts(p.family.Type).Each(func(part model.Parts) {
		if _, before := p.owners[p.family.Name+part.Suffix()]; before {
			p.rules.strange |= part
		}
	})
}

// sample adds a sample to the family.
func (p *Parser) sample(e *Entry, part model.Parts) error {
	if !p.samples {
		p.settle()
	}
	switch p.family.Type {
	case model.Histogram, model.Summary:
		return p.classic(e, part)
	case model.Counter:
		part = model.PartTotal
	}
	p.rules.distinct.Add(e.Labels, e.Timestamp)
	p.rules.add(e.Line)
	p.points.Add(e, part)
	return nil
}

// add adds the series of a line.
func (r *rules) add(line int) {
	if line != r.next {
		r.runs = append(r.runs, run{r.series, line})
	}
	r.series++
	r.next = line + 1
}

// lineOf returns the line of a series, given its index.
func (r *rules) lineOf(series int) int {
	after := sort.Search(len(r.runs), func(i int) bool { return r.runs[i].first > series })
	return r.runs[after-1].line + series - r.runs[after-1].first
}

// uniques checks at the end of the family that no series is repeated.
func (p *Parser) uniques() error {
	if p.rules.distinct.Unique() {
		return nil
	}
	var scratch model.Point
	before := map[uint64][]model.Point{} // by a hash of the labels
	seed, i := maphash.MakeSeed(), -1
	return p.family.Visit(&scratch, func(pt *model.Point) error {
		i++
		hash := uint64(0)
		for name, value := range pt.Labels.Raw() { // the same hash in every order
			hash += maphash.String(seed, name+"="+value)
		}
		for _, one := range before[hash] {
			if !one.Labels.Same(pt.Labels) || one.Timestamp != pt.Timestamp && one.Timestamp.IsSet() && pt.Timestamp.IsSet() {
				continue
			}
			found, expected := "the same series again", "each series once"
			if one.Timestamp != pt.Timestamp {
				found, expected = "the same series with and without timestamp", "each series once, or with a timestamp each time"
			}
			return p.families.Heed(&SyntaxError{Line: p.rules.lineOf(i), Column: 1, Found: found, Expected: expected})
		}
		before[hash] = append(before[hash], model.Point{Labels: pt.Labels, Timestamp: pt.Timestamp})
		return nil
	})
}

// classic adds a sample of a histogram or a summary.
func (p *Parser) classic(e *Entry, part model.Parts) error {
	s, own := p.scanner.scan, ownLabels[p.family.Type]
	place := e.Labels.Find(own)
	switch {
	case p.rules.strange&part != 0:
		return p.repeats.Tell(string(e.Name), s.Fail(s.Columns.Name, p.again(string(e.Name)), "all lines of a family together"))
	case part&(model.PartCount|model.PartSum) != 0 && place >= 0:
		return s.Fail(e.Labels.Column(place), "the label "+scan.Quote([]byte(own)), "it on buckets or quantiles alone")
	case part&(model.PartCount|model.PartBucket) != 0 && p.family.Type == model.Histogram && !(e.Value >= 0):
		p.tear(e)
		return s.Fail(s.Columns.Value, model.FormatValue(e.Value), "a number not below zero: it counts")
	case part == model.PartBucket && place >= 0 && isOddInfinity(e.Labels.Value(place)):
		p.tear(e)
		return p.badBound(e, place)
	}
	switch p.points.Fit(e, part) {
	case scan.NoPart:
		return s.Fail(s.Columns.Name, "a sample of the histogram "+scan.Quote(e.Name)+" without a suffix", `"_bucket", "_count" or "_sum" behind the name`)
	case scan.NoLabel:
		p.tear(e)
		return s.Fail(s.Columns.Name, "no label of the bucket or quantile", "the label "+scan.Quote([]byte(own)))
	case scan.BadLabel:
		p.tear(e)
		return p.badBound(e, place)
	case scan.Repeated:
		return s.Fail(s.Columns.Name, "the same series again", "each series once")
	case scan.Unordered:
		return s.Fail(e.Labels.Column(place), "the "+boundOf(part)+" "+scan.Quote(e.Labels.Value(place))+" after "+model.FormatValue(p.points.Before()),
			"increasing "+boundOf(part)+"s, each once")
	case scan.Falling:
		return s.Fail(s.Columns.Value, "a bucket of less than the one before", "cumulative buckets")
	}
	return nil
}

func (p *Parser) badBound(e *Entry, place int) error {
	found, expected := "the bound ", "a number, or +Inf in this spelling"
	if p.family.Type == model.Summary {
		found, expected = "the quantile ", "a number"
	}
	return p.scanner.scan.Fail(e.Labels.Column(place), found+scan.Quote(e.Labels.Value(place)), expected)
}

func boundOf(part model.Parts) string {
	if part == model.PartBucket {
		return "bound"
	}
	return "quantile"
}

// isOddInfinity reports whether a bound is infinite in another spelling than the
// format's.
func isOddInfinity(bound []byte) bool {
	if string(bound) == "+Inf" || string(bound) == "-Inf" {
		return false
	}
	v, ok := scan.Number(bound)
	return ok && math.IsInf(v, 0)
}

// again returns what is wrong with a name that an earlier family has.
func (p *Parser) again(name string) string {
	owner := cmp.Or(p.owners[name], name)
	if p.scanner.scan.Entry.Kind != scan.KindSample && owner != name {
		return scan.Quote([]byte(name)) + ", the name of samples of the family " + scan.Quote([]byte(owner))
	}
	return "the family " + scan.Quote([]byte(owner)) + " again"
}

// claim records the names of the family that has ended.
func (p *Parser) claim(f *model.Family) {
	classicParts(f.Type).Each(func(part model.Parts) {
		if name := f.Name + part.Suffix(); p.owners[name] == "" {
			p.owners[name] = f.Name
		}
	})
}

// wholes checks at the end of the family that its histograms are complete.
func (p *Parser) wholes() error {
	if p.rules.allTorn {
		return nil
	}
	for h := range p.points.Histograms() {
		found, expected := "", ""
		all := slices.Index(h.Upper, math.Inf(1))
		switch {
		case all < 0:
			found, expected = "a histogram without the bucket +Inf", "that bucket behind all others"
		case h.Has&model.PartCount != 0 && h.Count != h.Cumulative[all]:
			found, expected = "the count "+model.FormatValue(h.Count), "the value of the bucket +Inf, "+model.FormatValue(h.Cumulative[all])
		}
		if found == "" || p.isTorn(h.Labels) {
			continue
		}
		if err := p.families.Heed(&SyntaxError{Line: h.Last, Column: 1, Found: found, Expected: expected}); err != nil {
			return err
		}
	}
	return nil
}

// tear records that the histogram of a sample lacks a line, which was wrong.
func (p *Parser) tear(e *Entry) {
	labels := e.Labels
	if place := labels.Find("le"); place >= 0 {
		var scratch scan.Labels
		labels = labels.Without(place, &scratch)
	}
	p.rules.torn = append(p.rules.torn, model.LabelsFromText(string(labels.Text())))
}

func (p *Parser) isTorn(labels model.Labels) bool {
	for _, torn := range p.rules.torn {
		if torn.Same(labels) {
			return true
		}
	}
	return false
}

// damage records that a line that cannot be read may have been of the family.
func (p *Parser) damage() {
	s := p.scanner.scan
	switch {
	case p.family == nil || s.Metadata():
	case !s.Readable():
		p.rules.allTorn = true
	default:
		if _, ok := p.partOf(s.Entry.Name); ok {
			p.tear(&s.Entry)
		}
	}
}
