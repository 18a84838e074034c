package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// film is what a terminal showed, one look after the other.
type film struct{ frames [][]string }

func (f *film) add(screen string) { f.frames = append(f.frames, strings.Split(screen, "\n")) }

// Sizes in the picture.
const (
	cellWidth, cellHeight = 7.85, 17
	margin                = 12
)

// svg returns the film as a picture that moves by CSS. A line that does not change is
// there once. Where motion is unwanted, or not possible, it is the last frame.
func (f *film) svg() []byte {
	type line struct {
		row  int
		text string
	}
	shown := map[line][]bool{} // in which frames
	var order []line
	for n, frame := range f.frames {
		for row, text := range frame {
			l := line{row, strings.TrimRight(text, " ")}
			if l.text == "" {
				continue
			}
			if shown[l] == nil {
				shown[l] = make([]bool, len(f.frames))
				order = append(order, l)
			}
			shown[l][n] = true
		}
	}
	height := 0
	for _, l := range order {
		height = max(height, l.row+1)
	}
	seconds := every.Seconds() * float64(len(f.frames))
	var lines, styles bytes.Buffer
	classes := map[string]int{} // by when lines are shown
	for _, l := range order {
		y := margin + cellHeight*l.row + cellHeight - 5
		class := "last"
		if slices.Contains(shown[l], false) {
			key := fmt.Sprint(shown[l])
			if _, known := classes[key]; !known {
				classes[key] = len(classes)
				fmt.Fprintf(&styles, "@keyframes k%d{%s}.k%d{animation-name:k%d}\n", classes[key], keyframes(shown[l]), classes[key], classes[key])
			}
			class = fmt.Sprintf("k k%d", classes[key])
			if shown[l][len(f.frames)-1] {
				class += " last"
			}
		}
		fmt.Fprintf(&lines, "<text class=%q x=\"%d\" y=\"%d\">%s</text>\n", class, margin, y, html.EscapeString(l.text))
	}
	width := 2*margin + int(math.Ceil(float64(cellWidth)*columns))
	var page bytes.Buffer
	fmt.Fprintf(&page, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" xml:space="preserve">
<title>A terminal: a live table of a counter of a service with three processes. One process is ended by kill -9; the total goes on without a fall.</title>
<style>
rect{fill:#16181d}
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d8dce3;white-space:pre;visibility:hidden}
.last{visibility:visible}
@media (prefers-reduced-motion:no-preference){
.k{animation:%.2fs step-end infinite}
%s}
</style>
<rect width="100%%" height="100%%" rx="8"/>
%s</svg>
`, width, 2*margin+cellHeight*height, width, 2*margin+cellHeight*height, seconds, styles.String(), lines.String())
	return page.Bytes()
}

// keyframes says when a line is shown.
func keyframes(shown []bool) string {
	var text strings.Builder
	for n, on := range shown {
		if n > 0 && on == shown[n-1] {
			continue
		}
		state := "hidden"
		if on {
			state = "visible"
		}
		fmt.Fprintf(&text, "%.4g%%{visibility:%s}", 100*float64(n)/float64(len(shown)), state)
	}
	return text.String()
}
