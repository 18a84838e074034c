package screen

import (
	"math"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"telltale/cmd/telltale/internal/board"
	"telltale/model"
)

// levels are the characters of small charts.
var levels = []rune("▁▂▃▄▅▆▇█")

// sparkline draws the last values as n characters. Those of what only grows are drawn
// from 0, others from the lowest of them. Without a value it draws a blank.
func sparkline(values []float64, n int, fromZero bool) string {
	values = values[max(0, len(values)-n):]
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high = min(low, v), max(high, v)
		}
	}
	if fromZero {
		low = min(low, 0)
	}
	var line strings.Builder
	line.WriteString(strings.Repeat(" ", n-len(values)))
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			line.WriteByte(' ')
		case math.IsInf(v, 1):
			line.WriteRune(levels[len(levels)-1])
		case math.IsInf(v, -1), high <= low:
			line.WriteRune(levels[0])
		default:
			share := (v/2 - low/2) / (high/2 - low/2) // halves, since the difference may be infinite
			line.WriteRune(levels[min(max(int(share*float64(len(levels))), 0), len(levels)-1)])
		}
	}
	return line.String()
}

// bars draws the buckets of a histogram as at most n characters.
func bars(buckets []board.Bucket, n int) string {
	var counts []float64
	for _, b := range board.Joined(buckets, n) {
		counts = append(counts, b.Count)
	}
	return pad(strings.TrimLeft(sparkline(counts, len(counts), true), " "), n)
}

// bar draws a share of 1 as a bar of at most n characters.
func bar(share float64, n int) string {
	if !(share > 0) {
		return ""
	}
	eighths := int(min(share, 1)*float64(n)*8 + 0.5)
	line := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		line += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	} else if eighths == 0 {
		line = "▏"
	}
	return line
}

// number spells a number in at most ten characters.
func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 0):
		return model.FormatValue(v)
	case math.Abs(v) < 1e10 && (v == math.Trunc(v) || math.Abs(v) >= 1e5):
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 5, 64)
}

// orBlank spells a number, and nothing for NaN.
func orBlank(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return number(v)
}

// fit cuts text to n columns and fills it up to them.
func fit(text string, n int) string { return pad(ansi.Truncate(text, n, "…"), n) }

// fitMiddle cuts text to n columns out of its middle, and fills it up to them: the labels
// at the end of series tell them apart.
func fitMiddle(text string, n int) string {
	width := ansi.StringWidth(text)
	if width <= n || n < 12 {
		return fit(text, n)
	}
	start := n / 3
	return fit(ansi.Truncate(text, start, "")+ansi.TruncateLeft(text, width-(n-start-1), "…"), n)
}

func pad(text string, n int) string {
	return text + strings.Repeat(" ", max(0, n-ansi.StringWidth(text)))
}

// right cuts text to n columns and puts it at their right end.
func right(text string, n int) string {
	text = ansi.Truncate(text, n, "…")
	return strings.Repeat(" ", max(0, n-ansi.StringWidth(text))) + text
}

// The styles of text. The renderer leaves out what the terminal cannot show, and
// colours where NO_COLOR is set.
func bold(text string) string     { return "\x1b[1m" + text + "\x1b[m" }
func faint(text string) string    { return "\x1b[2m" + text + "\x1b[m" }
func reversed(text string) string { return "\x1b[7m" + text + "\x1b[m" }
func green(text string) string    { return "\x1b[32m" + text + "\x1b[m" }
func yellow(text string) string   { return "\x1b[33m" + text + "\x1b[m" }
func red(text string) string      { return "\x1b[1;31m" + text + "\x1b[m" }
