package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"telltale/model"
)

var (
	resultNames  = [sampleResults]string{"delivered", "refused", "dropped"}
	verdictNames = [...]string{Delivered: "delivered", Refused: "refused", Postponed: "postponed"}
)

// health is a collector of how outboxes do.
type health struct {
	words *Words
	of    []*Outbox
}

// Health returns a collector of how outboxes of one protocol do, by target. Those that
// are nil are left out. Its families, after the prefix of the words:
//
//   - what requests consist of, _total by result: delivered, refused by the receiver, or
//     dropped because the queue was full or the sender ended;
//   - skipped_total by reason: what cannot be sent;
//   - requests_total by result: delivered, refused, or postponed to be sent again;
//   - queued_ and what requests consist of, queued_bytes;
//   - delay_seconds: how old the oldest sample in the queue is;
//   - last_success_timestamp_seconds.
func Health(words *Words, of ...*Outbox) model.Collector {
	h := &health{words: words}
	for _, o := range of {
		if o != nil {
			h.of = append(h.of, o)
		}
	}
	return h
}

// healthFamilies are the families, empty.
type healthFamilies struct {
	words                              *Words
	samples, skipped, requests         *model.CounterFamily
	queued, queuedBytes, delay, lastOK *model.GaugeFamily
}

func newHealthFamilies(w *Words) *healthFamilies {
	var errs [7]error
	f := &healthFamilies{words: w}
	f.samples, errs[0] = model.NewCounterFamily(w.Prefix+w.Samples, "What was sent, in "+w.Samples+", by target and what became of it.", model.WithLabelNames("target", "result"))
	f.skipped, errs[1] = model.NewCounterFamily(w.Prefix+"skipped", "Series and samples that cannot be sent, by target and reason.", model.WithLabelNames("target", "reason"))
	f.requests, errs[2] = model.NewCounterFamily(w.Prefix+"requests", "Attempts to send a request, by target and result.", model.WithLabelNames("target", "result"))
	f.queued, errs[3] = model.NewGaugeFamily(w.Prefix+"queued_"+w.Samples, "What is in the queue, in "+w.Samples+".", model.WithLabelNames("target"))
	f.queuedBytes, errs[4] = model.NewGaugeFamily(w.Prefix+"queued_bytes", "Bytes of the compressed requests in the queue.", model.WithLabelNames("target"))
	f.delay, errs[5] = model.NewGaugeFamily(w.Prefix+"delay_seconds", "How old the oldest sample in the queue is.", model.WithLabelNames("target"))
	f.lastOK, errs[6] = model.NewGaugeFamily(w.Prefix+"last_success_timestamp_seconds", "When the receiver last took a request.", model.WithLabelNames("target"))
	if err := errors.Join(errs[:]...); err != nil {
		panic(err) // the names are constant
	}
	return f
}

func (f *healthFamilies) all() []*model.Family {
	return []*model.Family{f.samples.Family(), f.skipped.Family(), f.requests.Family(), f.queued.Family(), f.queuedBytes.Family(), f.delay.Family(), f.lastOK.Family()}
}

// Describe returns the families without series.
func (h *health) Describe() []*model.Family { return newHealthFamilies(h.words).all() }

// Collect emits the families.
func (h *health) Collect(_ context.Context, emit func(*model.Family) error) error {
	f := newHealthFamilies(h.words)
	names := make(map[string]int)
	for _, o := range h.of {
		name := o.Target
		if names[name]++; names[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, names[name])
		}
		if err := f.add(name, o); err != nil {
			return err
		}
	}
	for _, family := range f.all() {
		if err := emit(family); err != nil {
			return err
		}
	}
	return nil
}

// add adds the series of an outbox.
func (f *healthFamilies) add(target string, o *Outbox) error {
	var in, size int
	var oldest int64
	for _, q := range o.queues {
		queued, bytes, first := q.state()
		in += queued
		size += bytes
		if first != 0 && (oldest == 0 || first < oldest) {
			oldest = first
		}
	}
	delay := 0.0
	if oldest != 0 {
		delay = max(0, time.Since(time.UnixMilli(oldest)).Seconds())
	}
	t := &o.Tally
	t.mu.Lock()
	results, requests, left, last := t.results, t.requests, make([]uint64, len(f.words.Reasons)), t.last
	copy(left, t.left)
	t.mu.Unlock()
	var err error
	for i, name := range resultNames {
		err = errors.Join(err, f.samples.Add([]string{target, name}, float64(results[i])))
	}
	for i, name := range f.words.Reasons {
		err = errors.Join(err, f.skipped.Add([]string{target, name}, float64(left[i])))
	}
	for i, name := range verdictNames {
		err = errors.Join(err, f.requests.Add([]string{target, name}, float64(requests[i])))
	}
	err = errors.Join(err, f.queued.Add([]string{target}, float64(in)), f.queuedBytes.Add([]string{target}, float64(size)), f.delay.Add([]string{target}, delay))
	if !last.IsZero() {
		err = errors.Join(err, f.lastOK.Add([]string{target}, float64(last.UnixNano())/1e9))
	}
	return err
}
