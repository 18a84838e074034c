package otlp

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"telltale/internal/outbox"
	"telltale/model"
)

// Option is an option of [NewSender].
type Option interface{ apply(*Sender) error }

type option func(*Sender) error

func (o option) apply(s *Sender) error { return o(s) }

// TargetOption is an option of [NewTarget], and of [NewSender].
type TargetOption interface {
	Option
	fitsTarget()
}

type targetOption struct{ option }

func (targetOption) fitsTarget() {}

// The defaults of the options.
const (
	DefaultInterval     = 15 * time.Second
	DefaultTimeout      = 10 * time.Second
	DefaultFlushTimeout = 10 * time.Second
	DefaultQueueBytes   = 64 << 20
	DefaultMaxBytes     = 4 << 20
	DefaultFirstRetry   = 500 * time.Millisecond
	DefaultLongestRetry = 30 * time.Second
)

// WithResource gives the resource attributes, such as service.name and
// service.instance.id, in place of those of target_info with the same names. It is an
// error if a name is empty, or a name or a value is not valid UTF-8.
func WithResource(attributes map[string]string) TargetOption {
	return targetOption{option(func(s *Sender) error {
		for name, value := range attributes {
			if !model.ValidName(name) || !utf8.ValidString(value) {
				return fmt.Errorf("%q=%q cannot be an attribute", name, value)
			}
			s.encoder.resources.own[strings.Clone(name)] = strings.Clone(value)
		}
		return nil
	})}
}

// WithClassicBuckets sends the classic buckets of histograms that have native ones too,
// for receivers without exponential histograms.
func WithClassicBuckets() TargetOption {
	return targetOption{option(func(s *Sender) error { s.encoder.classic = true; return nil })}
}

// WithBasicAuth authenticates by a user and a password.
func WithBasicAuth(user, password string) TargetOption {
	return targetOption{option(func(s *Sender) error { return s.receiver.endpoint.BasicAuth(user, password) })}
}

// WithBearerToken authenticates by a token.
func WithBearerToken(token string) TargetOption {
	return targetOption{option(func(s *Sender) error { return s.receiver.endpoint.BearerToken(token) })}
}

// WithClient sends through a client of the caller's, such as one with certificates or a
// proxy of its own. Redirects are refused all the same.
func WithClient(c *http.Client) TargetOption {
	return targetOption{option(func(s *Sender) error { return s.receiver.endpoint.Client(c) })}
}

// WithTLS sets what TLS connections trust, and the client's own certificates (mTLS).
// It is not for use beside [WithClient].
func WithTLS(config *tls.Config) TargetOption {
	return targetOption{option(func(s *Sender) error { return s.receiver.endpoint.TLS(config) })}
}

// WithHeader adds a header, such as an API key, to all requests. Its value is in no error
// and no log. It is an error if the protocol sets the header itself.
func WithHeader(name, value string) TargetOption {
	return targetOption{option(func(s *Sender) error { return s.receiver.endpoint.AddHeader(name, value) })}
}

// WithoutGzip sends requests without compression.
func WithoutGzip() TargetOption {
	return targetOption{option(func(s *Sender) error { s.encoder.plain = true; return nil })}
}

// WithInterval sets how often metrics are collected; [DefaultInterval] without it.
func WithInterval(d time.Duration) Option {
	return positive("interval", d, func(s *Sender) { s.out.Interval = d })
}

// WithClock sets a function that is called before each collection and returns its time;
// without it that is the machine's clock, except where that is set back by less than
// ten minutes. Times should only go forward: receivers refuse others. After an error
// nothing is collected. The option is for processes that send the same series one after
// the other, see [telltale/multiprocess.Leader].
func WithClock(now func() (time.Time, error)) TargetOption {
	return targetOption{option(func(s *Sender) error { return s.out.Clock.Use(now) })}
}

// WithTimeout sets how long a request may take; [DefaultTimeout] without it.
func WithTimeout(d time.Duration) TargetOption {
	return targetOption{positive("timeout", d, func(s *Sender) { s.receiver.timeout = d })}
}

// WithFlushTimeout sets how long [Sender.Run] may go on at its end, with the last
// collection, for half of it at most, and what is in the queue; [DefaultFlushTimeout]
// without it.
func WithFlushTimeout(d time.Duration) Option {
	return positive("flush timeout", d, func(s *Sender) { s.out.FlushTimeout = d })
}

// WithRetry sets the wait before a request is sent again, which is doubled each time,
// and the longest; half of it more or less at random. [DefaultFirstRetry] and
// [DefaultLongestRetry] without it.
func WithRetry(first, longest time.Duration) Option {
	return option(func(s *Sender) error { return s.out.SetRetry(first, longest) })
}

// WithQueueBytes sets how many bytes of requests, as they are sent, are kept while the
// receiver is away; [DefaultQueueBytes] without it. Beyond it the oldest are dropped. A
// request is kept however large it is.
func WithQueueBytes(n int) Option {
	return positive("number of bytes of the queue", n, func(s *Sender) { s.out.QueueBytes = n })
}

// WithMaxBytes sets how many bytes a request has at most, before compression, unless a
// single data point has more; [DefaultMaxBytes] without it, 1 GiB at most. What is more
// goes into further requests. Prometheus takes requests of up to 32 MiB, a collector of
// up to 20 MiB.
func WithMaxBytes(n int) TargetOption {
	return targetOption{option(func(s *Sender) error {
		if n < 1 || n > 1<<30 {
			return fmt.Errorf("a request cannot have %d bytes at most", n)
		}
		s.encoder.bytes = n
		return nil
	})}
}

// WithErrorHook sets a function that is called for each failure and each warning of the
// receiver, which are logged by log/slog without it. It is called from several
// goroutines. A [Target] returns failures, and calls the hook for warnings alone.
func WithErrorHook(hook func(error)) TargetOption {
	return targetOption{option(func(s *Sender) error { return s.out.SetHook(hook) })}
}

func positive[N int | time.Duration](what string, n N, set func(*Sender)) option {
	return option(func(s *Sender) error {
		set(s)
		return outbox.Positive(what, n)
	})
}
