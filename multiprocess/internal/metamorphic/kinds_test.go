//go:build unix

package metamorphic

import (
	"strconv"

	"telltale/model"
)

// kindOf returns what a family is to a process of the edition, as the letter that
// other families of that kind have: x and y are counters of edition 1 and gauges of
// edition 2, b is a counter.
func kindOf(family string, edition int) byte {
	switch letter := family[0]; {
	case letter == 'b', (letter == 'x' || letter == 'y') && edition == 1:
		return 'c'
	case letter == 'x', letter == 'y':
		return 'g'
	default:
		return letter
	}
}

// nameOf returns the name of a family in a process of the edition. The gauge x of
// edition 2 has that of the sample of the counter of edition 1.
func nameOf(family string, edition int) string {
	if family[0] == 'x' && edition == 2 {
		return family + "_total"
	}
	return family
}

// labelOf returns the label name of a family in a process of the edition.
func labelOf(family string, edition int) string {
	if family[0] == 'b' && edition == 2 {
		return "k"
	}
	return "n"
}

// sameSeries reports whether a series of the family is the same to processes of two
// editions.
func sameSeries(family string, a, b int) bool {
	return kindOf(family, a) == kindOf(family, b) && nameOf(family, a) == nameOf(family, b) && labelOf(family, a) == labelOf(family, b)
}

// isContested reports whether pages have one edition of the family alone.
func isContested(family string) bool { return family[0] == 'x' || family[0] == 'y' }

// isOfTheLiving reports whether what dead processes have of the family counts no more.
func isOfTheLiving(family string) bool {
	return family[0] == 'l' || family[0] == 'i' || family[0] == 'e'
}

// states are those of enums.
var states = []string{"a", "b", "d"}

// stateOf returns the state that a value stands for.
func stateOf(v float64) string { return states[int64(v)%int64(len(states))] }

// infoOf returns the labels that a value stands for.
func infoOf(v float64) map[string]string {
	return map[string]string{"v": strconv.FormatFloat(v, 'g', -1, 64)}
}

// shown returns the edition of a contested family that the page has, 0 if it has none.
func (p *page) shown(family string) (edition int) {
	for edition, typ := range []model.Type{1: model.Counter, 2: model.Gauge} {
		if got, in := p.types[nameOf(family, edition)]; in && edition > 0 && got == typ {
			return edition
		}
	}
	return 0
}
