package main

import (
	"context"
	"sync"
	"time"

	"telltale"
	"telltale/cmd/telltale/internal/onepage"
	"telltale/model"
)

// ports is a collector of the pages of many targets as one. It scrapes them at each
// collection.
type ports struct {
	list     *targetList
	scraping *scraping
	atOnce   int                  // targets that are scraped at the same time
	most     int                  // series of all pages together
	sums     *onepage.Sums        // nil: side by side
	workers  telltale.Collector   // of a directory, beside the targets; may be nil
	own      []telltale.Collector // of this process itself
	tell     func(error)

	turn   chan struct{} // holds an element while nobody collects
	states map[string]*targetState
}

// targetState is what is known of a target.
type targetState struct {
	failures map[string]float64 // by reason
	answered time.Time          // the last time that it did
	failed   bool               // the last time
}

// restoredError tells that a target that was left out is there again.
type restoredError struct{ target string }

func (e *restoredError) Error() string { return "target " + e.target + " is on the page again" }

// ready makes the collector ready for its first collection.
func (p *ports) ready() *ports {
	p.turn = make(chan struct{}, 1)
	p.turn <- struct{}{}
	p.states = make(map[string]*targetState)
	return p
}

// reserve is the part of the time that a collection has which is left for the targets
// that did answer, when others do not: the tenth.
const reserve = 10

// Collect scrapes the targets and emits their families.
func (p *ports) Collect(ctx context.Context, emit func(*model.Family) error) error {
	select {
	case <-p.turn:
		defer func() { p.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	began := time.Now()
	list := p.list.targets()
	all := p.scrapeAll(ctx, list)
	if err := ctx.Err(); err != nil {
		return err // nobody waits, and what was cut short by that is not the targets' fault
	}
	p.bound(all)
	pages := make([]onepage.Page, 1, len(all)+2)
	for _, got := range all {
		if got.err == nil {
			pages = append(pages, onepage.Page{Target: got.target.key, Instance: got.target.instance, Labels: got.target.labels, Families: got.families})
		}
	}
	pages[0] = onepage.Page{Own: true, Families: append(p.health(all), p.collected(ctx, p.own...)...)}
	if p.workers != nil {
		pages = append(pages, onepage.Page{Target: "of the directory", Families: p.collected(ctx, p.workers)})
	}
	var families []*model.Family
	if p.sums != nil {
		families = p.sums.Update(pages, began, p.tell)
	} else {
		families = onepage.Join(pages, p.tell)
	}
	for _, f := range families {
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}

// collected returns the families of collectors of this process.
func (p *ports) collected(ctx context.Context, collectors ...telltale.Collector) (families []*model.Family) {
	for _, c := range collectors {
		err := c.Collect(ctx, func(f *model.Family) error {
			families = append(families, f.Clone())
			return nil
		})
		if err != nil {
			p.tell(err)
		}
	}
	return families
}

// scrapeAll scrapes the targets, some at a time.
func (p *ports) scrapeAll(ctx context.Context, list []*target) []scraped {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/reserve))
		defer cancel()
	}
	all := make([]scraped, len(list))
	next := make(chan int)
	var running sync.WaitGroup
	for range min(len(list), p.atOnce) {
		running.Go(func() {
			for i := range next {
				all[i] = p.scraping.scrape(ctx, list[i])
			}
		})
	}
	for i := range list {
		next <- i
	}
	close(next)
	running.Wait()
	return all
}

// bound leaves out targets whose series come beyond the limit, notes how targets did,
// and tells of changes.
func (p *ports) bound(all []scraped) {
	states := make(map[string]*targetState, len(all))
	series := 0
	for i := range all {
		got := &all[i]
		if got.err == nil && p.most > 0 && series+got.series > p.most {
			got.err = &targetError{got.target.name(), becauseSeries, errTooManySeries(p.most)}
		}
		state := p.states[got.target.key]
		if state == nil {
			state = &targetState{failures: make(map[string]float64)}
		}
		states[got.target.key] = state
		if got.err != nil {
			state.failures[got.err.reason]++
			p.tell(got.err)
		} else {
			series += got.series
			state.answered = time.Now()
			if state.failed {
				p.tell(&restoredError{got.target.name()})
			}
		}
		state.failed = got.err != nil
	}
	p.states = states
}
