package telltale

// A page in the text format.

import (
	"bytes"
	"context"
	"io"

	"telltale/exposition/text"
	"telltale/internal/gather"
	"telltale/internal/lines"
)

// GenerateLatest returns the metrics of c in the Prometheus text format 0.0.4.
// Errors are those of [WriteLatest].
func GenerateLatest(c Collector) ([]byte, error) {
	var page bytes.Buffer
	err := WriteLatest(context.Background(), &page, c)
	return page.Bytes(), err
}

// WriteLatest writes the metrics of c to w in the Prometheus text format 0.0.4, in
// chunks of 32 KiB, so that the page is never in memory as a whole:
// [Registry.Collect] says what a collection takes. Errors are those of w and of
// Collect; faults of a collector that is in no registry, panics included, are
// errors too. What the format cannot hold, and names that it makes equal ("a.b" and
// "a_b"), are faults of the registry ([ReasonFormat]) or, if there is none, logged.
func WriteLatest(ctx context.Context, w io.Writer, c Collector) error {
	c, err := Merge(c)
	if err != nil {
		return err
	}
	ctx, unwritten := gather.WithUnwritten(ctx)
	enc := text.NewEncoder(w, text.WithDropped(lines.Passing("text/plain; version=0.0.4", true, unwritten.Report)))
	if err := c.Collect(ctx, enc.Encode); err != nil {
		return err
	}
	return enc.Close()
}
