package remotewrite

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
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
	DefaultTimeout      = 30 * time.Second
	DefaultFlushTimeout = 10 * time.Second
	DefaultShards       = 4
	DefaultQueueBytes   = 64 << 20
	DefaultMaxSamples   = 2000
	DefaultMaxBytes     = 4 << 20
	DefaultFirstRetry   = 500 * time.Millisecond
	DefaultLongestRetry = 30 * time.Second
)

// WithLabels gives all series labels, such as job and instance, by which the series of
// one process differ from those of another. A series that has a label of such a name
// keeps its own. It is an error if a name is empty, "__name__" or not valid UTF-8, or a
// value is not valid UTF-8.
func WithLabels(labels map[string]string) TargetOption {
	return targetOption{option(func(s *Sender) error {
		for name, value := range labels {
			if !model.ValidName(name) || name == nameLabel || !utf8.ValidString(value) {
				return fmt.Errorf("%q=%q cannot be a label", name, value)
			}
			s.encoder.all = slices.DeleteFunc(s.encoder.all, func(l label) bool { return l.name == name })
			s.encoder.all = append(s.encoder.all, label{strings.Clone(name), strings.Clone(value)})
		}
		slices.SortFunc(s.encoder.all, func(a, b label) int { return strings.Compare(a.name, b.name) })
		return nil
	})}
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

// WithHeader adds a header, such as X-Scope-OrgID, to all requests. Its value is in no
// error and no log. It is an error if the protocol sets the header itself.
func WithHeader(name, value string) TargetOption {
	return targetOption{option(func(s *Sender) error { return s.receiver.endpoint.AddHeader(name, value, versionHeader) })}
}

// WithVersion sends by one version of the protocol alone, instead of finding out which
// one the receiver speaks.
func WithVersion(v Version) TargetOption {
	return targetOption{option(func(s *Sender) error {
		if v != Version1 && v != Version2 {
			return fmt.Errorf("there is no version %q", v)
		}
		s.receiver.only = v
		return nil
	})}
}

// WithInterval sets how often metrics are collected; [DefaultInterval] without it.
func WithInterval(d time.Duration) Option {
	return positive("interval", d, func(s *Sender) { s.out.Interval = d })
}

// WithClock sets a function that is called before each collection and returns its time;
// without it that is the machine's clock, except where that is set back by less than
// ten minutes. Times should only go forward, by a millisecond at least: receivers
// refuse others. After an error nothing is collected. The option is for processes that
// send the same series one after the other, see [telltale/multiprocess.Leader].
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

// WithShards sets over how many connections series are sent, each series always over
// the same one; [DefaultShards] without it, 1024 at most.
func WithShards(n int) Option {
	return option(func(s *Sender) error {
		if n < 1 || n > 1024 {
			return fmt.Errorf("there cannot be %d shards", n)
		}
		s.out.Shards = n
		return nil
	})
}

// WithQueueBytes sets how many bytes of compressed requests are kept, in equal parts
// for each shard, while the receiver is away; [DefaultQueueBytes] without it. Beyond
// it the oldest are dropped. A request is kept however large it is.
func WithQueueBytes(n int) Option {
	return positive("number of bytes of the queue", n, func(s *Sender) { s.out.QueueBytes = n })
}

// WithMaxSamples sets with how many samples a request ends; [DefaultMaxSamples] without
// it. A histogram is not divided.
func WithMaxSamples(n int) TargetOption {
	return targetOption{positive("number of samples", n, func(s *Sender) { s.encoder.samples = n })}
}

// WithMaxBytes sets with how many bytes, before compression, a request ends;
// [DefaultMaxBytes] without it, 1 GiB at most. Prometheus takes requests of up to 32 MiB.
func WithMaxBytes(n int) TargetOption {
	return targetOption{option(func(s *Sender) error {
		if n < 1 || n > 1<<30 {
			return fmt.Errorf("a request cannot end with %d bytes", n)
		}
		s.encoder.bytes = n
		return nil
	})}
}

// WithoutLastMarkers leaves series as they are when [Sender.Run] ends, instead of
// saying that they have ended. Queries find their last values for five minutes more.
func WithoutLastMarkers() Option {
	return option(func(s *Sender) error { s.lasting = true; return nil })
}

// WithErrorHook sets a function that is called for each failure, which is logged by
// log/slog without it. It is called from several goroutines.
func WithErrorHook(hook func(error)) Option {
	return option(func(s *Sender) error { return s.out.SetHook(hook) })
}

func positive[N int | time.Duration](what string, n N, set func(*Sender)) option {
	return option(func(s *Sender) error {
		set(s)
		return outbox.Positive(what, n)
	})
}
