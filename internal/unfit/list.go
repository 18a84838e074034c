package unfit

import (
	"errors"
	"fmt"
)

// MaxNamed is the largest number of things left out that an error names one by one.
const MaxNamed = 10

// List has what was wrong in a collection. It is not safe for concurrent use.
type List struct {
	bridge string // begins each message
	errs   []error
	left   int
}

// NewList returns an empty list of a bridge.
func NewList(bridge string) *List { return &List{bridge: bridge} }

// Add adds an error of the collection as a whole; nil adds nothing.
func (l *List) Add(err error) {
	if err != nil {
		l.errs = append(l.errs, err)
	}
}

// LeaveOut notes that a metric of the family is left out and why.
func (l *List) LeaveOut(family string, why error) {
	if l.left++; l.left <= MaxNamed {
		l.errs = append(l.errs, fmt.Errorf("%s: a metric of %q is left out: %w", l.bridge, family, why))
	}
}

// Err returns all as one error, nil if nothing was wrong.
func (l *List) Err() error {
	errs := l.errs
	if more := l.left - MaxNamed; more > 0 {
		errs = append(errs[:len(errs):len(errs)], fmt.Errorf("%s: %d more metrics are left out", l.bridge, more))
	}
	return errors.Join(errs...)
}
