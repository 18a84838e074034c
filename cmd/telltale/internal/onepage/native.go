package onepage

import (
	"errors"
	"fmt"
	"time"

	"telltale/internal/exponential"
	"telltale/model"
)

// Limits of the exemplars that the native buckets of a total have, as stores have them.
const (
	maxNativeExemplars = 10
	exemplarAge        = 5 * time.Minute
)

// maxPageBuckets is how many native buckets a histogram of a page has at most, empty ones
// between others among them. What a target had last is kept in full: with fewer, a change
// of its resolution could not be told from a restart.
const maxPageBuckets = 10_000

// natives is the native buckets of one point of a page, and memory for what is done with
// them.
type natives struct {
	there        bool // whether the point has some
	has          exponential.Snapshot
	more, before exponential.Snapshot
	limit        exponential.Options
}

// read reads the native buckets of a point that counts so many observations.
func (n *natives) read(p *model.Point, count float64) error {
	n.there = false
	if p.Histogram == nil || p.Histogram.Native == nil {
		return nil
	}
	h := p.Histogram.Native
	if h.Count != count {
		return errors.New("they have other observations than the classic ones")
	}
	if all := len(h.Positive) + len(h.Negative); all > maxPageBuckets {
		return fmt.Errorf("there are %d, and the limit is %d", all, maxPageBuckets)
	}
	if err := n.has.Take(h); err != nil {
		return err
	}
	n.there = true
	return nil
}

// rise prepares what the buckets have more than before, if before is not nil. It reports
// false if they began anew.
func (n *natives) rise(before *exponential.Snapshot) bool {
	if !n.there {
		return true
	}
	n.more.Copy(&n.has)
	if before == nil {
		return true
	}
	n.before.Copy(before)
	return n.more.Subtract(&n.before)
}

// keep returns the buckets of the point in the place of those before, which stay where
// the point has none: what comes later is compared with them.
func (n *natives) keep(before *exponential.Snapshot) *exponential.Snapshot {
	if !n.there {
		return before
	}
	if before == nil {
		before = new(exponential.Snapshot)
	}
	before.Copy(&n.has)
	return before
}

// nativeTotal is the native buckets of a total.
type nativeTotal struct {
	sum       exponential.Snapshot
	exemplars exponential.Exemplars
}

// addNative adds what the buckets of a point have more than before.
func (t *distributions) addNative(n *natives) {
	if !n.there {
		return
	}
	if t.native == nil {
		t.native = new(nativeTotal)
		t.native.sum.Reset()
	}
	t.native.sum.Merge(&n.more)
	t.native.sum.Limit(&n.limit)
}

// exemplifyNative adds the exemplars of native buckets that are later than the time, and
// returns the time of the latest. Those without a time are left out.
func (t *distributions) exemplifyNative(h *model.HistogramValue, after model.Timestamp) model.Timestamp {
	if t.native == nil || h == nil || h.Native == nil {
		return after
	}
	latest := after
	for i := range h.Native.Exemplars {
		e := &h.Native.Exemplars[i]
		if !e.Timestamp.IsSet() || after.IsSet() && e.Timestamp.Compare(after) <= 0 {
			continue
		}
		t.native.exemplars.Add(newer(nil, e), maxNativeExemplars, exemplarAge)
		if !latest.IsSet() || e.Timestamp.Compare(latest) > 0 {
			latest = e.Timestamp
		}
	}
	return latest
}

// showNative gives a histogram the native buckets of the total, if all its observations
// are in some: those of targets that have only classic ones are in none. So it shows none
// that are beyond 64 bits, which the count, a float64, is not. It reports whether there are
// no classic buckets beside them.
func (t *distributions) showNative(h *model.HistogramValue) (alone bool) {
	if t.native == nil || float64(t.native.sum.Count()) != h.Count {
		return false
	}
	h.Native = new(model.NativeHistogram)
	t.native.sum.Native(h.Native)
	h.Native.Sum = h.Sum
	h.Native.Exemplars = t.native.exemplars.AppendTo(nil)
	if alone = h.Bounds.Len() == 1; alone {
		h.Bounds, h.Cumulative, h.Exemplars = nil, nil, nil
	}
	return alone
}
