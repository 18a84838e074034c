package cell

import (
	"context"
	"time"

	"telltale/model"
)

// Store keeps the cells of instruments where other processes see them, and
// shows what all processes have. Methods are safe for concurrent use.
type Store interface {
	// Rows makes room for the series of a family. Equal families share it.
	Rows(Family) Rows
	// Publication begins to show other processes what this one's custom
	// collectors emit. The store calls refresh at intervals and when it is
	// closed, which should publish anew.
	Publication(refresh func(context.Context)) Publication
	// Merged returns the collector of what all processes have. Its [Origin], if it has
	// one, is where the store writes.
	Merged() MergedCollector
}

// MergedCollector is a collector that can leave undone what is not wanted.
type MergedCollector interface {
	model.Collector
	model.Restrictor
}

// Family is what a store needs to know of an instrument.
type Family struct {
	Header *model.Family // name, help, unit, type
	Labels []string      // their names; nil for an instrument without labels
	Mode   uint8         // of a gauge, in the order of the root package's GaugeMode
	Bounds *model.Bounds // of a histogram; nil with native buckets alone
	States []string      // of an enum

	// Of a histogram with native buckets, else 0: how many populated ones it has at
	// most, and for how many exemplars there is room.
	NativeBuckets, NativeExemplars int
}

// Rows hands out cells to the series of one family. A row is known by its first
// word. Behind it lie the words of the kind of instrument:
//
//	counter    whole numbers, then a float64 of fractions
//	gauge      the value, and in the mostrecent modes its time
//	histogram  the sum, then the count of each bucket
//	native     the count of each classic bucket but that of +Inf, then as many
//	           words as an exponential.Histogram takes
//	summary    the sum, then the count
//	enum       the number of the state, then its time
//	info       none
//
// Times are nanoseconds since 1970.
type Rows interface {
	// Add returns a row of zeroed words for a new series. It is never nil.
	Add(labels model.Labels, created time.Time) *Word
	// Reserve is Add for a series that nobody sees before Show, or ever if it is
	// removed before.
	Reserve(labels model.Labels) *Word
	// Show shows the series of a reserved row.
	Show(row *Word, created time.Time)
	// Apart runs change at a time when the store's Merged collector does not read
	// values, so that each collection sees all of the change or nothing. Change may
	// take locks under which the other methods are called.
	Apart(change func())
	// Remove takes a series out. The caller has seen to it that nobody begins to
	// write in the row.
	Remove(row *Word)
	// Forget takes out what processes that ended have left of the series.
	Forget(series []model.Labels)
	// Touch moves a series' created time.
	Touch(row *Word, created time.Time)
	// Lanes returns lanes for so many of a row's first words, nil if there is
	// no room or if it is no row.
	Lanes(row *Word, words int) *Lanes
	// SetExemplar sets the exemplar of a counter, or of a histogram's i-th
	// bucket. Those of native buckets have places behind the classic ones, of
	// which +Inf is always there.
	SetExemplar(row *Word, i int, e *model.Exemplar)
	// SetInfo sets the labels of an info.
	SetInfo(row *Word, labels model.Labels)
}

// Publication is what one registry's custom collectors emit, as other processes
// see it.
type Publication interface {
	// Publish shows a family in place of what was shown of that name before.
	// The mode is that of a gauge.
	Publish(f *model.Family, mode uint8)
	// Retain withdraws the families that keep does not want.
	Retain(keep func(name string) bool)
}
