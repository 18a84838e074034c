package main

import (
	"context"
	"io"

	"telltale"
)

// pools shows two registries, each with half of the series of every family, under views
// that add a label. The families of one join those of the other, or have other names.
func (p telltalePeer) pools(t task) (*subject, error) {
	prefixes := [2]string{"a_", "a_"}
	if t.kind == separate {
		prefixes[1] = "b_"
	}
	half := task{kind: counters, families: t.families, series: t.series / 2}
	var views []telltale.Collector
	for i, prefix := range prefixes {
		reg := telltale.NewRegistry()
		if err := p.fillCounters(reg, half); err != nil {
			return nil, err
		}
		named, err := telltale.Prefixed(reg, prefix)
		if err != nil {
			return nil, err
		}
		labelled, err := telltale.Labelled(named, map[string]string{"pool": string('a' + rune(i))})
		if err != nil {
			return nil, err
		}
		views = append(views, labelled)
	}
	all, err := telltale.Merge(views...)
	if err != nil {
		return nil, err
	}
	return &subject{text: func(w io.Writer) error { return telltale.WriteLatest(context.Background(), w, all) }}, nil
}
