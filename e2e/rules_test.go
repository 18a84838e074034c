package e2e

import (
	prometheus "github.com/prometheus/common/model"

	"telltale/model"
)

// A rule is one point in which readers differ from the specification, or that
// they cannot hold. It either keeps a family from them or changes what they are
// expected to find. Each is as narrow as the fault it stands for.
type rule struct {
	name, why string
	keepsBack func(f *familyPlan, d dialect) bool
	changes   func(page reading, d dialect)
}

// A reader is a parser of another project.
type reader struct {
	name    string
	ordered bool // it keeps the order of the page
	takes   func(d dialect) bool
	read    func(page []byte, d dialect) (reading, error)
	rules   []*rule
}

func legacyMetric(name string) bool { return prometheus.LegacyValidation.IsValidMetricName(name) }
func legacyLabel(name string) bool  { return prometheus.LegacyValidation.IsValidLabelName(name) }

// everySample visits the samples of a page.
func everySample(page reading, visit func(f *readFamily, s *readSample)) {
	for i := range page {
		for j := range page[i].samples {
			visit(&page[i], &page[i].samples[j])
		}
	}
}

// everyTime replaces every time on a page.
func everyTime(page reading, read func(ns int64) int64) {
	replace := func(at **moment) {
		if *at != nil && !(*at).recent {
			*at = &moment{ns: read((*at).ns)}
		}
	}
	everySample(page, func(_ *readFamily, s *readSample) {
		replace(&s.at)
		if s.exemplar != nil {
			replace(&s.exemplar.at)
		}
	})
}

// escaped is how a text stands between quotes.
func escaped(s string) string { return string(model.AppendEscaped(nil, s)) }
