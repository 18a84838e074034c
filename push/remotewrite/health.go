package remotewrite

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

// Health returns a collector of how senders and targets do, by target, which is the URL without
// password and query:
//
//   - telltale_remote_write_samples_total by result: delivered, refused by the
//     receiver, or dropped because the queue was full or the sender ended. Native
//     histograms and stale markers count as samples.
//   - telltale_remote_write_skipped_total by reason: series that are not valid, and
//     samples that are older than others of their series ("old").
//   - telltale_remote_write_requests_total by result: delivered, refused, or postponed
//     to be sent again.
//   - telltale_remote_write_queued_samples and telltale_remote_write_queued_bytes.
//   - telltale_remote_write_delay_seconds: how old the oldest sample in the queue is.
//   - telltale_remote_write_last_success_timestamp_seconds.
func Health(of ...Observed) telltale.Collector {
	var all []*outbox.Outbox
	for _, o := range of {
		if o != nil {
			all = append(all, o.observed())
		}
	}
	return outbox.Health(words, all...)
}
