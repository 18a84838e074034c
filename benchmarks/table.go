package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The table's columns. Figures stand right, words left.
var columns = []struct {
	title string
	left  bool
}{
	{"row", true}, {"peer", true},
	{"median", false}, {"range", false}, {"allocs", false}, {"bytes", false},
	{"telltale is", false}, {"by round", false},
	{"target", false}, {"verdict", true},
}

// writeTable prints the report for people: one block a row, one line a peer.
func (r report) writeTable(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "telltale and its peers: %s, up to %d rounds, %s long\n%s %s, %d processors\n",
		r.Plan, r.Rounds, r.took(), r.Go, r.Platform, r.Processors)
	for _, module := range r.sortedModules() {
		fmt.Fprintf(&out, "  %s %s\n", module[0], module[1])
	}
	out.WriteByte('\n')
	titles := make([]string, len(columns))
	for i, column := range columns {
		titles[i] = column.title
	}
	lines := [][]string{titles}
	for _, row := range r.Rows {
		lines = append(lines, nil)
		for i, p := range row.Peers {
			name := row.Name
			if i > 0 {
				name = ""
			}
			lines = append(lines, p.cells(name, row.Unit))
		}
	}
	align(&out, lines)
	r.summarize(&out)
	_, err := io.WriteString(w, out.String())
	return err
}

// summarize tallies the verdicts and lists the targets that are not met.
func (r report) summarize(out *strings.Builder) {
	fmt.Fprintf(out, "\n%s\n", r.tally())
	for _, row := range r.Rows {
		for _, p := range row.Peers {
			for _, v := range p.Verdicts {
				if v.Outcome != met {
					fmt.Fprintf(out, "  %s: %s: %s\n", row.Name, p.spellTarget(v), v.spellOutcome())
				}
			}
		}
	}
	if crowded := r.crowded(); len(crowded) > 0 {
		fmt.Fprintf(out, "\nshort of processors, other programs were running: %s\n", strings.Join(crowded, ", "))
	}
}

// tally counts the targets and how many were met.
func (r report) tally() string {
	counts := make(map[outcome]int)
	for _, row := range r.Rows {
		for _, p := range row.Peers {
			for _, v := range p.Verdicts {
				counts[v.Outcome]++
			}
		}
	}
	return fmt.Sprintf("%d targets met, %d near (at most a tenth over), %d missed", counts[met], counts[near], counts[missed])
}

// crowded lists the rows in which a peer had to share its processors, so that
// contention was less than it should be.
func (r report) crowded() []string {
	var names []string
	for _, row := range r.Rows {
		for _, p := range row.Peers {
			share := spreadOf(of(p.Samples, func(s sample) float64 { return s.Share })).Median
			if share > 0 && share < fullShare && !slices.Contains(names, row.Name) {
				names = append(names, row.Name)
			}
		}
	}
	return names
}

// spellTarget names the peer that a target compares with, if it is one.
func (p peerReport) spellTarget(v verdict) string {
	switch {
	case p.Ratio == nil:
		return v.Target
	case strings.HasSuffix(v.Target, " "+telltaleName):
		return p.Peer + " " + v.Target
	}
	return v.Target + " " + p.Peer
}

// cells is a peer's line of the table.
func (p peerReport) cells(row string, u unit) []string {
	cells := []string{
		row, p.Peer,
		spell(p.Value.Median, u), p.Value.relative(), trim(p.Allocs), spell(p.Bytes, bytesOfScrape),
		"", "", "", "",
	}
	if u == bytesSeries {
		cells[5] = "" // the median once more
	}
	if p.Ratio != nil {
		cells[6] = factor(p.Ratio.Value)
		cells[7] = p.Ratio.factors()
	}
	var targets, verdicts []string
	for _, v := range p.Verdicts {
		targets = append(targets, v.Target)
		verdicts = append(verdicts, v.spellOutcome())
	}
	cells[8], cells[9] = strings.Join(targets, ", "), strings.Join(verdicts, ", ")
	return cells
}

// align writes lines in columns; a nil line is an empty one.
func align(out *strings.Builder, lines [][]string) {
	widths := make([]int, len(columns))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range lines {
		var text strings.Builder
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if columns[i].left {
				text.WriteString(cell + pad + "  ")
			} else {
				text.WriteString(pad + cell + "  ")
			}
		}
		out.WriteString(strings.TrimRight(text.String(), " ") + "\n")
	}
}

// find gives a peer's part of a row, nil if it has none.
func (r rowReport) find(peer string) *peerReport {
	for i := range r.Peers {
		if r.Peers[i].Peer == peer {
			return &r.Peers[i]
		}
	}
	return nil
}

// spell writes a figure with a unit that suits its size.
func spell(figure float64, u unit) string {
	step, names := 1000.0, []string{"ns", "µs", "ms", "s"}
	switch u {
	case ratioUnit:
		return factor(figure)
	case allocsEach:
		return trim(figure) + " allocs"
	case bytesSeries:
		return trim(figure) + " B" // whole, to be compared at a glance
	case bytesOfScrape, bytesOfPush, bytesOfMerge:
		step, names = 1024, []string{"B", "KiB", "MiB", "GiB"}
	}
	i := 0
	for math.Abs(figure) >= step && i < len(names)-1 {
		figure /= step
		i++
	}
	return trim(figure) + " " + names[i]
}

// trim writes a figure with three digits, or all of them before the point.
func trim(figure float64) string {
	switch size := math.Abs(figure); {
	case size >= 100 || size < 0.005 || figure == math.Trunc(figure):
		return strconv.FormatFloat(figure, 'f', 0, 64)
	case size >= 10:
		return strconv.FormatFloat(figure, 'f', 1, 64)
	default:
		return strconv.FormatFloat(figure, 'f', 2, 64)
	}
}

// factor writes a ratio; small ones keep two digits.
func factor(ratio float64) string {
	if ratio < 0.1 {
		return strconv.FormatFloat(ratio, 'g', 2, 64) + "x"
	}
	return strconv.FormatFloat(ratio, 'f', 2, 64) + "x"
}

// factors writes the range that the rounds had, if they differ.
func (r ratio) factors() string {
	if r.Min == r.Max {
		return ""
	}
	return factor(r.Min) + " to " + factor(r.Max)
}

// relative writes a spread's range around its median, if there is one.
func (s spread) relative() string {
	if s.Min == s.Max || s.Median == 0 {
		return ""
	}
	return fmt.Sprintf("%+.0f%%..%+.0f%%", (s.Min/s.Median-1)*100, (s.Max/s.Median-1)*100)
}
