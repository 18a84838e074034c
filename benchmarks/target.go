package main

import "fmt"

// target is a goal of the design for a row.
type target struct {
	measure measure
	of      string  // the peer or the row that a ratio compares with
	atMost  float64 // the ratio, or the figure
}

// measure is the figure that a target limits.
type measure int

const (
	ratioToPeer measure = iota // telltale's figure over a peer's
	ratioOfPeer                // the peer's figure over telltale's
	ratioToRow                 // telltale's figure over its own in another row
	figure                     // telltale's figure by itself
	allocations                // telltale's allocations per operation
)

// words describes a target without the peer that it is compared with.
func (t target) words(u unit) string {
	text := spell(t.atMost, t.unit(u))
	switch t.measure {
	case ratioToRow:
		return text + " " + t.of
	case ratioOfPeer:
		return text + " " + telltaleName
	default:
		return text
	}
}

// unit is what a target in a row of that unit counts.
func (t target) unit(row unit) unit {
	switch t.measure {
	case figure:
		return row
	case allocations:
		return allocsEach
	default:
		return ratioUnit
	}
}

// times sets at most factor times the peer's figure as target.
func times(factor float64, peer string) target { return target{ratioToPeer, peer, factor} }

// timesRow sets at most factor times telltale's figure in another row as target.
func timesRow(factor float64, row string) target { return target{ratioToRow, row, factor} }

// linear sets the figure of the other row as target; the factor leaves room for
// caches.
func linear(row string) target { return timesRow(1.25, row) }

// sameAsHeap sets the figure on the heap as target for counting in files.
var sameAsHeap = []target{{ratioOfPeer, tmpfsName, 1.15}, {ratioOfPeer, diskName, 1.15}}

// below sets at most the given figure as target, whatever the peers need.
func below(limit float64) target { return target{figure, "", limit} }

// noAllocs sets no allocations per operation as target.
var noAllocs = target{allocations, "", 0}

// fewAllocs sets a constant number of allocations per scrape as target, the same
// for a million series and for ten thousand families.
var fewAllocs = target{allocations, "", 100}

// verdict is the result of comparing telltale with a target.
type verdict struct {
	Target  string  `json:"target"`
	Unit    unit    `json:"unit"` // of AtMost and Got
	AtMost  float64 `json:"at_most"`
	Got     ratio   `json:"got"`
	Outcome outcome `json:"outcome"`
}

// outcome is the word of a verdict.
type outcome string

const (
	met    outcome = "met"    // at most the target
	near   outcome = "near"   // at most nearMiss times the target
	missed outcome = "missed" // more
)

// nearMiss is the factor of its target up to which a figure is called near.
const nearMiss = 1.1

// judge compares a figure with a target of a row with that unit.
func judge(t target, u unit, got ratio) verdict {
	said := missed
	switch {
	case got.Value <= t.atMost:
		said = met
	case got.Value <= nearMiss*t.atMost:
		said = near
	}
	return verdict{Target: t.words(u), Unit: t.unit(u), AtMost: t.atMost, Got: got, Outcome: said}
}

// spellOutcome adds the factor by which a target was missed.
func (v verdict) spellOutcome() string {
	if v.Outcome == met || v.AtMost == 0 {
		return string(v.Outcome)
	}
	return fmt.Sprintf("%s (%+.0f%%)", v.Outcome, (v.Got.Value/v.AtMost-1)*100)
}

// spellGot writes what was measured against a target, and the range of the
// rounds.
func (v verdict) spellGot() string {
	text := spell(v.Got.Value, v.Unit)
	if v.Got.Min != v.Got.Max {
		text += fmt.Sprintf(" (%s to %s by round)", spell(v.Got.Min, v.Unit), spell(v.Got.Max, v.Unit))
	}
	return text
}
