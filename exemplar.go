package telltale

// Exemplars of counters and histograms.

import (
	"fmt"
	"time"

	"telltale/model"
)

// newExemplar returns an exemplar of now. It is an error, which is a fault of the
// instrument too, if the labels are not valid.
func newExemplar[H any](c *core[H], v float64, labels map[string]string) (*model.Exemplar, error) {
	text, err := model.NewExemplarLabels(labels)
	if err != nil {
		if c != nil {
			c.fault(ReasonExemplar, func() error { return fmt.Errorf("%w, for %s %q", err, c.typ, c.name) })
		}
		return nil, err
	}
	return &model.Exemplar{Labels: text, Value: v, Timestamp: model.TimestampOf(time.Now())}, nil
}
