package otlp

import (
	"telltale"
	"telltale/internal/outbox"
)

// Observed is a [Sender] or a [Target].
type Observed interface{ observed() *outbox.Outbox }

func (s *Sender) observed() *outbox.Outbox {
	if s == nil {
		return nil
	}
	return &s.out
}

// Health returns a collector of how senders and targets do, by target, which is the URL
// without password and query:
//
//   - telltale_otlp_points_total by result: data points that were delivered, refused by
//     the receiver, or dropped because the queue was full or the sender ended.
//   - telltale_otlp_skipped_total by reason: data points that are "invalid", such as
//     those with a label twice or counts that contradict each other, and those that OTLP
//     cannot have ("unsupported"): the buckets of native gauge histograms, counts that
//     are not whole, and times before 1970.
//   - telltale_otlp_requests_total by result: delivered, refused, or postponed to be sent
//     again.
//   - telltale_otlp_queued_points and telltale_otlp_queued_bytes.
//   - telltale_otlp_delay_seconds: how old the oldest data point in the queue is.
//   - telltale_otlp_last_success_timestamp_seconds.
func Health(of ...Observed) telltale.Collector {
	var all []*outbox.Outbox
	for _, o := range of {
		if o != nil {
			all = append(all, o.observed())
		}
	}
	return outbox.Health(words, all...)
}
