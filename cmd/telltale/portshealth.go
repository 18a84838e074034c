package main

import (
	"fmt"
	"maps"
	"slices"

	"telltale/model"
)

func errTooManySeries(most int) error {
	return fmt.Errorf("the pages together have more than %d series; --max-series raises the limit", most)
}

// health returns the families about the targets themselves.
func (p *ports) health(all []scraped) []*model.Family {
	up := family("telltale_target_up", "Whether the target is on this page: 1, or 0 if its last scrape failed.", "", model.Gauge)
	took := family("telltale_target_scrape_duration_seconds", "How long the last scrape of the target took.", "seconds", model.Gauge)
	series := family("telltale_target_series", "Series on the target's page at the last scrape; 0 if it failed.", "", model.Gauge)
	answered := family("telltale_target_last_success_timestamp_seconds", "When the target was last scraped without failure.", "seconds", model.Gauge)
	failures := family("telltale_target_scrape_failures", "Failed scrapes of the target by reason.", "", model.Counter)
	for i := range all {
		got := &all[i]
		labels := got.target.instance.Append(got.target.labels)
		gauge := func(f *model.Family, v float64) {
			f.Append(model.Point{Labels: labels, Has: model.PartValue, Value: v})
		}
		state := p.states[got.target.key]
		if got.err == nil {
			gauge(up, 1)
			gauge(series, float64(got.series))
		} else {
			gauge(up, 0)
			gauge(series, 0)
		}
		gauge(took, got.took.Seconds())
		if !state.answered.IsZero() {
			gauge(answered, float64(state.answered.UnixMilli())/1e3)
		}
		for _, reason := range slices.Sorted(maps.Keys(state.failures)) {
			with := labels.Append(model.LabelsOf(map[string]string{"reason": reason}))
			failures.Append(model.Point{Labels: with, Has: model.PartTotal, Value: state.failures[reason]})
		}
	}
	return []*model.Family{up, took, series, answered, failures}
}

func family(name, help, unit string, t model.Type) *model.Family {
	return &model.Family{Name: name, Help: help, Unit: unit, Type: t}
}
