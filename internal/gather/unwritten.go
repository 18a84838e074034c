package gather

import (
	"context"
	"sync/atomic"
)

// unwrittenKey is the context key of an [Unwritten].
type unwrittenKey struct{}

// Unwritten passes what the encoder of a page leaves out of the families that a scrape
// emits to that scrape, which counts and reports it as a fault of the collector that
// emitted the family. Its method Report is called within the call of emit that encodes
// the family.
type Unwritten struct {
	taken  atomic.Bool
	report func(family string, tell bool, err func() error)
}

// WithUnwritten returns a context for one scrape of a page, and what is passed to it.
func WithUnwritten(ctx context.Context) (context.Context, *Unwritten) {
	u := new(Unwritten)
	return context.WithValue(ctx, unwrittenKey{}, u), u
}

// Report counts something that is left out of a family. With tell the program is told,
// as of other faults; err describes it, and is called only then.
func (u *Unwritten) Report(family string, tell bool, err func() error) {
	if u.report != nil {
		u.report(family, tell, err)
	}
}

// HearUnwritten passes what the encoder leaves out to report, if a page is made of what
// the scrape of the context emits. Of the scrapes of a context the first one hears,
// which is the outermost: collectors may collect registries with the context of their
// run.
func HearUnwritten(ctx context.Context, report func(family string, tell bool, err func() error)) {
	u, _ := ctx.Value(unwrittenKey{}).(*Unwritten)
	if u != nil && u.taken.CompareAndSwap(false, true) {
		u.report = report
	}
}
