package telltale

// Statistics of a registry.

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"telltale/internal/gather"
	"telltale/model"
)

// Stats is statistics of a registry.
type Stats struct {
	Collectors int               // registered now
	Series     int               // of the registered instruments
	Hanging    int               // custom collectors that have run for longer than a scrape may take
	Scrapes    uint64            // collections begun
	Faults     map[Reason]uint64 // by reason, without those that never happened
	Custom     []CollectorStats  // of custom collectors, in the order of registration
	Overflows  map[string]uint64 // lookups that found no room for a new series, by family, without families that had room for all
}

// Stats returns the registry's statistics. It does not count collectors and series
// of nested registries; their faults are counted by both.
func (r *Registry) Stats() Stats {
	stats := Stats{Scrapes: r.faults.scrapes.Load(), Faults: r.faults.snapshot(), Custom: r.faults.ofCollectors()}
	r.mu.RLock()
	entries := slices.Clone(r.entries)
	r.mu.RUnlock()
	for _, e := range entries {
		if e == nil {
			continue
		}
		stats.Collectors++
		if i, ok := e.collector.(instrument); ok {
			stats.Series += i.count()
			if n := i.refusals(); n > 0 {
				if stats.Overflows == nil {
					stats.Overflows = make(map[string]uint64)
				}
				stats.Overflows[i.what().name] += n
			}
		}
		if hanging(e.collector) {
			stats.Hanging++
		}
	}
	return stats
}

// hanging reports whether one of the custom collectors under a collector is hung,
// nested registries left out.
func hanging(c Collector) bool {
	if _, nested := c.(accounting); nested {
		return false
	}
	if parts := children(c); len(parts) > 0 {
		return slices.ContainsFunc(parts, hanging)
	}
	return gather.Hung(c)
}

// Health returns a collector of the registry's own health, its [Stats] as families
// whose names begin with telltale_. It is in no registry until it is registered;
// collectors.Register does that too. Two calls return equal collectors, either of
// which unregisters the other.
//
//	telltale_collectors                              registered collectors
//	telltale_series                                  of the registered instruments
//	telltale_hanging_collectors                      that have run for longer than a scrape may take
//	telltale_scrapes_total                           collections begun
//	telltale_faults_total{reason}                    from 0, for every [Reason]
//	telltale_series_overflows_total{family}          lookups that found no room for a new series ([WithSeriesLimit])
//	telltale_collector_success{collector}            1 if nothing of its last run was left out, else 0
//	telltale_collector_duration_seconds{collector}   of its last run
//	telltale_collector_families{collector}           that its last run emitted
//	telltale_collector_faults_total{collector}       from 0
//	telltale_collector_last_error_timestamp_seconds{collector}  time of its last fault, or 0
//
// The families of collectors are [CollectorStats], of [MaxCollectorStats] collectors
// at most. Those of a run appear once a scrape has read the run, so that a page may
// have them of the scrape before.
func (r *Registry) Health() Collector { return health{r} }

type health struct{ registry *Registry }

// tellsOfOthers says that a health has no statistics of its own.
func (health) tellsOfOthers() {}

func (h health) families(s Stats) []*model.Family {
	family := func(name, help string, typ model.Type, points ...model.Point) *model.Family {
		f := &model.Family{Name: name, Help: help, Type: typ}
		for _, p := range points {
			p.Has = typ.Parts() &^ model.PartCreated
			f.Append(p)
		}
		return f
	}
	value := func(v float64) model.Point { return model.Point{Value: v} }
	var faults, overflows, success, duration, emitted, failed, last []model.Point
	for _, reason := range slices.Sorted(slices.Values(reasons[:])) {
		labels := model.LabelPairs([]string{"reason"}, []string{string(reason)})
		faults = append(faults, model.Point{Labels: labels, Value: float64(s.Faults[reason])})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Overflows)) {
		labels := model.LabelPairs([]string{"family"}, []string{name})
		overflows = append(overflows, model.Point{Labels: labels, Value: float64(s.Overflows[name])})
	}
	for _, c := range s.Custom {
		labels := model.LabelPairs([]string{"collector"}, []string{c.Collector})
		point := func(v float64) model.Point { return model.Point{Labels: labels, Value: v} }
		failed, last = append(failed, point(float64(c.Faults))), append(last, point(unixSeconds(c.LastError)))
		if c.Scrapes > 0 {
			success, duration = append(success, point(boolValue(c.Success))), append(duration, point(c.Duration.Seconds()))
			emitted = append(emitted, point(float64(c.Families)))
		}
	}
	families := []*model.Family{
		family("telltale_collectors", "Registered collectors.", model.Gauge, value(float64(s.Collectors))),
		family("telltale_series", "Series of the registered instruments.", model.Gauge, value(float64(s.Series))),
		family("telltale_hanging_collectors", "Custom collectors that have run for longer than a scrape may take.", model.Gauge, value(float64(s.Hanging))),
		family("telltale_scrapes", "Collections begun.", model.Counter, value(float64(s.Scrapes))),
		family("telltale_faults", "What was left out of the page, mended or ignored, by reason.", model.Counter, faults...),
		family("telltale_series_overflows", "Lookups that found no room for a new series, by family.", model.Counter, overflows...),
		family("telltale_collector_success", "Whether nothing of the collector's last run was left out.", model.Gauge, success...),
		family("telltale_collector_duration_seconds", "How long the collector's last run took.", model.Gauge, duration...),
		family("telltale_collector_families", "Families that the collector's last run emitted.", model.Gauge, emitted...),
		family("telltale_collector_faults", "Faults of the collector.", model.Counter, failed...),
		family("telltale_collector_last_error_timestamp_seconds", "Time of the collector's last fault, 0 if it had none.", model.Gauge, last...),
	}
	for _, f := range families {
		if strings.HasSuffix(f.Name, "_seconds") {
			f.Unit = "seconds"
		}
	}
	return families
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// unixSeconds returns a time as seconds since 1970, 0 for the zero time.
func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixNano()) / 1e9
}

// Describe returns the families without samples.
func (h health) Describe() []*model.Family {
	families := h.families(Stats{})
	for i, f := range families {
		families[i] = f.Header()
	}
	return families
}

// Collect emits the registry's stats.
func (h health) Collect(_ context.Context, emit func(*model.Family) error) error {
	for _, f := range h.families(h.registry.Stats()) {
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}
