package openmetrics

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"

	"telltale/internal/lines"
	"telltale/model"
)

// format is OpenMetrics' side of [lines.Page].
type format struct{}

// blocks are the headers under which a complete family of each type is written
// (section "Metric Types").
var blocks = [...][]lines.Block{
	model.Unknown:        whole(model.Unknown),
	model.Counter:        whole(model.Counter),
	model.Gauge:          whole(model.Gauge),
	model.Summary:        whole(model.Summary),
	model.Histogram:      whole(model.Histogram),
	model.GaugeHistogram: whole(model.GaugeHistogram),
	model.Info:           whole(model.Info),
	model.StateSet:       whole(model.StateSet),
}

// pieces are the blocks of a family whose points are not complete for its type:
// each part is written as a family of unknown type.
var pieces = [...][]lines.Block{
	model.Counter:        lines.Apart(model.PartTotal, model.PartCreated),
	model.Histogram:      lines.Apart(model.PartBucket, model.PartCount, model.PartSum, model.PartCreated),
	model.GaugeHistogram: lines.Apart(model.PartBucket, model.PartGCount, model.PartGSum),
	model.Info:           lines.Apart(model.PartInfo),
	model.StateSet:       lines.Apart(model.PartValue),
}

func whole(t model.Type) []lines.Block {
	return []lines.Block{{Name: model.PartValue, Type: t.String(), Parts: t.Parts(), Counts: t == model.Counter}}
}

func (format) Blocks(f *model.Family) []lines.Block {
	left := f.Mask() & f.Type.Parts()
	switch {
	case !f.Type.Valid():
		return blocks[model.Unknown]
	case lines.Literal(f),
		f.Type == model.StateSet && strings.Contains(f.Name, ":"), // its label has the family's name, and labels may not have colons
		f.Type == model.Counter && left&model.PartTotal == 0,
		f.Type == model.Histogram && !fits(left, model.PartCount, model.PartSum),
		f.Type == model.GaugeHistogram && !fits(left, model.PartGCount, model.PartGSum):
		return pieces[f.Type]
	}
	return blocks[f.Type]
}

// fits reports whether the parts make a histogram: buckets, and both count and
// sum or neither (section "Histogram").
func fits(left, count, sum model.Parts) bool {
	return left&model.PartBucket != 0 && (left&count != 0) == (left&sum != 0)
}

// AppendHeader appends HELP, TYPE and, if the name ends in the unit as it must,
// UNIT (section "Unit").
func (format) AppendHeader(dst, name []byte, f *model.Family, b lines.Block) []byte {
	dst = append(dst, "# HELP "...)
	dst = append(dst, name...)
	dst = append(dst, ' ')
	dst = model.AppendEscaped(dst, f.Help)
	dst = append(dst, "\n# TYPE "...)
	dst = append(dst, name...)
	dst = append(dst, ' ')
	dst = append(dst, b.Type...)
	dst = append(dst, '\n')
	if endsInUnit(name, f) {
		dst = append(dst, "# UNIT "...)
		dst = append(dst, name...)
		dst = append(dst, ' ')
		dst = append(dst, f.Unit...)
		dst = append(dst, '\n')
	}
	return dst
}

// endsInUnit reports whether a UNIT line may follow. Infos and state sets have
// no unit, and a unit consists of characters of a legacy name.
func endsInUnit(name []byte, f *model.Family) bool {
	if !model.LegacyName(f.Unit) || f.Type == model.Info || f.Type == model.StateSet {
		return false
	}
	name = bytes.TrimSuffix(name, []byte{'"'})
	cut := len(name) - len(f.Unit)
	return cut > 0 && name[cut-1] == '_' && string(name[cut:]) == f.Unit
}

// AppendTimestamp appends seconds with all digits that are known.
func (format) AppendTimestamp(dst []byte, t model.Timestamp) []byte {
	return t.AppendSeconds(append(dst, ' '))
}

// AppendExemplar appends an exemplar to a counter or a bucket, unless it is too long
// (section "Exemplars") or of a value that the bucket does not count.
func (format) AppendExemplar(p *lines.Page, dst []byte, part model.Parts, e *model.Exemplar, most float64) []byte {
	if part&(model.PartTotal|model.PartBucket) == 0 || p.Type() == model.Unknown.String() || e.Value > most {
		p.Drop(part, lines.MisplacedExemplar)
		return dst
	}
	for range e.Older.All() { // ABNF: one exemplar for each sample
		p.Drop(part, lines.MoreExemplars)
	}
	line := len(dst)
	dst = append(dst, " # {"...)
	start := len(dst)
	dst = p.AppendExemplarLabels(dst, e.Labels)
	if runes(dst[start:]) > model.MaxExemplarRunes {
		p.Drop(part, lines.LongExemplar)
		return dst[:line]
	}
	dst = append(dst, '}', ' ')
	dst = model.AppendValue(dst, e.Value)
	if e.Timestamp.IsSet() {
		dst = append(dst, ' ')
		dst = e.Timestamp.AppendSeconds(dst)
	}
	return dst
}

// runes counts the characters of the names and values in printed labels, where
// an escaped character is one and syntax is none.
func runes(text []byte) int {
	if len(text) <= model.MaxExemplarRunes {
		return 0
	}
	n, quoted := 0, false
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRune(text[i:])
		i += size
		switch {
		case c == '"':
			quoted = !quoted
			continue
		case c == '\\':
			i++
		case !quoted && (c == '=' || c == ','):
			continue
		}
		n++
	}
	return n
}

// FitHistogram drops a histogram with counts that the format does not allow. It drops
// count and sum if only one of them is there, or if the format does not allow the sum:
// they come together or not at all (section "Histogram"). The +Inf bucket still holds the
// count.
func (format) FitHistogram(p *lines.Page, has model.Parts, h *model.HistogramValue, count, sum float64) model.Parts {
	const counts, sums = model.PartCount | model.PartGCount, model.PartSum | model.PartGSum
	counted, summed := has&counts, has&sums
	if has&model.PartBucket == 0 || p.Type() == model.Unknown.String() {
		return has
	}
	if !fitsCounts(h, count) || counted != 0 && math.IsNaN(count) {
		p.Drop(model.PartBucket, lines.UnfitCount)
		return 0
	}
	if (counted != 0) == (summed != 0) && (summed == 0 || fitsSum(summed, h, sum)) {
		return has
	}
	if summed != 0 {
		p.Drop(summed, lines.UnfitSum)
	}
	return has &^ (counts | sums)
}

// fitsSum reports whether a histogram may have the sum. Sums of histograms are
// counters: neither NaN nor negative, and not beside negative bounds, with which
// they could decrease. Those of gauge histograms are not NaN, and negative only
// beside negative bounds (sections "Histogram" and "GaugeHistogram").
func fitsSum(part model.Parts, h *model.HistogramValue, sum float64) bool {
	negative := h.Bounds.Len() > 0 && h.Bounds.Upper()[0] < 0
	if part == model.PartGSum {
		return sum >= 0 || sum < 0 && negative
	}
	return sum >= 0 && !negative
}

// fitsCounts reports whether buckets and count are whole numbers that increase (section
// "Histogram").
func fitsCounts(h *model.HistogramValue, count float64) bool {
	n := min(h.Bounds.Len(), len(h.Cumulative))
	if math.IsNaN(count) && lines.Closed(h.Bounds, n) {
		count = h.Cumulative[n-1]
	}
	for _, v := range h.Cumulative[:n] {
		if !lines.IsCount(v) {
			return false
		}
	}
	return lines.IsCount(count) && lines.Cumulate(h, n, count)
}

// FitSummary drops a sum that is NaN or negative and a count that is not a whole number
// from 0 on, and sets the least value of quantiles to 0 (section "Summary"). The parts of
// a restricted family are of unknown type and may have any value.
func (format) FitSummary(p *lines.Page, has model.Parts, s *model.SummaryValue) (fit model.Parts, least float64) {
	if p.Type() == model.Unknown.String() {
		return has, math.Inf(-1)
	}
	if has&model.PartSum != 0 && !(s.Sum >= 0) {
		p.Drop(model.PartSum, lines.UnfitSum)
		has &^= model.PartSum
	}
	if has&model.PartCount != 0 && !lines.IsCount(s.Count) {
		p.Drop(model.PartCount, lines.UnfitCount)
		has &^= model.PartCount
	}
	return has, 0
}

// TakesLoose accepts samples that differ from a point of their family by an
// exemplar only. A line under another name, or without the label that its type
// demands, would be an error to a reader.
func (format) TakesLoose(f *model.Family, s *model.Sample) bool {
	return (f.Type == model.Unknown || f.Type == model.Gauge) && s.Name == f.Name
}

// Trailer ends the exposition (section "Overall Structure").
func (format) Trailer() string { return "# EOF\n" }
