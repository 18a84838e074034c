package otlp

import (
	"context"
	"fmt"
	"time"

	"telltale"
	"telltale/internal/gather"
	"telltale/internal/outbox"
)

// Sender collects metrics again and again and sends them. All methods are safe for
// concurrent use.
type Sender struct {
	of       telltale.Collector
	receiver receiver
	encoder  encoder // of the one collection that there is at a time
	out      outbox.Outbox
}

// words are how errors, the log and metrics name this protocol.
var words = &outbox.Words{
	Package: "push/otlp", Protocol: "OTLP", Samples: "points", Prefix: "telltale_otlp_", Reasons: skipNames[:],
}

// NewSender returns a sender of what c emits to the receiver at a URL, such as
// "http://collector:4318", to which the path /v1/metrics is added if it has none, or
// "http://prometheus:9090/api/v1/otlp/v1/metrics"; without a scheme it is http. A user
// and a password in the URL authenticate. It is an error if c is nil, if the URL is not
// one of http or https, or if an option is not valid.
//
// Nothing is sent before [Sender.Run].
func NewSender(c telltale.Collector, url string, opts ...Option) (*Sender, error) {
	merged, err := telltale.Merge(c)
	if err != nil {
		return nil, err
	}
	s := newSender(merged)
	if err := s.set(url, opts); err != nil {
		return nil, err
	}
	s.receiver.endpoint.Keep(s.out.Shards)
	s.out.Open()
	s.encoder.emit = func(r *outbox.Request) { s.out.Put(0, r) }
	return s, nil
}

// newSender returns a sender with the defaults. It has one connection: receivers refuse
// requests that come after newer ones.
func newSender(c telltale.Collector) *Sender {
	s := &Sender{
		of:       c,
		receiver: receiver{timeout: DefaultTimeout},
		encoder:  encoder{bytes: DefaultMaxBytes, resources: newResources()},
		out: outbox.Outbox{
			Words: words, Interval: DefaultInterval, FlushTimeout: DefaultFlushTimeout, FirstRetry: DefaultFirstRetry, LongestRetry: DefaultLongestRetry,
			Shards: 1, QueueBytes: DefaultQueueBytes,
		},
	}
	s.out.Send = s.receiver.send
	s.out.Collection = outbox.Collection{Encode: s.encode, End: s.skipped, Fresh: gather.DemandFresh}
	s.receiver.warn = s.out.Tell
	return s
}

// set applies the options.
func (s *Sender) set(url string, opts []Option) error {
	if err := s.receiver.set(url); err != nil {
		return fmt.Errorf("push/otlp: %w", err)
	}
	s.out.Target = s.receiver.name
	for _, o := range opts {
		if err := o.apply(s); err != nil {
			return fmt.Errorf("push/otlp: %w", err)
		}
	}
	s.receiver.plain = s.encoder.plain
	return nil
}

// Run collects at once and then each time that the interval has passed, and sends,
// until ctx is done. Then it collects a last time and sends what is in the queue, for as
// long as [WithFlushTimeout] says. It returns an error if Run is running already, or if
// something could not be sent by then.
func (s *Sender) Run(ctx context.Context) error {
	defer s.receiver.endpoint.Close()
	return s.out.Run(ctx, func() {})
}

// encode makes requests of what the collector emits at a time.
func (s *Sender) encode(ctx context.Context, now time.Time) error {
	return s.encoder.collect(ctx, s.of, now)
}

// skipped counts what the last collection could not send, and returns it as an error.
func (s *Sender) skipped(bool) error {
	skipped, why := s.encoder.taken()
	if skipped == [skipReasons]uint64{} {
		return nil
	}
	s.out.Tally.Skipped(skipped[:])
	return fmt.Errorf("push/otlp: left out %d data points that are not valid, and %d that OTLP cannot have: %w", skipped[skipInvalid], skipped[skipUnsupported], why)
}
