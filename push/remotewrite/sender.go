package remotewrite

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
	lasting  bool
}

// words are how errors, the log and metrics name this protocol.
var words = &outbox.Words{
	Package: "push/remotewrite", Protocol: "remote write", Samples: "samples", Prefix: "telltale_remote_write_", Reasons: skipNames[:],
}

// NewSender returns a sender of what c emits to the receiver at a URL, such as
// "http://prometheus:9090/api/v1/write"; without a scheme it is http. A user and a
// password in the URL authenticate. It is an error if c is nil, if the URL is not one
// of http or https, or if an option is not valid.
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
	s.encoder.emit = s.out.Put
	return s, nil
}

// newSender returns a sender with the defaults.
func newSender(c telltale.Collector) *Sender {
	s := &Sender{
		of:       c,
		receiver: receiver{timeout: DefaultTimeout},
		encoder:  encoder{samples: DefaultMaxSamples, bytes: DefaultMaxBytes},
		out: outbox.Outbox{
			Words: words, Interval: DefaultInterval, FlushTimeout: DefaultFlushTimeout, FirstRetry: DefaultFirstRetry, LongestRetry: DefaultLongestRetry,
			Shards: DefaultShards, QueueBytes: DefaultQueueBytes,
		},
	}
	s.out.Send = s.receiver.send
	s.out.Collection = outbox.Collection{Encode: s.encode, End: s.end, Fresh: gather.DemandFresh}
	return s
}

// set applies the options, and makes what depends on them.
func (s *Sender) set(url string, opts []Option) error {
	if err := s.setURL(url); err != nil {
		return fmt.Errorf("push/remotewrite: %w", err)
	}
	for _, o := range opts {
		if err := o.apply(s); err != nil {
			return fmt.Errorf("push/remotewrite: %w", err)
		}
	}
	s.encoder.ledger = newLedger(s.out.Shards)
	shared := &pack{}
	for range s.out.Shards {
		s.encoder.builders = append(s.encoder.builders, newBuilder(shared))
	}
	return nil
}

func (s *Sender) setURL(url string) error {
	u, err := s.receiver.endpoint.SetAddress(url)
	if err != nil {
		return err
	}
	s.receiver.address, s.receiver.name = s.receiver.endpoint.HideQuery(u)
	s.out.Target = s.receiver.name
	return nil
}

// Run collects at once and then each time that the interval has passed, and sends,
// until ctx is done. Then it collects a last time, ends all series with stale markers
// (see [WithoutLastMarkers]) and sends what is in the queue, for as long as
// [WithFlushTimeout] says. It returns an error if Run is running already, or if
// something could not be sent by then.
func (s *Sender) Run(ctx context.Context) error {
	defer s.receiver.endpoint.Close()
	return s.out.Run(ctx, func() {
		if now, err := s.out.Clock.Now(); err == nil && !s.lasting { // else the last collection has told
			s.encoder.begin(now.UnixMilli())
			s.encoder.end()
		}
	})
}

// encode makes requests of what the collector emits at a time.
func (s *Sender) encode(ctx context.Context, now time.Time) error {
	s.encoder.begin(now.UnixMilli())
	return s.of.Collect(ctx, s.encoder.encode)
}

// end ends a collection, and returns what could not be sent.
func (s *Sender) end(cut bool) error {
	if cut {
		s.encoder.abandon()
	} else {
		s.encoder.end()
	}
	return s.skipped()
}

// skipped counts what the last collection could not send, and returns it as an error.
func (s *Sender) skipped() error {
	skipped := s.encoder.taken()
	if skipped == [skipReasons]uint64{} {
		return nil
	}
	s.out.Tally.Skipped(skipped[:])
	return fmt.Errorf("push/remotewrite: left out %d series that are not valid, and %d samples that are older than others of their series", skipped[skipInvalid], skipped[skipOld])
}
