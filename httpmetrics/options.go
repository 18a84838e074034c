package httpmetrics

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"telltale"
)

// Option is an option of [NewServer] and [NewTransport].
type Option interface {
	ServerOption
	TransportOption
}

// ServerOption is an option of [NewServer].
type ServerOption interface{ applyServer(*settings) }

// TransportOption is an option of [NewTransport].
type TransportOption interface{ applyTransport(*settings) }

// settings holds the options of a server or a transport.
type settings struct {
	instruments []telltale.Option
	durations   []telltale.HistogramOption
	route       func(*http.Request) string
	maxRoutes   int
	exemplars   func(context.Context) map[string]string
	err         error
}

// DefaultMaxRoutes is how many routes have series of their own unless
// [WithMaxRoutes] says otherwise.
const DefaultMaxRoutes = 1000

func defaults() *settings { return &settings{maxRoutes: DefaultMaxRoutes} }

type option func(*settings)

func (o option) applyServer(s *settings)    { o(s) }
func (o option) applyTransport(s *settings) { o(s) }

type serverOption func(*settings)

func (o serverOption) applyServer(s *settings) { o(s) }

// In registers the metrics with reg instead of [telltale.Default].
func In(reg *telltale.Registry) Option { return WithInstruments(telltale.In(reg)) }

// WithInstruments gives options to all instruments: a namespace, constant labels,
// a registry.
func WithInstruments(opts ...telltale.Option) Option {
	return option(func(s *settings) { s.instruments = append(s.instruments, opts...) })
}

// WithDurations replaces the options of the histograms of times: their buckets.
// Without it they have [telltale.DefaultBuckets] and native buckets that grow by a
// tenth.
func WithDurations(opts ...telltale.HistogramOption) Option {
	return option(func(s *settings) { s.durations = opts })
}

// WithExemplars says to which trace a request belongs: f returns the labels of the
// exemplar, nil for none. Without it they are trace_id and span_id of the header
// traceparent, if it has the flag "sampled".
func WithExemplars(f func(context.Context) map[string]string) Option {
	return option(func(s *settings) { s.exemplars = f })
}

// WithRoute says what the route of a request is. f is called after serving, with
// the request that the handler of [Server.Wrap] was given; the empty string is
// "other". What [SetRoute] has set comes first. f must return few different values:
// see [WithMaxRoutes].
func WithRoute(f func(*http.Request) string) ServerOption {
	return serverOption(func(s *settings) { s.route = f })
}

// WithMaxRoutes sets how many routes have series of their own, [DefaultMaxRoutes]
// without it; those that come later are "other". It must be at least 1.
func WithMaxRoutes(n int) ServerOption {
	return serverOption(func(s *settings) {
		s.maxRoutes = n
		if n < 1 {
			s.err = errors.Join(s.err, fmt.Errorf("httpmetrics: WithMaxRoutes(%d): at least 1 is needed", n))
		}
	})
}
