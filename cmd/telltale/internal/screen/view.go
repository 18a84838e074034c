package screen

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"telltale/cmd/telltale/internal/board"
	"telltale/model"
)

// View is called by bubbletea to draw the screen.
func (t *table) View() tea.View {
	v := tea.NewView(t.draw())
	v.AltScreen = true
	v.WindowTitle = "telltale watch"
	return v
}

// draw returns the lines of the screen.
func (t *table) draw() string {
	lines := t.head()
	switch t.mode {
	case series:
		lines = append(lines, t.list()...)
	case detail:
		lines = append(lines, t.detail()...)
	case writers:
		lines = append(lines, t.writers()...)
	case keys:
		lines = append(lines, help...)
	}
	last := max(t.height-1, 0)
	lines = lines[:min(len(lines), last)]
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, t.width, "")
	}
	for len(lines) < last {
		lines = append(lines, "")
	}
	return strings.Join(append(lines, t.foot()), "\n")
}

// headLines is how many lines the targets take, of t.height.
func (t *table) headLines() int { return min(len(t.config.Sources), max(t.height/4, 1)) }

// room returns the number of rows on the screen.
func (t *table) room() int { return max(t.height-t.headLines()-2, 0) }

// head returns a line for each target, or the last line for those that do not fit.
func (t *table) head() (lines []string) {
	all := t.board.Targets()
	for i, one := range all {
		if n := t.headLines(); i == n-1 && len(all) > n {
			away := 0
			for _, other := range all[i:] {
				if other.Err != nil {
					away++
				}
			}
			return append(lines, fit(fmt.Sprintf("and %d more targets, %d of them away", len(all)-i, away), t.width))
		}
		lines = append(lines, t.target(i, one))
	}
	return lines
}

// target returns the line of a target.
func (t *table) target(i int, one *board.Target) string {
	name := t.config.Printable(one.Name)
	if len(t.config.Sources) > 1 {
		name = fmt.Sprintf("%d %s", i+1, name)
	}
	switch {
	case one.Err != nil:
		what := fmt.Sprintf("✗ %s: away for %v: %s", name, time.Since(one.Since).Round(time.Second), t.config.Printable(reason(one)))
		return red(fit(what, t.width))
	case one.Readings == 0:
		return faint(fit("… "+name+": being read", t.width))
	}
	what := fmt.Sprintf("● %s: %d families, %d series, read in %v", name, one.Families, one.Series, one.Took.Round(time.Millisecond))
	if one.Left > 0 {
		what += fmt.Sprintf("; %d series beyond the limit are not shown", one.Left)
	}
	if one.Note != "" {
		return yellow(fit(what+"; "+t.config.Printable(one.Note), t.width))
	}
	return green(fit(what, t.width))
}

// reason returns the error of a target, without its name.
func reason(one *board.Target) string { return strings.TrimPrefix(one.Err.Error(), one.Name+": ") }

// columns are the widths of the columns: of the series what is left.
func (t *table) columns() (name, trend int) {
	if trend = 20; t.width < 70 {
		trend = max(0, t.width/4-5)
	}
	return max(t.width-2*numberWidth-trend-3, 10), trend
}

const numberWidth = 11

// list returns the head of the table and its rows.
func (t *table) list() []string {
	name, trend := t.columns()
	lines := []string{bold(fit("SERIES", name) + " " + right("VALUE", numberWidth) + " " + right("RATE/S", numberWidth) + " " + fit("TREND", trend))}
	room := t.room()
	t.top = min(max(t.top, t.cursor-room+1), t.cursor)
	for i := t.top; i < min(t.top+room, len(t.rows)); i++ {
		r := t.rows[i]
		line := t.row(r, name, trend)
		switch {
		case i == t.cursor:
			line = reversed(line)
		case r.Gone > 0 || t.board.Targets()[r.Target].Err != nil:
			line = faint(line)
		}
		lines = append(lines, line)
	}
	if len(t.rows) == 0 && t.filter != "" {
		lines = append(lines, faint("no series matches the filter"))
	}
	return lines
}

// row returns the line of a series.
func (t *table) row(r *board.Row, name, trend int) string {
	series := t.config.Printable(r.Series())
	if len(t.config.Sources) > 1 {
		series = fmt.Sprintf("%d %s", r.Target+1, series)
	}
	value, chart := number(r.Value), sparkline(r.Trend, trend, r.Type == model.Counter || r.Type == model.Summary)
	switch {
	case len(r.Buckets) > 0:
		chart = bars(r.Buckets, trend)
	case r.Type == model.Info, r.Type == model.StateSet:
		value, chart = "", t.config.Printable(r.Text)
	}
	return fitMiddle(series, name) + " " + right(value, numberWidth) + " " + right(orBlank(r.Rate), numberWidth) + " " + fit(chart, trend)
}

// detail returns all about the chosen series.
func (t *table) detail() []string {
	r := t.chosen
	if r == nil {
		return []string{"no series"}
	}
	clean := t.config.Printable
	lines := []string{bold(fit(clean(r.Name), t.width)), fit(clean(r.Help), t.width), ""}
	add := func(what, value string) {
		if value != "" {
			lines = append(lines, fit(fmt.Sprintf("%-10s %s", what, value), t.width))
		}
	}
	add("target", clean(t.board.Targets()[r.Target].Name))
	add("type", r.Type.String())
	add("unit", clean(r.Unit))
	for label, value := range model.LabelsFromText(r.Labels).All() {
		add("label", clean(label+"="+value))
	}
	add("value", number(r.Value))
	add("", clean(r.Text))
	add("rate/s", orBlank(r.Rate))
	add("mean", orBlank(r.Mean))
	add("trend", sparkline(r.Trend, min(board.History, max(t.width-12, 1)), r.Type == model.Counter))
	for _, q := range r.Quantiles {
		add(number(q.Q), number(q.V))
	}
	if len(r.Buckets) == 0 {
		return lines
	}
	since := "since it began"
	if r.Recent {
		since = "since the reading before"
	}
	for _, q := range []float64{0.5, 0.9, 0.99} {
		add(number(q), orBlank(board.Quantile(q, r.Buckets)))
	}
	return append(append(lines, "", fit("observations "+since+", up to", t.width)), t.histogram(r, t.height-len(lines)-t.headLines()-3)...)
}

// histogram draws buckets as lines.
func (t *table) histogram(r *board.Row, room int) (lines []string) {
	shown := board.Joined(r.Buckets, max(room, 1))
	most := 0.0
	for _, b := range shown {
		most = max(most, b.Count)
	}
	for _, b := range shown {
		lines = append(lines, right(number(b.Upper), numberWidth)+" "+right(number(b.Count), numberWidth)+" "+bar(b.Count/most, max(t.width-2*numberWidth-2, 1)))
	}
	return lines
}

// writers returns the processes that write to the directories.
func (t *table) writers() []string {
	lines := []string{bold(fit(fmt.Sprintf("%-28s %-8s %-8s %9s %11s %-10s %s", "FILE", "PID", "ALIVE", "SERIES", "USED", "SHARE", "HEALTH"), t.width))}
	if t.problem != nil {
		lines = append(lines, red(fit(t.config.Printable(t.problem.Error()), t.width)))
	}
	var used int64
	for _, w := range t.files {
		used += w.Used
	}
	for _, w := range t.files {
		clean := t.config.Printable
		share := 0.0
		if used > 0 {
			share = float64(w.Used) / float64(used)
		}
		line := fit(clean(w.File), 28) + " " + fit(clean(w.PID), 8) + " " + fit(clean(w.Alive), 8) + " " + right(fmt.Sprint(w.Series), 9) + " " +
			right(fmt.Sprint(w.Used), 11) + " " + pad(bar(share, 10), 10) + " " + clean(w.Health)
		lines = append(lines, fit(line, t.width))
	}
	if len(t.files) == 0 && t.problem == nil {
		lines = append(lines, faint("no target is a directory with files of processes"))
	}
	return lines
}

// foot returns the last line.
func (t *table) foot() string {
	if t.filtering {
		return fit("filter: "+t.config.Printable(t.filter)+"▏", t.width)
	}
	order := t.order.String()
	if t.reverse {
		order += ", reversed"
	}
	text := fmt.Sprintf("%d series, by %s", len(t.rows), order)
	if t.filter != "" {
		text += ", with " + t.config.Printable(t.filter)
	}
	if t.paused {
		text = "PAUSED, " + text
	}
	return faint(fit(text+" · / filter, s sort, ? keys, q quit", t.width))
}

// help tells what keys do.
var help = []string{
	"",
	"  /            filter: series that have all words; Enter keeps it, Esc drops it",
	"  s, r         sort by page, name, value or rate; reverse the order",
	"  up, down, page up, page down, home, end",
	"  Enter        all about the series: labels, quantiles, buckets",
	"  w            the processes that write to a directory",
	"  space        pause",
	"  Esc          back",
	"  q, Ctrl-C    quit",
}
