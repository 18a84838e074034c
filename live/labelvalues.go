package live

import (
	"slices"
	"strconv"
	"strings"

	"telltale/exposition/json"
	"telltale/model"
)

// mostShownValues is how many values of a label the page gets, those of most series.
const mostShownValues = 20

// valueCounts counts the series of each value of a label.
type valueCounts struct {
	name   string
	series map[string]int
	beyond int // series with values for which there was no room
}

// countValues encodes how many values each label of a family has, and those that
// most series have.
func (w *writer) countValues(f *model.Family) error {
	var labels []*valueCounts
	room := w.maxBytes - w.bytes // for values that are kept
	count := func(l model.Labels) {
		at := 0 // where the next label is looked for first
		for name, value := range l.All() {
			if at >= len(labels) || labels[at].name != name { // series of a family usually have one order
				at = slices.IndexFunc(labels, func(c *valueCounts) bool { return c.name == name })
				if at < 0 {
					if at = len(labels); at >= mostLabels {
						continue
					}
					labels = append(labels, &valueCounts{name: strings.Clone(name), series: make(map[string]int)})
				}
			}
			c := labels[at]
			at++
			if n, known := c.series[value]; known {
				c.series[value] = n + 1
			} else if len(c.series) < w.maxValues && room > len(value) {
				c.series[strings.Clone(value)] = 1
				room -= len(value)
			} else {
				c.beyond++
			}
		}
	}
	err := f.VisitScalars(&w.scratch, func(run []model.Scalar) error {
		for i := range run {
			count(run[i].Labels)
		}
		return nil
	}, func(p *model.Point) error {
		count(p.Labels)
		count(p.Info)
		return nil
	})
	if err != nil {
		return err
	}
	b := strconv.AppendInt([]byte(`{"family":`), int64(len(w.series)), 10)
	b = append(b, `,"labels":[`...)
	for i, c := range labels {
		b = c.append(comma(b, i))
	}
	b = append(b, "]}"...)
	if w.bytes+len(b) <= w.maxBytes {
		w.bytes += len(b)
		w.labels[strings.Clone(f.Name)] = b
	}
	return nil
}

func (c *valueCounts) append(b []byte) []byte {
	values := make([]string, 0, len(c.series))
	for v := range c.series {
		values = append(values, v)
	}
	slices.SortFunc(values, func(a, b string) int {
		if n := c.series[b] - c.series[a]; n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	b = json.AppendString(append(b, `{"name":`...), c.name)
	b = strconv.AppendInt(append(b, `,"values":`...), int64(len(values)), 10)
	b = strconv.AppendInt(append(b, `,"beyond":`...), int64(c.beyond), 10)
	b = append(b, `,"top":[`...)
	for i, v := range values[:min(len(values), mostShownValues)] {
		b = json.AppendString(append(comma(b, i), '['), v)
		b = append(strconv.AppendInt(append(b, ','), int64(c.series[v]), 10), ']')
	}
	return append(b, "]}"...)
}
