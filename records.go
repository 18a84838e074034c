package telltale

// Records of how the runs of custom collectors went.

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"telltale/internal/gather"
)

// MaxCollectorStats is how many custom collectors of a registry have
// [CollectorStats]. Collectors that are registered beyond these have none.
const MaxCollectorStats = 100

// CollectorStats is statistics of a custom collector. Instruments with functions
// have none.
type CollectorStats struct {
	// Collector is the collector's Go type, or the name of the function that
	// [CollectorFunc] was given. Where several collectors of a registry have the same,
	// the second one is called "name#2", and so on.
	Collector string
	Scrapes   uint64        // scrapes that have read a run of it to the end, or gave up on one
	Success   bool          // nothing of the last run was left out
	Duration  time.Duration // of the last run, or how long a scrape waited before it gave up; later scrapes do not wait for a run that hangs
	Families  int           // that the last run emitted
	Faults    uint64        // of all reasons
	LastError time.Time     // time of the last fault; zero if there was none
}

// records are the statistics of a registry's custom collectors. The zero records are
// empty and ready to use.
type records struct {
	of    map[Collector]*record
	named map[string]*record
	added uint64
}

type record struct {
	CollectorStats
	place   uint64 // in the order of registration
	holders int    // entries of the registry in which the collector is
}

// add begins a record of a collector, or another entry's share in it.
func (r *records) add(c Collector) {
	if held := r.of[c]; held != nil {
		held.holders++
		return
	}
	if len(r.of) >= MaxCollectorStats {
		return
	}
	if r.of == nil {
		r.of, r.named = make(map[Collector]*record), make(map[string]*record)
	}
	base := typeName(c)
	name := base
	for n := 2; r.named[name] != nil; n++ {
		name = fmt.Sprintf("%s#%d", base, n)
	}
	r.added++
	added := &record{CollectorStats: CollectorStats{Collector: name}, place: r.added, holders: 1}
	r.of[c], r.named[name] = added, added
}

// remove ends the share of an entry.
func (r *records) remove(c Collector) {
	held := r.of[c]
	if held == nil {
		return
	}
	if held.holders--; held.holders == 0 {
		delete(r.of, c)
		delete(r.named, held.Collector)
	}
}

// ran records a run that a scrape has read.
func (r *records) ran(c Collector, o gather.Outcome) {
	if held := r.of[c]; held != nil {
		held.Scrapes++
		held.Success = o.Whole
		if o.Read { // else the scrape gave up on a run, about which an earlier scrape has told
			held.Duration, held.Families = o.Took, o.Families
		}
	}
}

// failed records n faults.
func (r *records) failed(c Collector, n uint64) {
	if held := r.of[c]; held != nil {
		held.Faults += n
		held.LastError = time.Now()
	}
}

// list returns the statistics in the order of registration.
func (r *records) list() []CollectorStats {
	var all []*record
	for _, held := range r.of {
		all = append(all, held)
	}
	slices.SortFunc(all, func(a, b *record) int { return cmp.Compare(a.place, b.place) })
	stats := make([]CollectorStats, len(all))
	for i, held := range all {
		stats[i] = held.CollectorStats
	}
	return stats
}

// typeName returns the name of a collector's type, or of its function.
func typeName(c Collector) string {
	if f, ok := c.(interface{ funcName() string }); ok {
		return f.funcName()
	}
	return fmt.Sprintf("%T", c)
}
