package text

import (
	"math"
	"strconv"

	"telltale/internal/lines"
	"telltale/model"
)

// format is the text format's side of [lines.Page].
type format struct{}

// blocks are the headers under which each type is written. A block is named as
// the samples of its first entry; created times are in no block.
var blocks = [...][]lines.Block{
	model.Unknown:   {{Name: model.PartValue, Type: "untyped", Parts: model.PartValue}},
	model.Counter:   {{Name: model.PartTotal, Type: "counter", Parts: model.PartTotal}},
	model.Gauge:     {{Name: model.PartValue, Type: "gauge", Parts: model.PartValue}},
	model.Summary:   {{Name: model.PartValue, Type: "summary", Parts: model.PartValue | model.PartCount | model.PartSum}},
	model.Histogram: {{Name: model.PartValue, Type: "histogram", Parts: model.PartBucket | model.PartCount | model.PartSum}},
	model.GaugeHistogram: {
		{Name: model.PartValue, Type: "histogram", Parts: model.PartBucket},
		{Name: model.PartGCount, Type: "gauge", Parts: model.PartGCount},
		{Name: model.PartGSum, Type: "gauge", Parts: model.PartGSum},
	},
	model.Info:     {{Name: model.PartInfo, Type: "gauge", Parts: model.PartInfo}},
	model.StateSet: {{Name: model.PartValue, Type: "gauge", Parts: model.PartValue}},
}

func (format) Blocks(f *model.Family) []lines.Block {
	if !f.Type.Valid() {
		return blocks[model.Unknown]
	}
	return blocks[f.Type]
}

func (format) AppendHeader(dst, name []byte, f *model.Family, b lines.Block) []byte {
	dst = append(dst, "# HELP "...)
	dst = append(dst, name...)
	dst = append(dst, ' ')
	dst = appendHelp(dst, model.ValidHelp(f.Help))
	dst = append(dst, "\n# TYPE "...)
	dst = append(dst, name...)
	dst = append(dst, ' ')
	dst = append(dst, b.Type...)
	return append(dst, '\n')
}

// appendHelp appends a help text, in which quotes are not escaped.
func appendHelp(dst []byte, help string) []byte {
	for i := range len(help) {
		switch c := help[i]; c {
		case '\\':
			dst = append(dst, '\\', '\\')
		case '\n':
			dst = append(dst, '\\', 'n')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// AppendTimestamp appends whole milliseconds.
func (format) AppendTimestamp(dst []byte, t model.Timestamp) []byte {
	return strconv.AppendInt(append(dst, ' '), t.UnixMilli(), 10)
}

func (format) AppendExemplar(_ *lines.Page, dst []byte, _ model.Parts, _ *model.Exemplar, _ float64) []byte {
	return dst
}

func (format) FitHistogram(_ *lines.Page, has model.Parts, _ *model.HistogramValue, _, _ float64) model.Parts {
	return has
}

func (format) FitSummary(_ *lines.Page, has model.Parts, _ *model.SummaryValue) (fit model.Parts, least float64) {
	return has, math.Inf(-1)
}

func (format) TakesLoose(*model.Family, *model.Sample) bool { return true }

func (format) Trailer() string { return "" }
