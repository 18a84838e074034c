package scan

import "telltale/model"

// Order checks the order of a family's samples: those of a metric follow each
// other, and their timestamps, if they have any, do not decrease (OpenMetrics
// 1.0, section "MetricPoint"; 2.0, section "Metric").
type Order struct {
	index  *Index // of the metrics so far
	begun  bool
	labels []byte // of the metric
	hash   uint64
	time   model.Timestamp
}

// told is the place in the index of a metric that was reported to come in
// pieces. Places are lines, which begin with 1.
const told = 0

// NewOrder returns an Order without samples.
func NewOrder() *Order { return &Order{index: NewIndex()} }

// Reset begins a new family.
func (o *Order) Reset() {
	o.index.Reset()
	o.begun = false
}

// Step is the relation of a sample to the one before.
type Step uint8

// The steps of a sample.
const (
	SamePoint  Step = iota // it has the same labels and timestamp
	NextPoint              // it has the same labels and comes later
	NextMetric             // it has other labels
)

// Step checks the last sample of the scanner, whose metric has the labels. It
// returns NextPoint with an error of the timestamp, and NextMetric with an error
// of the metric; the sample is then not recorded.
func (o *Order) Step(s *Scanner, metric Labels) (Step, error) {
	other, err := o.Metric(s, metric)
	if err != nil {
		return NextMetric, err
	}
	t, before := s.Entry.Timestamp, o.time
	switch {
	case other:
		o.time = t
		return NextMetric, nil
	case t == before:
		return SamePoint, nil
	case t.IsSet() != before.IsSet():
		return NextPoint, s.Fail(max(s.Columns.Value, 1), "samples of one metric with and without timestamp", "all or none of them")
	case t.Compare(before) < 0:
		return NextPoint, s.Fail(s.Columns.Timestamp, "the timestamp "+t.String()+" after "+before.String(), "timestamps that do not go back")
	}
	o.time = t
	return NextPoint, nil
}

// Metric checks a sample without its timestamp, and reports whether its metric
// differs from that of the sample before.
func (o *Order) Metric(s *Scanner, metric Labels) (other bool, err error) {
	if o.begun && string(o.labels) == string(metric.Text()) {
		return false, nil
	}
	hash := o.index.Hash(metric)
	if o.begun && hash == o.hash && model.LabelsFromText(string(o.labels)).Same(model.LabelsFromText(string(metric.Text()))) {
		return false, nil
	}
	if line, found := o.index.Find(hash); found {
		o.index.Enter(hash, told)
		if line == told {
			return false, ErrTold
		}
		return false, s.Fail(s.Columns.Name, "a metric that others have come after", "metrics in one piece")
	}
	o.index.Enter(hash, s.Entry.Line)
	o.begun, o.hash = true, hash
	o.labels = append(o.labels[:0], metric.Text()...)
	return true, nil
}
