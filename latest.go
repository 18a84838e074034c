package telltale

import (
	"bytes"
	"context"
	"io"
	"reflect"

	"telltale/exposition/text"
)

// GenerateLatest returns the metrics of c in the Prometheus text format 0.0.4.
// Errors are those of [WriteLatest].
func GenerateLatest(c Collector) ([]byte, error) {
	var page bytes.Buffer
	err := WriteLatest(context.Background(), &page, c)
	return page.Bytes(), err
}

// WriteLatest writes the metrics of c to w in the Prometheus text format 0.0.4,
// in chunks: memory grows neither with families nor with series. Errors are
// those of w and of [Collector.Collect]; what goes wrong in a collector that
// stands in no registry, a panic too, is an error here.
func WriteLatest(ctx context.Context, w io.Writer, c Collector) error {
	c, err := contained(c)
	if err != nil {
		return err
	}
	enc := text.NewEncoder(w)
	if err := c.Collect(ctx, enc.Encode); err != nil {
		return err
	}
	return enc.Close()
}

// contained returns c, or a collector under which a custom one is run as a
// registry would run it.
func contained(c Collector) (Collector, error) {
	switch c := c.(type) {
	case *Registry, *RestrictedRegistry, *view, *merged, instrumented:
		return c, nil
	case nil:
		return nil, errNil
	}
	if !reflect.ValueOf(c).Comparable() {
		c = CollectorFunc(c.Collect) // which is a pointer
	}
	return Merge(c)
}
