package main

import "fmt"

// target is what the design asks of telltale in a row.
type target struct {
	measure measure
	of      string  // the peer or the row that a ratio compares with
	atMost  float64 // the ratio, or the figure
}

// measure is what a target is about.
type measure int

const (
	ratioToPeer measure = iota // telltale's figure over a peer's
	ratioOfPeer                // the peer's figure over telltale's
	ratioToRow                 // telltale's figure over its own in another row
	figure                     // telltale's figure by itself
	allocations                // telltale's allocations per operation
)

// words spells a target out, short of the peer it stands beside.
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

// times asks for at most factor times what the peer takes.
func times(factor float64, peer string) target { return target{ratioToPeer, peer, factor} }

// timesRow asks for at most factor times what telltale takes in another row.
func timesRow(factor float64, row string) target { return target{ratioToRow, row, factor} }

// linear asks for what the other row takes; the factor leaves room for caches.
func linear(row string) target { return timesRow(1.25, row) }

// sameAsHeap asks that counting in files takes what it takes on the heap.
var sameAsHeap = []target{{ratioOfPeer, tmpfsName, 1.15}, {ratioOfPeer, diskName, 1.15}}

// below asks for at most so much, whatever the peers do.
func below(limit float64) target { return target{figure, "", limit} }

// noAllocs asks for an operation that does not allocate.
var noAllocs = target{allocations, "", 0}

// fewAllocs asks for a scrape whose allocations grow with nothing: a million
// series, or ten thousand families, have to do with as many.
var fewAllocs = target{allocations, "", 100}

// verdict says how telltale stands to a target.
type verdict struct {
	Target  string  `json:"target"`
	Unit    unit    `json:"unit"` // of AtMost and Got
	AtMost  float64 `json:"at_most"`
	Got     ratio   `json:"got"`
	Outcome outcome `json:"outcome"`
}

// outcome is a verdict's word.
type outcome string

const (
	met    outcome = "met"    // at most the target
	near   outcome = "near"   // at most nearMiss times the target
	missed outcome = "missed" // more
)

// nearMiss is how far beyond its target a figure is still called near.
const nearMiss = 1.1

// judge holds what was measured against a target of a row with that unit.
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

// spellOutcome adds by how much a target was missed.
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
