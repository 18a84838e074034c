package openmetrics2

import (
	"math"
	"strings"

	"telltale/internal/lines"
	"telltale/model"
)

// format is the draft's side of [lines.Page].
type format struct{ escaping model.Escaping }

// blocks are the headers under which a complete family of each type is written
// (section "Metric types").
var blocks = [...][]lines.Block{
	model.Unknown:        whole(model.Unknown, model.PartValue, nil),
	model.Counter:        whole(model.Counter, model.PartTotal, counter),
	model.Gauge:          whole(model.Gauge, model.PartValue, nil),
	model.Summary:        whole(model.Summary, model.PartValue, summary),
	model.Histogram:      whole(model.Histogram, model.PartValue, histogram),
	model.GaugeHistogram: whole(model.GaugeHistogram, model.PartValue, gaugeHistogram),
	model.Info:           whole(model.Info, model.PartInfo, nil),
	model.StateSet:       whole(model.StateSet, model.PartValue, nil),
}

// pieces are the blocks of a family whose points are not complete for its type:
// each part is written as a family of unknown type.
var pieces = [...][]lines.Block{
	model.Summary:        lines.Apart(model.PartValue, model.PartCount, model.PartSum),
	model.Histogram:      lines.Apart(model.PartBucket, model.PartCount, model.PartSum),
	model.GaugeHistogram: lines.Apart(model.PartBucket, model.PartGCount, model.PartGSum),
	model.Info:           lines.Apart(model.PartInfo),
	model.StateSet:       lines.Apart(model.PartValue),
}

func whole(t model.Type, name model.Parts, value func(*lines.Page, []byte, *model.Point) []byte) []lines.Block {
	return []lines.Block{{Name: name, Type: t.String(), Parts: t.Parts() &^ model.PartCreated, Value: value}}
}

func (w format) Blocks(f *model.Family) []lines.Block {
	if !f.Type.Valid() {
		return blocks[model.Unknown]
	}
	var split bool
	switch f.Type {
	case model.Summary, model.Histogram, model.GaugeHistogram:
		all := f.Type.Parts() &^ model.PartCreated
		split = f.Mask()&all != all
	case model.Info:
		split = f.IsLiteral() && !strings.HasSuffix(f.Name, "_info")
	case model.StateSet: // its label has the family's name, which may have colons only in quotes
		split = w.escaping != model.AllowUTF8 && strings.Contains(f.Name, ":")
	}
	if split {
		return pieces[f.Type]
	}
	return blocks[f.Type]
}

// AppendHeader appends TYPE, UNIT and HELP, in the order that the draft
// recommends (section "MetricFamily metadata"); an empty one is left out.
func (format) AppendHeader(dst, name []byte, f *model.Family, b lines.Block) []byte {
	dst = append(appendKeyword(dst, "TYPE", name), b.Type...)
	dst = append(dst, '\n')
	if hasUnit(f, b) {
		dst = append(appendKeyword(dst, "UNIT", name), f.Unit...)
		dst = append(dst, '\n')
	}
	if f.Help != "" {
		dst = model.AppendEscaped(appendKeyword(dst, "HELP", name), f.Help)
		dst = append(dst, '\n')
	}
	return dst
}

// hasUnit reports whether a UNIT line may follow (section "Unit"). Infos and
// state sets have no unit, a part of a histogram may count something else, and a
// unit consists of characters of a legacy name.
func hasUnit(f *model.Family, b lines.Block) bool {
	return f.Unit != "" && model.LegacyName("_"+f.Unit) && b.Type == f.Type.String() && f.Type != model.Info && f.Type != model.StateSet
}

func appendKeyword(dst []byte, keyword string, name []byte) []byte {
	dst = append(append(dst, "# "...), keyword...)
	dst = append(append(dst, ' '), name...)
	return append(dst, ' ')
}

// AppendTimestamp appends seconds with all digits that are known.
func (format) AppendTimestamp(dst []byte, t model.Timestamp) []byte {
	return t.AppendSeconds(append(dst, ' '))
}

// AppendExemplar appends nothing: the exemplars of counters and histograms are
// written with their values, and other types have none (section "Exemplars").
func (format) AppendExemplar(p *lines.Page, dst []byte, part model.Parts, _ *model.Exemplar, _ float64) []byte {
	p.Drop(part, lines.MisplacedExemplar)
	return dst
}

// FitHistogram drops nothing: it is called only for incomplete histograms.
func (format) FitHistogram(_ *lines.Page, has model.Parts, _ *model.HistogramValue, _, _ float64) model.Parts {
	return has
}

// FitSummary drops nothing: it is called only for incomplete summaries.
func (format) FitSummary(_ *lines.Page, has model.Parts, _ *model.SummaryValue) (fit model.Parts, least float64) {
	return has, math.Inf(-1)
}

// TakesLoose accepts samples that differ from a point of their family by an
// exemplar only.
func (format) TakesLoose(f *model.Family, s *model.Sample) bool {
	return (f.Type == model.Unknown || f.Type == model.Gauge) && s.Name == f.Name && s.NativeHistogram == nil
}

// Trailer ends the exposition (section "Overall Structure").
func (format) Trailer() string { return "# EOF\n" }
