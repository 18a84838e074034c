package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// chartRows are the rows that the chart shows, from the top.
var chartRows = []chartRow{
	{regexp.MustCompile(`^labelled-inc/alone$`), 1, "Inc of a counter,\nfound by 3 labels"},
	{regexp.MustCompile(`^histogram-observe/alone$`), 1, "Observe,\n11 buckets"},
	{regexp.MustCompile(`^scrape-text/counters=(.+)$`), 2, "Text scrape,\n%s counters"},
	{regexp.MustCompile(`^heap/counters=(.+)$`), 1, "Heap of a counter,\none of %s"},
}

// chartRow is a row of the benchmark, whose name depends on the plan's sizes.
type chartRow struct {
	name  *regexp.Regexp
	nth   int    // of the rows that have such a name
	label string // %s is what the name's parentheses enclose
}

// in finds the row in a report, nil if it was not measured.
func (c chartRow) in(r report) (row *rowReport, label string) {
	left := c.nth
	for i := range r.Rows {
		found := c.name.FindStringSubmatch(r.Rows[i].Name)
		if found == nil {
			continue
		}
		if left--; left > 0 {
			continue
		}
		if len(found) > 1 {
			return &r.Rows[i], fmt.Sprintf(c.label, found[1])
		}
		return &r.Rows[i], c.label
	}
	return nil, ""
}

// chartPeers are the peers in the chart, from the top.
var chartPeers = []struct {
	name, label string
	fill        color.Color
}{
	{clientGolangName, "client_golang", color.NRGBA{0x3b, 0x82, 0xc4, 0xff}},
	{victoriaName, "VictoriaMetrics", color.NRGBA{0xe0, 0x8a, 0x1e, 0xff}},
	{otelName, "OpenTelemetry", color.NRGBA{0x2a, 0x9d, 0x78, 0xff}},
}

// theme is the set of colours of a chart.
type theme struct{ ground, ink, grid color.Color }

// themes are the themes for light and dark pages, by the ends of the files'
// names.
var themes = map[string]theme{
	"light": {color.White, color.NRGBA{0x1f, 0x23, 0x28, 0xff}, color.NRGBA{0xd8, 0xde, 0xe4, 0xff}},
	"dark":  {color.NRGBA{0x0d, 0x11, 0x17, 0xff}, color.NRGBA{0xe6, 0xed, 0xf3, 0xff}, color.NRGBA{0x30, 0x36, 0x3d, 0xff}},
}

// bar is one peer in one row of the chart.
type bar struct {
	known bool
	times float64 // what the peer takes, telltale's being 1
}

// chart is the content of a chart: a bar for each peer, for each row.
type chart struct {
	labels []string
	bars   [][]bar
}

// newChart picks the chart's rows out of a report.
func newChart(r report) (chart, error) {
	var c chart
	for _, want := range chartRows {
		row, label := want.in(r)
		if row == nil {
			return chart{}, fmt.Errorf("no row %s for the chart", want.name)
		}
		bars := make([]bar, len(chartPeers))
		for i, peer := range chartPeers {
			if p := row.find(peer.name); p != nil && p.Ratio != nil {
				bars[i] = bar{true, 1 / p.Ratio.Value}
			}
		}
		c.labels = append(c.labels, label)
		c.bars = append(c.bars, bars)
	}
	return c, nil
}

// alt returns a text that describes the chart.
func (c chart) alt() string {
	var lines []string
	for i, label := range c.labels {
		var parts []string
		for j, b := range c.bars[i] {
			if b.known {
				parts = append(parts, chartPeers[j].label+" "+spellTimes(b.times))
			}
		}
		if parts == nil {
			continue
		}
		lines = append(lines, strings.ReplaceAll(label, "\n", " ")+": "+strings.Join(parts, ", "))
	}
	return "Bar chart: what other libraries take when telltale takes 1. " + strings.Join(lines, ". ") + "."
}

// spellTimes writes the factor of a peer, with at least two digits.
func spellTimes(times float64) string {
	switch {
	case times == 1 || times >= 9.95:
		return strconv.FormatFloat(times, 'f', 0, 64) + "x"
	case times >= 0.095:
		return strconv.FormatFloat(times, 'f', 1, 64) + "x"
	default:
		return strconv.FormatFloat(times, 'g', 1, 64) + "x"
	}
}

// In points, as all lengths here.
const (
	chartWidth  vg.Length = 560
	chartHeight vg.Length = 310
	chartMargin vg.Length = 10
	barWidth    vg.Length = 14
	barStep     vg.Length = 16
	chartFont   vg.Length = 11
)

// svg draws the chart. Bars start at 1, telltale's own figure, and lie on a
// logarithmic scale: they are drawn by their decimal logarithms.
func (c chart) svg(t theme) ([]byte, error) {
	p := plot.New()
	p.BackgroundColor = color.Transparent // the ground has margins, too
	face := font.Font{Typeface: "Liberation", Variant: "Sans", Size: chartFont}
	p.X.Label.Text = "times what telltale takes, logarithmic; the line at 1x is telltale"
	p.X.Label.TextStyle.Font, p.X.Label.TextStyle.Color = face, t.ink
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Tick.Label.Font, axis.Tick.Label.Color = face, t.ink
		axis.Width = 0
		axis.Tick.Color = t.grid
	}
	p.X.Label.Padding, p.X.Padding = 6, 0
	low, high := c.decades()
	p.X.Min, p.X.Max = low, high
	p.X.Tick.Marker = decades{}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = nil, t.grid
	p.Add(grid)
	for i, peer := range chartPeers {
		if err := c.addBars(p, i, t, face); err != nil {
			return nil, fmt.Errorf("bars of %s: %w", peer.name, err)
		}
	}
	own, err := plotter.NewLine(plotter.XYs{{X: 0, Y: -0.5}, {X: 0, Y: float64(len(c.labels)) - 0.5}})
	if err != nil {
		return nil, err
	}
	own.Color, own.Width = t.ink, 1.2
	p.Add(own)
	fromBottom := slices.Clone(c.labels)
	slices.Reverse(fromBottom)
	p.NominalY(fromBottom...)
	p.Y.Padding = 8 // which NominalY has changed
	p.Y.Min, p.Y.Max = -0.5, float64(len(c.labels))-0.5

	canvas := vgsvg.New(chartWidth, chartHeight)
	whole := draw.New(canvas)
	whole.FillPolygon(t.ground, []vg.Point{whole.Min, {X: whole.Max.X, Y: whole.Min.Y}, whole.Max, {X: whole.Min.X, Y: whole.Max.Y}})
	p.Draw(draw.Crop(whole, chartMargin, -chartMargin, chartMargin, -chartMargin))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, err
	}
	// Liberation Sans has the widths of Arial and Helvetica, which more readers have.
	return bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")), nil
}

// addBars adds a peer's bars, each with its figure and the peer behind it.
func (c chart) addBars(p *plot.Plot, peer int, t theme, face font.Font) error {
	lengths := make(plotter.Values, len(c.labels))
	var places plotter.XYs
	var figures []string
	for i, bars := range c.bars {
		at := len(c.bars) - 1 - i // the first row is on top
		if b := bars[peer]; b.known {
			lengths[at] = math.Log10(b.times)
			places = append(places, plotter.XY{X: max(lengths[at], 0), Y: float64(at)})
			figures = append(figures, spellTimes(b.times)+" "+chartPeers[peer].label)
		}
	}
	bars, err := plotter.NewBarChart(lengths, barWidth)
	if err != nil {
		return err
	}
	offset := barStep * vg.Length(float64(len(chartPeers)-1)/2-float64(peer))
	bars.Horizontal, bars.Offset = true, offset
	bars.Color, bars.LineStyle.Width = chartPeers[peer].fill, 0
	p.Add(bars)
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: places, Labels: figures})
	if err != nil {
		return err
	}
	for i := range labels.TextStyle {
		labels.TextStyle[i].Font, labels.TextStyle[i].Color = face, t.ink
		labels.TextStyle[i].YAlign = draw.YCenter
	}
	labels.Offset = vg.Point{X: 4, Y: offset}
	p.Add(labels)
	return nil
}

// labelRoom is the width of a figure and a name after a bar, as a fraction of a
// scale of two or three decades.
const labelRoom = 1.0

// decades returns the ends of the scale, with room for the texts after the bars.
func (c chart) decades() (low, high float64) {
	high = 1
	for _, bars := range c.bars {
		for _, b := range bars {
			if b.known {
				low, high = min(low, math.Log10(b.times)), max(high, math.Log10(b.times))
			}
		}
	}
	if low < 0 {
		low -= 0.05
	}
	return low, high + labelRoom
}

// decades are ticks at powers of ten on a scale of their logarithms.
type decades struct{}

func (decades) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Ceil(low); power <= high; power++ {
		ticks = append(ticks, plot.Tick{Value: power, Label: spellTimes(math.Pow(10, power))})
	}
	return ticks
}
