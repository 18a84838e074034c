package otelbridge

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/sdk/metric"

	"telltale"
)

// Reader is a reader of the SDK whose metrics are on the page of a registry.
// [NewReader] makes it. It is safe for concurrent use.
type Reader struct {
	metric.Reader // what the SDK asks of a reader
	registry      *telltale.Registry
	collector     telltale.Collector
}

// NewReader returns a reader for a [metric.MeterProvider] and registers what it reads
// with reg, as [FromReader] does. It is collected when reg is; nothing runs between
// scrapes. If reg has a target info of its own ([telltale.Registry.SetTargetInfo]),
// the resource of the provider is not shown as target_info. It is an error if reg is
// nil or an option is not valid.
func NewReader(reg *telltale.Registry, opts ...ReaderOption) (*Reader, error) {
	if reg == nil {
		return nil, errors.New("otelbridge: the registry is nil")
	}
	s := readerSettings{settings: defaults()}
	s.target = func() bool { return reg.TargetInfo() == nil }
	for _, o := range opts {
		if o != nil {
			o.applyReader(&s)
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	r := &Reader{Reader: metric.NewManualReader(s.manual...), registry: reg}
	r.collector = newCollector(r.Reader, s.settings)
	if err := reg.Register(r.collector); err != nil {
		return nil, fmt.Errorf("otelbridge: %w", err)
	}
	return r, nil
}

// Shutdown takes the metrics off the page and ends the reader. The SDK calls it when
// the provider is shut down. The second call returns [metric.ErrReaderShutdown].
func (r *Reader) Shutdown(ctx context.Context) error {
	err := r.registry.Unregister(r.collector)
	if errors.Is(err, telltale.ErrNotRegistered) {
		err = nil // somebody has taken it off before
	}
	return errors.Join(err, r.Reader.Shutdown(ctx))
}
