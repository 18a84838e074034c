package telltaletest

import (
	"fmt"
	"math"

	"telltale/model"
)

// validSeries checks the points of families against the rules of their types
// (OpenMetrics 1.0, section "Metric Types").
func validSeries(families []*model.Family) error {
	for _, f := range families {
		type series struct {
			labels    string
			timestamp model.Timestamp
		}
		seen := map[series]bool{}
		err := f.Visit(new(model.Point), func(p *model.Point) error {
			if err := model.CheckLabelNames(f.Name, f.Type, p.Labels.Names()); err != nil {
				return err
			}
			key := series{p.Labels.Sorted().Text(), p.Timestamp}
			if seen[key] {
				return fmt.Errorf("series %s%s is emitted twice", f.Name, p.Labels)
			}
			seen[key] = true
			if err := validPoint(f.Type, p); err != nil {
				return fmt.Errorf("series %s%s: %w", f.Name, p.Labels, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func validPoint(typ model.Type, p *model.Point) error {
	switch typ {
	case model.Counter:
		if p.Has&model.PartTotal != 0 && !counts(p.Value) {
			return fmt.Errorf("a counter has the value %v", p.Value)
		}
	case model.Histogram, model.GaugeHistogram:
		if p.Histogram != nil {
			return validHistogram(p)
		}
	case model.Summary:
		if p.Summary != nil {
			return validSummary(p)
		}
	}
	return nil
}

func validHistogram(p *model.Point) error {
	h, before := p.Histogram, 0.0
	for i, n := range h.Cumulative {
		if !counts(n) || n < before {
			return fmt.Errorf("bucket le=%q counts %v, the one before %v", h.Bounds.Spelling(i), n, before)
		}
		before = n
	}
	hasCount := p.Has&(model.PartCount|model.PartGCount) != 0
	switch n := len(h.Cumulative); {
	case hasCount && !counts(h.Count):
		return fmt.Errorf("its count is %v", h.Count)
	case n == 0:
	case !math.IsInf(h.Bounds.Upper()[n-1], 1):
		return fmt.Errorf("its last bucket is le=%q, not +Inf", h.Bounds.Spelling(n-1))
	case hasCount && h.Count != before:
		return fmt.Errorf("its count is %v, its last bucket %v", h.Count, before)
	}
	return nil
}

func validSummary(p *model.Point) error {
	if p.Has&model.PartCount != 0 && !counts(p.Summary.Count) {
		return fmt.Errorf("its count is %v", p.Summary.Count)
	}
	before := -1.0
	for _, q := range p.Summary.Quantiles {
		if !(q.Q >= 0 && q.Q <= 1) || q.Q <= before {
			return fmt.Errorf("quantile %v is not between 0 and 1, or not in increasing order", q.Q)
		}
		before = q.Q
	}
	return nil
}

// counts reports whether v can be a count.
func counts(v float64) bool { return v >= 0 }
