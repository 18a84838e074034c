package main

import (
	"context"
	"fmt"
	"io"

	"telltale"
	"telltale/rules"
)

// ruled shows counters through a hundred rules as operators have them: most are about
// metrics of other programs.
func (p telltalePeer) ruled(reg *telltale.Registry, t task) (*subject, error) {
	var list []rules.Rule
	for i := range 60 {
		list = append(list, rules.Drop(fmt.Sprintf("(go|jvm|etcd)_part%02d_.*", i)))
	}
	for i := range 20 {
		list = append(list, rules.Drop(fmt.Sprintf("other%02d_total;5..", i), "__name__", "status"))
	}
	for i := range 10 {
		list = append(list, rules.Rename(fmt.Sprintf("old%02d_(.*)", i), "new_$1"))
	}
	for i := range 9 {
		list = append(list, rules.LabelDrop(fmt.Sprintf("pod_%d|node_.*", i)))
	}
	last := rules.LabelDrop("container")
	if t.kind == ruledByLabels {
		last = rules.Drop(".*;none;.*", "__name__", "method", "status")
	}
	v, err := rules.New(reg, append(list, last)...)
	if err != nil {
		return nil, err
	}
	s := registrySubject(reg)
	s.text = func(w io.Writer) error { return telltale.WriteLatest(context.Background(), w, v) }
	return s, p.fillCounters(reg, t)
}
