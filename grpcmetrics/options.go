package grpcmetrics

import (
	"context"
	"errors"
	"fmt"

	"telltale"
)

// Option is an option of [NewServer] and [NewClient].
type Option interface{ apply(*settings) }

type option func(*settings)

func (o option) apply(s *settings) { o(s) }

// settings hold the options of a server or a client.
type settings struct {
	instruments []telltale.Option
	durations   []telltale.HistogramOption
	middleware  bool
	maxMethods  int
	exemplars   func(context.Context) map[string]string
	err         error
}

// DefaultMaxMethods is how many methods have series of their own unless
// [WithMaxMethods] says otherwise.
const DefaultMaxMethods = 1000

func newSettings(opts []Option) *settings {
	s := &settings{maxMethods: DefaultMaxMethods}
	for _, o := range opts {
		if o != nil {
			o.apply(s)
		}
	}
	return s
}

// In registers the metrics with reg instead of [telltale.Default].
func In(reg *telltale.Registry) Option { return WithInstruments(telltale.In(reg)) }

// WithInstruments gives options to all instruments: a namespace, constant labels,
// a registry.
func WithInstruments(opts ...telltale.Option) Option {
	return option(func(s *settings) { s.instruments = append(s.instruments, opts...) })
}

// WithDurations replaces the options of the histogram of times: its buckets. Without
// it, it has [telltale.DefaultBuckets] and native buckets that grow by a tenth.
func WithDurations(opts ...telltale.HistogramOption) Option {
	return option(func(s *settings) { s.durations = opts })
}

// WithExemplars says to which trace a call belongs: f returns the labels of the
// exemplar, nil for none. Without it they are trace_id and span_id of the metadata
// traceparent, if it has the flag "sampled".
func WithExemplars(f func(context.Context) map[string]string) Option {
	return option(func(s *settings) { s.exemplars = f })
}

// WithMaxMethods sets how many methods have series of their own, [DefaultMaxMethods]
// without it; those that come later are "other". It must be at least 1.
func WithMaxMethods(n int) Option {
	return option(func(s *settings) {
		if s.maxMethods = n; n < 1 {
			s.err = errors.Join(s.err, fmt.Errorf("grpcmetrics: WithMaxMethods(%d): at least 1 is needed", n))
		}
	})
}

// WithMiddlewareNames gives metrics and labels the names that they have in
// github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus, so that
// dashboards and alerts of programs that come from there go on: grpc_type,
// grpc_service, grpc_method and grpc_code, grpc_server_msg_received_total, and
// grpc_server_handling_seconds without the code. What that package does not have keeps
// its name.
func WithMiddlewareNames() Option { return option(func(s *settings) { s.middleware = true }) }
