package telltaletest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"telltale"
	"telltale/model"
)

// TestCollector holds a custom collector to the contract of [telltale.Collector],
// and of [telltale.Describer] and [telltale.Restrictor] if it is one. It returns an
// error that says, for each rule that the collector breaks, which rule and how; nil
// if it breaks none. It collects several times, at once too, so under the race
// detector it finds races. What the collector emits may change meanwhile in its
// values and series, but not in its families.
//
//	if err := telltaletest.TestCollector(newQueues()); err != nil {
//		t.Error(err)
//	}
func TestCollector(c telltale.Collector) error {
	if c == nil {
		return errors.New("telltaletest: the collector is nil")
	}
	s := &suite{collector: c}
	first, err := s.run(context.Background(), c, nil)
	if err != nil {
		return s.verdict("Collect returns nil when nothing is wrong", err)
	}
	s.check("A family is valid and is emitted once", validFamilies(first))
	s.check("A series is emitted once, and its value fits the type", validSeries(first))
	s.check("Families come in a fixed order", s.order(first))
	s.check("Collect may be called by several goroutines at once", s.concurrent(first))
	s.check("Collect stops at emit's first error and returns it", s.emitError(first))
	s.check("Collect returns when its context is done", s.cancelled())
	if d, ok := c.(telltale.Describer); ok {
		s.check("Describe names what is emitted", described(d.Describe(), first))
	}
	if r, ok := c.(telltale.Restrictor); ok {
		s.check("Restricted emits the named samples and no others", s.restricted(r, first))
	}
	if s.late.Load() {
		s.check("emit is not called after Collect has returned", errors.New("it was"))
	}
	return errors.Join(s.broken...)
}

// patience is how long a collection may take before it counts as one that does not
// end.
const patience = time.Minute

// suite is one test of a collector.
type suite struct {
	collector telltale.Collector
	late      atomic.Bool // emit was called after the end of its Collect
	broken    []error
}

// verdict returns the error that says that a rule is broken.
func (s *suite) verdict(rule string, how error) error {
	return fmt.Errorf("telltaletest: %T breaks a rule of collectors: %s: %w", s.collector, rule, how)
}

// check notes that a rule is broken if there is an error.
func (s *suite) check(rule string, how error) {
	if how != nil {
		s.broken = append(s.broken, s.verdict(rule, how))
	}
}

// run collects once and returns copies of the families. emit, if there is one, is
// called with each as well.
func (s *suite) run(ctx context.Context, c telltale.Collector, emit func(*model.Family) error) ([]*model.Family, error) {
	var (
		mu       sync.Mutex
		families []*model.Family
		over     bool
		done     = make(chan error, 1)
	)
	go func() {
		done <- contained(func() error {
			return c.Collect(ctx, func(f *model.Family) error {
				mu.Lock()
				defer mu.Unlock()
				if over {
					s.late.Store(true)
					return errors.New("telltaletest: Collect has returned")
				}
				if f == nil {
					return errors.New("telltaletest: a nil family was emitted")
				}
				families = append(families, f.Clone())
				if emit != nil {
					return emit(f)
				}
				return nil
			})
		})
	}()
	var err error
	select {
	case err = <-done:
	case <-time.After(patience):
		err = fmt.Errorf("it has not returned after %v", patience)
	}
	mu.Lock()
	defer mu.Unlock()
	over = true
	return families, err
}

// contained calls f, and returns its panic as an error.
func contained(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// names returns the names of families in their order.
func names(families []*model.Family) []string {
	var all []string
	for _, f := range families {
		all = append(all, f.Name)
	}
	return all
}

func validFamilies(families []*model.Family) error {
	seen := map[string]bool{}
	for _, f := range families {
		if err := f.Check(); err != nil {
			return err
		}
		if seen[f.Name] {
			return fmt.Errorf("family %q is emitted twice", f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}

func (s *suite) order(first []*model.Family) error {
	again, err := s.run(context.Background(), s.collector, nil)
	if err != nil {
		return fmt.Errorf("the second collection failed: %w", err)
	}
	if a, b := names(first), names(again); !slices.Equal(a, b) {
		return fmt.Errorf("the first collection emits %q, the second %q", a, b)
	}
	return nil
}

func (s *suite) concurrent(first []*model.Family) error {
	const collections = 8
	errs := make([]error, collections)
	var wg sync.WaitGroup
	for i := range collections {
		wg.Go(func() {
			families, err := s.run(context.Background(), s.collector, nil)
			if a, b := names(first), names(families); err == nil && !slices.Equal(a, b) {
				err = fmt.Errorf("one collection alone emits %q, one of %d at once %q", a, collections, b)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s *suite) emitError(first []*model.Family) error {
	refusal := errors.New("telltaletest: no more families")
	for at := range first {
		calls := 0
		_, err := s.run(context.Background(), s.collector, func(*model.Family) error {
			if calls++; calls > at {
				return refusal
			}
			return nil
		})
		switch {
		case err == nil:
			return fmt.Errorf("emit returned an error at family %q, Collect returned nil", first[at].Name)
		case !errors.Is(err, refusal):
			return fmt.Errorf("emit returned an error at family %q, Collect returned another: %w", first[at].Name, err)
		case calls > at+1:
			return fmt.Errorf("emit returned an error at family %q and was called %d times more", first[at].Name, calls-at-1)
		}
	}
	return nil
}

func (s *suite) cancelled() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.run(ctx, s.collector, nil)
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("it returned %w, which is not the context's error", err)
	}
	return nil
}

// described compares the families that a collector describes with those emitted. A
// collector that describes nothing claims nothing.
func described(families, emitted []*model.Family) error {
	if len(families) == 0 {
		return nil
	}
	byName := map[string]*model.Family{}
	for _, f := range families {
		if err := f.Check(); err != nil {
			return err
		}
		if byName[f.Name] != nil {
			return fmt.Errorf("family %q is described twice", f.Name)
		}
		for s := range f.Samples() {
			return fmt.Errorf("family %q is described with a sample %s", f.Name, s.Name)
		}
		byName[f.Name] = f
	}
	for _, f := range emitted {
		d := byName[f.Name]
		switch {
		case d == nil:
			return fmt.Errorf("family %q is emitted and not described", f.Name)
		case d.Type != f.Type || d.Unit != f.Unit || d.Help != f.Help:
			return fmt.Errorf("family %q is described with type %s, unit %q and help %q, and emitted with type %s, unit %q and help %q",
				f.Name, d.Type, d.Unit, d.Help, f.Type, f.Unit, f.Help)
		}
	}
	return nil
}

func (s *suite) restricted(r telltale.Restrictor, first []*model.Family) error {
	all := map[string]bool{}
	for _, f := range first {
		for sample := range f.Samples() {
			all[sample.Name] = true
		}
	}
	for name := range all {
		families, err := s.run(context.Background(), r.Restricted(name), nil)
		if err != nil {
			return fmt.Errorf("restricted to %q: %w", name, err)
		}
		found := false
		for _, f := range families {
			for sample := range f.Samples() {
				if sample.Name != name && f.Name != name {
					return fmt.Errorf("restricted to %q it emits a sample %s", name, sample.Name)
				}
				found = true
			}
		}
		if !found {
			return fmt.Errorf("restricted to %q it emits no sample", name)
		}
	}
	const none = "telltaletest_no_such_sample"
	families, err := s.run(context.Background(), r.Restricted(none), nil)
	if err != nil {
		return fmt.Errorf("restricted to a name that nothing has: %w", err)
	}
	for _, f := range families {
		for sample := range f.Samples() {
			return fmt.Errorf("restricted to a name that nothing has it emits a sample %s", sample.Name)
		}
	}
	return nil
}
