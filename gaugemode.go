package telltale

// How the values of a gauge in several processes are merged.

import (
	"fmt"

	"telltale/internal/cell"
)

// GaugeMode is how the values of a gauge in several processes are merged. The live
// modes leave out processes that have ended.
type GaugeMode uint8

// The ten modes of Python's client.
const (
	ModeAll            GaugeMode = iota // one series for each process
	ModeMin                             // the smallest
	ModeMax                             // the largest
	ModeSum                             // the sum
	ModeMostRecent                      // the value set last
	ModeLiveAll                         // one series for each process alive
	ModeLiveMin                         // the smallest of processes alive
	ModeLiveMax                         // the largest of processes alive
	ModeLiveSum                         // the sum of processes alive
	ModeLiveMostRecent                  // what a process alive set last
	numModes
)

// String returns the mode's name as Python's client spells it.
func (m GaugeMode) String() string {
	if m < numModes {
		return cell.GaugeModes[m]
	}
	return fmt.Sprintf("GaugeMode(%d)", uint8(m))
}

// check returns an error if the mode is none of the ten.
func (m GaugeMode) check() error {
	if m >= numModes {
		return fmt.Errorf("telltale: unknown gauge mode %s", m)
	}
	return nil
}
