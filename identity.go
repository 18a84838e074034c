package telltale

// By what a registry recognizes a collector.

import (
	"errors"
	"fmt"
	"reflect"
)

// instrumented is what handles, Vecs and Ofs have in common.
type instrumented interface{ instrument() instrument }

var errNil = errors.New("telltale: the collector is nil")

// checkNil returns an error if there is no collector.
func checkNil(c Collector) error {
	if c == nil {
		return errNil
	}
	if v := reflect.ValueOf(c); v.Kind() == reflect.Pointer && v.IsNil() {
		return fmt.Errorf("telltale: the collector is a nil %T", c)
	}
	return nil
}

// identity returns what the registry knows a collector by: the core of an
// instrument, whatever handle was given, else the collector itself.
func identity(c Collector) (Collector, error) {
	if err := checkNil(c); err != nil {
		return nil, err
	}
	if i, ok := c.(instrumented); ok {
		if core := i.instrument(); core != nil {
			return core, nil
		}
		return nil, fmt.Errorf("telltale: the %T was not made by a constructor", c)
	}
	if !reflect.ValueOf(c).Comparable() || !same(c, c) {
		return nil, fmt.Errorf("telltale: a collector of type %T cannot be compared, so it could not be unregistered; register a pointer to it", c)
	}
	return c, nil
}

// same reports whether two collectors are equal, which one that has a NaN in it
// is not even to itself.
func same(a, b Collector) bool { return a == b }

// known returns what a collection knows a collector by: its identity or, if it has none
// because its type cannot be compared, a new collector around it, which nothing else
// knows.
func known(c Collector) (Collector, error) {
	if err := checkNil(c); err != nil {
		return nil, err
	}
	if known, err := identity(c); err == nil {
		return known, nil
	}
	return CollectorFunc(c.Collect), nil
}
