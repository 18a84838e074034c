package rules

import (
	"fmt"
	"strings"

	"telltale/internal/reshape"
	"telltale/model"
)

// loose applies the rules to the samples of a family that fit no point. What has no
// type has no other samples either, so each is a family of unknown type for this. It
// keeps its name: another could be that of a family.
func (p *program) loose(f *model.Family, report func(reshape.Fault)) (left []model.Sample) {
	for _, s := range f.Loose() {
		alone, err := model.NewFamily(s.Name, "", model.Unknown)
		if err != nil {
			left = append(left, s) // which is for the encoder to tell
			continue
		}
		for _, b := range planFor(p.staying, alone, nil, false).branches {
			w := b.walker(alone, alone)
			o := w.point(&model.Point{Labels: s.Labels, Has: model.PartValue})
			for _, fault := range w.faults {
				report(reshape.Fault{Reason: "label_clash", Family: f.Name, Err: fault})
			}
			if o == nil {
				continue
			}
			c := s
			if o.relabelled {
				c.Labels = model.LabelsFromText(o.labels)
			}
			left = append(left, c)
		}
	}
	return distinct(f, left, report)
}

// distinct leaves out samples that repeat one.
func distinct(f *model.Family, samples []model.Sample, report func(reshape.Fault)) (left []model.Sample) {
	if len(samples) < 2 {
		return samples
	}
	seen := make(map[string]bool, len(samples))
	for _, s := range samples {
		key := fmt.Sprintf("%s{%s}%s", s.Name, s.Labels.Sorted().Text(), s.Timestamp)
		if seen[key] {
			report(reshape.Fault{Reason: "repeated_series", Family: f.Name, Err: errRepeat})
			continue
		}
		seen[strings.Clone(key)] = true
		left = append(left, s)
	}
	return left
}
