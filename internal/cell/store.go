package cell

import (
	"context"
	"time"
	"unsafe"

	"telltale/model"
)

// Store keeps the words of instruments where other processes read them, and
// shows the merged values of all processes. Methods are safe for concurrent use.
type Store interface {
	// Rows returns rows for the series of an instrument's family, which are the
	// instrument's alone until it releases them.
	Rows(Family) Rows
	// Publication begins to show other processes the families of this process's
	// custom collectors. The store calls refresh at intervals and when it is
	// closed; refresh should publish anew.
	Publication(refresh func(context.Context)) Publication
	// Merged returns the collector of the merged values of all processes. If it
	// has an [Origin], that is the directory to which the store writes.
	Merged() MergedCollector
}

// MergedCollector is a collector that can leave out families that are not
// wanted.
type MergedCollector interface {
	model.Collector
	model.Restrictor
}

// Family is what a store needs to know about the family of an instrument.
type Family struct {
	Header *model.Family // name, help, unit, type
	Labels []string      // their names; nil for an instrument without labels
	Mode   uint8         // of a gauge, an index of GaugeModes
	Bounds *model.Bounds // of a histogram; nil with native buckets alone
	States []string      // of an enum

	// Of a histogram with native buckets, else 0: the largest number of
	// populated buckets, and of exemplars of native buckets.
	NativeBuckets, NativeExemplars int

	Expiry time.Duration // after how long without an update a series ends; 0: never
}

// Parked is the row of a series that its writer no longer updates, but other processes may.
type Parked struct {
	Row  *Word
	Left uint64         // the bits of its first value, if that is closed
	Kept unsafe.Pointer // as it was given to Park
}

// Rows allocates the rows of one family's series. A row is identified by its
// first word. It holds, by the kind of instrument:
//
//	counter    whole numbers, then a float64 of fractions
//	gauge      the value as a Level has it; in the mostrecent modes a float64 and its time
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
	// Begin begins a round, which is to take the place of all series, and returns
	// its number. Each round ends in Show or Drop.
	Begin() (round uint64)
	// Lay is Add for a series of a round that has not ended. Readers do not see it
	// before the round is shown.
	Lay(round uint64, labels model.Labels, created time.Time) *Word
	// Show ends a round and shows its series in place of all others, and of those that
	// ended processes have left of the family, in one step for the readers of all
	// processes. The caller then retires the others.
	Show(round uint64)
	// Drop ends a round that is not shown. The caller has removed its series.
	Drop(round uint64)
	// Retire removes a series of which a round has taken the place. Readers that began
	// before still see it.
	Retire(row *Word)
	// Apart runs change while the store's Merged collector reads no values, so
	// that each collection sees all of the change or nothing. Change may take
	// locks under which the other methods are called.
	Apart(change func())
	// Remove removes a series. The caller has made sure that no goroutine begins
	// to write to the row.
	Remove(row *Word)
	// Bury removes one series and forgets it, as Remove and Forget do. If there is no room
	// to have it forgotten at once, Bury only removes it and returns false; the caller
	// then calls Forget.
	Bury(row *Word) (forgotten bool)
	// Leave notes the bits that readers take for a row's first value while that is closed.
	// It is for families whose series expire.
	Leave(row *Word, bits uint64)
	// Park lets a row rest whose series was not updated for the time of the expiry, and
	// keeps a pointer, which Resume returns. The row still counts as long as others
	// update the series. When it has ended everywhere the row is given back.
	Park(row *Word, labels model.Labels, kept unsafe.Pointer)
	// Resume returns the parked row of a series that has not ended, which is in use again
	// from then on. It returns false if there is none: the caller then takes a row from
	// Add.
	Resume(labels model.Labels) (Parked, bool)
	// Parked returns the series that have parked rows.
	Parked() []model.Labels
	// Unpark gives the parked rows of a series back, and reports whether there were any.
	Unpark(labels model.Labels) bool
	// Release gives the rows back, once all series were removed. They may be
	// another instrument's of an equal family then.
	Release()
	// Forget removes what ended processes have left of the series.
	Forget(series []model.Labels)
	// Touch sets a series' created time.
	Touch(row *Word, created time.Time)
	// Lanes returns lanes for the given number of a row's first words, or nil if
	// there is no room or the word begins no row.
	Lanes(row *Word, words int) *Lanes
	// LevelLanes implements [LevelRoom], for the row of a gauge whose value has no time.
	LevelLanes(row *Word) *Lanes
	// SetExemplar sets the exemplar of a counter, or of a histogram's i-th
	// bucket. Exemplars of native buckets are numbered after the classic
	// buckets, of which +Inf always exists.
	SetExemplar(row *Word, i int, e *model.Exemplar)
	// SetInfo sets the labels of an info.
	SetInfo(row *Word, labels model.Labels)
}

// Publication shows other processes the families that one registry's custom
// collectors emit.
type Publication interface {
	// Publish shows a family and replaces the one of that name. The mode is that
	// of a gauge.
	Publish(f *model.Family, mode uint8)
	// Retain withdraws the families for whose names keep returns false.
	Retain(keep func(name string) bool)
}
